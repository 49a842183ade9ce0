"""Outputs larger than the caches, whose chunks are checked while they are decoded."""

import functools

import numpy as np
import pytest

import qcodec
from qcodec import ChecksumError, Lossless, Quantized
from qcodec.dtypes import element_type
from qcodec.quantized import Groups

ELEMENTS = (8 << 20) + 1013  # of four bytes each, 32 MiB and a little
FRAMES = ("4 bits", "8 bits", "8 bits, checked", "verbatim", "bfloat16")


def codebook(bits, entries):
    codes = np.resize(np.random.default_rng(bits).integers(entries, size=99991), ELEMENTS)
    book = Groups(np.linspace(-1, 1, entries, dtype=np.float32)[None])
    return Quantized(
        (ELEMENTS,), "float32", "codebook", codes.astype(np.uint8), None, bits, codebook=book
    )


@functools.cache
def frame(name):
    """Encoded, and what it decodes to."""
    if name in ("verbatim", "bfloat16"):
        array = np.random.default_rng(1).standard_normal(2 * ELEMENTS, dtype=np.float32)
        if name == "verbatim":
            array = array[:ELEMENTS]
            return qcodec.encode(array, Lossless(), profile="fixed"), array
        array = (array.view(np.uint32) >> 16).astype(np.uint16)
        array = array.view(element_type("bfloat16").carrier)
        return qcodec.encode(array, Lossless(dtype="bfloat16"), profile="fast"), array
    quantized = codebook(
        *{"4 bits": (4, 10), "8 bits": (8, 256), "8 bits, checked": (8, 200)}[name]
    )
    return qcodec.encode(quantized, profile="fixed"), quantized.dequantize()


@pytest.mark.parametrize("name", FRAMES)
def test_they_are_right(name):
    data, expected = frame(name)
    memory = np.empty(expected.nbytes + 128, np.uint8)
    for shift in (0, 16, 20):
        begin = -memory.ctypes.data % 64 + shift
        out = memory[begin : begin + expected.nbytes].view(expected.dtype)
        qcodec.decode(data, out=out)
        assert np.array_equal(out.view(np.uint8), expected.view(np.uint8))


@pytest.mark.parametrize("name", FRAMES)
def test_damage_is_reported_as_a_wrong_checksum(name):
    """Also where a code without an entry is met first."""
    data, expected = frame(name)
    chunks = qcodec.Encoded(data).chunks
    damaged = bytearray(data)
    out = np.empty_like(expected)
    begin = len(data) - len(data) // chunks * (chunks - 1)  # in the second chunk or before
    for place in (begin, len(data) // 2, len(data) - 1, len(data) - len(data) // chunks // 3):
        damaged[place] ^= 0xFF
        with pytest.raises(ChecksumError, match="checksum"):
            qcodec.decode(damaged, out=out)
        damaged[place] ^= 0xFF
    assert np.array_equal(qcodec.decode(damaged, out=out).view(np.uint8), expected.view(np.uint8))
