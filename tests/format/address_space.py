"""Decode frames and packs from standard input with little address space to spare.

This is a separate program, because the limit applies to a process. It reads lines
``DOOR BYTES-TO-SPARE HEX``, where a door is one of the ways to read a frame. For each it prints the
kind of the error, the number of decoded bytes (for a pack: of tensors), or ``memory``.
"""

import json
import resource
import sys
from pathlib import Path

import numpy as np

import qcodec
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.files import load

PAGE = resource.getpagesize()
PACK_MAGIC = b"QP"


def as_file(data):
    """A safetensors file with this frame or pack in it."""
    name = "qcodec.pack" if data[:2] == PACK_MAGIC else "x.qcodec"
    entry = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    header = json.dumps({name: entry}).encode()
    return len(header).to_bytes(8, "little") + header + data


def codes_bytes(data):
    """Of codes and positions."""
    quantized = qcodec.Encoded(data).quantized()
    positions = 0 if quantized.positions is None else quantized.positions.nbytes
    return quantized.codes.nbytes + positions


def csr_bytes(data):
    """Of all parts of a sparse matrix."""
    matrix = qcodec.Encoded(data).to_csr()
    return matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes


def checked(data):
    """0: checking builds nothing."""
    qcodec.Encoded(data).verify()
    return 0


DOORS = {
    "decode": lambda data: qcodec.decode(data).nbytes,
    "float64": lambda data: qcodec.decode(data, dtype="float64").nbytes,
    "slice": lambda data: qcodec.Encoded(data)[:].nbytes,
    "csr": csr_bytes,
    "verify": checked,
    "quantized": codes_bytes,
    "info": lambda data: qcodec.info(data).dense_bytes,
    "file": lambda data: sum(tensor.nbytes for tensor in load(as_file(data)).values()),
}


def tensors_of_pack(door, data):
    """Their number, after all of them were checked; at the door info only the table is read."""
    pack = TensorFile(BytesSource(data))
    for name in pack.keys() if door != "info" else ():
        pack.verify(name)
    return len(pack)


def outcome(door, data):
    """A short text about it."""
    try:
        if door != "file" and data[:2] == PACK_MAGIC:
            return str(tensors_of_pack(door, data))
        return str(DOORS[door](data))
    except qcodec.QCodecError as error:
        return error.code
    except MemoryError:
        return "memory"


def warm_up():
    """Import, allocate and free what any call needs, so that it is not counted."""
    for door in DOORS:
        for data in (qcodec.encode(np.ones(3, np.float32)), b"", b"QC", PACK_MAGIC):
            outcome(door, data)
    # Python asks for its own small objects a megabyte at a time.
    small_objects = [str(number) for number in range(30000)]
    del small_objects


def with_limit(door, spare, data):
    """Decode with so many bytes of address space more than are taken now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * PAGE + spare, resource.RLIM_INFINITY))
    try:
        return outcome(door, data)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def main():
    """Run the program."""
    requests = [line.split() for line in sys.stdin]
    inputs = [(door, int(spare), bytes.fromhex(data)) for door, spare, data in requests]
    warm_up()
    outcomes = [with_limit(*each) for each in inputs]
    print("\n".join(outcomes))


if __name__ == "__main__":
    main()
