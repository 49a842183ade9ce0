"""Calls that are made again and again take no more memory than the first ones.

The promise is for QCODEC_CALLS=100000; fewer calls find leaks of a few hundred bytes per call.
"""

import os
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

CALLS = int(os.environ.get("QCODEC_CALLS", "4000"))
MIB = 1 << 20

GROWTH = """
import resource, sys
import numpy as np
import qcodec
from qcodec import streams

calls, what = int(sys.argv[1]), sys.argv[2]
weights = np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32)
frames = [
    qcodec.encode(weights),
    qcodec.encode(weights, qcodec.Codebook(bits=4)),
    qcodec.encode(weights, qcodec.Sparse(qcodec.Codebook(bits=3), qcodec.Density(0.2))),
    qcodec.encode(weights, qcodec.Affine(bits=8)),
]
stream = streams.encode(np.arange(60) % 7)
pack = qcodec.save({"a": weights, "b": weights[0]})
broken = [frames[0][:-1], frames[1][:20], frames[2][:-4] + bytes(4), b"QC", b"", bytes(100)]

def refused(call, *arguments):
    try:
        call(*arguments)
    except qcodec.QCodecError:
        return
    raise SystemExit("it was not refused")

CALLS = {
    "encode": lambda i: qcodec.encode(weights[:4], (None, qcodec.Affine(bits=6))[i % 2]),
    "decode": lambda i: (
        qcodec.decode(frames[i % 4]), qcodec.Encoded(frames[i % 4])[3:5],
        qcodec.Encoded(frames[i % 4]).quantized(), streams.decode(stream, 60, 3), qcodec.load(pack),
    )[0],
    "errors": lambda i: (
        refused(qcodec.decode, broken[i % 6]), refused(qcodec.info, broken[i % 6][:9]),
        refused(qcodec.load, broken[i % 6]), refused(streams.decode, stream[:-1], 60, 3),
    ),
}

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def run(count):
    for i in range(count):
        CALLS[what](i)

run(1000)
before = resident()
run(calls)
print(resident() - before)
"""


@pytest.mark.parametrize("what", ["encode", "decode", "errors"])
def test_repeated_calls_keep_no_memory(run_python, what):
    assert int(run_python(GROWTH, str(CALLS), what)) < MIB
