"""Decode frames and packs from standard input with little address space to spare.

A program of its own, as the limit is the process's. Reads lines ``BYTES-TO-SPARE HEX``,
prints a line for each: the kind of the error, the number of decoded bytes, or ``memory``.
"""

import resource
import sys
from pathlib import Path

# As pytest has it (pyproject.toml): the compiled parts are in the source folder too.
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

import qcodec
from qcodec.pack import read_pack
from qcodec.source import BytesSource

PAGE = resource.getpagesize()
PACK_MAGIC = b"QP"


def decode(data):
    """A short text about the outcome."""
    try:
        if data[:2] == PACK_MAGIC:
            return str(len(read_pack(BytesSource(data)).entries))
        return str(qcodec.decode(data).nbytes)
    except qcodec.QCodecError as error:
        return error.code
    except MemoryError:
        return "memory"


def warm_up():
    """Import, allocate and free what any call needs, so that it is not counted."""
    decode(qcodec.encode(np.arange(3)))
    for wrong in (b"", b"QC", PACK_MAGIC):
        decode(wrong)
    # Python asks for its own small objects a megabyte at a time.
    small_objects = [str(number) for number in range(30000)]
    del small_objects


def with_limit(spare, data):
    """Decode with so many bytes of address space more than are taken now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * PAGE + spare, resource.RLIM_INFINITY))
    try:
        return decode(data)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def main():
    """Run the program."""
    requests = [line.split() for line in sys.stdin]
    inputs = [(int(spare), bytes.fromhex(data)) for spare, data in requests]
    warm_up()
    outcomes = [with_limit(spare, data) for spare, data in inputs]
    print("\n".join(outcomes))


if __name__ == "__main__":
    main()
