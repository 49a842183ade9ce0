"""Prints the peak memory of encoding a large tensor, in parts of the tensor: one case a process."""

import sys
from pathlib import Path

import numpy as np

import qcodec

ROWS, COLUMNS = 30_000, 1000


def dense():
    array = np.empty((ROWS, COLUMNS), np.float32)
    random = np.random.default_rng(0)
    for first in range(0, ROWS, 1000):
        random.standard_normal(dtype=np.float32, out=array[first : first + 1000])
    return array


def sparse():
    """A stored element in ten thousand; no page of the zeros is missing before the call."""
    array = np.empty((ROWS, COLUMNS), np.float32)
    array.fill(0)
    array.reshape(-1)[::10_000] = np.random.default_rng(0).standard_normal(ROWS * COLUMNS // 10_000)
    return array


#: The tensor, the codec, and how many times the tensor its encoding may take, with the result.
CASES = {
    "lossless": (dense, qcodec.Lossless(), 1.5),
    "4-bit codebook": (dense, qcodec.Codebook(4), 1.6),
    "codebooks by row": (dense, qcodec.Codebook(4, per=0), 1.6),
    "int8 by row": (dense, qcodec.Affine(8, per=0, symmetric=True), 2),
    "fixed point": (dense, qcodec.FixedPoint(8), 2),
    "deep compression": (dense, qcodec.DeepCompression(5), 3),
    "sparse": (sparse, qcodec.Lossless(), 1.5),
}


def memory(field):
    """A size from the status of this process; its peak in getrusage may be that of its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main(name):
    make, codec, _ = CASES[name]
    qcodec.encode(np.ones((64, 64), np.float32), codec)
    array = make()
    before = memory("VmRSS")
    qcodec.encode(array, codec)
    print((memory("VmHWM") - before) / array.nbytes)


if __name__ == "__main__":
    main(sys.argv[1])
