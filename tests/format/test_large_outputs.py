"""Outputs larger than the caches are stored past them: the same elements, wherever they begin."""

import numpy as np
import pytest

import qcodec
from qcodec import Affine, Codebook, Lossless, Sparse, Ternary
from qcodec.codecs.pruning import Density
from qcodec.dtypes import element_type

ml_dtypes = pytest.importorskip("ml_dtypes")

# 32 MiB of the smallest output below, and no multiple of anything.
ELEMENTS = (1 << 24) + 1013
CHUNK = 1_000_003
OUTPUTS = (np.float32, np.float16, ml_dtypes.bfloat16, np.float64)
CODECS = {
    "codebook of 4 bits": Codebook(4, init="linear"),
    "codebook of 8 bits": Codebook(8, init="linear"),
    "affine of 8 bits": Affine(8),
    "affine of 12 bits": Affine(12),
    "a scale for each group": Affine(4, group=4096),
    "ternary": Ternary(),
    "gaps": Sparse(Codebook(4, init="linear"), Density(0.1), positions="gaps"),
    "mask": Sparse(Codebook(4, init="linear"), Density(0.3), positions="mask"),
    "lossless": Lossless(),
}


@pytest.fixture(scope="module")
def weights():
    tile = np.random.default_rng(0).standard_normal(1 << 16).astype(np.float32)
    return np.resize(tile, ELEMENTS // 4096 * 4096)


def misaligned(count, dtype, shift):
    """Memory for `count` elements that begins `shift` bytes behind a multiple of 64, and more."""
    memory = np.full(count * np.dtype(dtype).itemsize + 192, 0xA5, np.uint8)
    start = -memory.ctypes.data % 64 + 64 + shift
    return memory, memory[start : start + count * np.dtype(dtype).itemsize].view(dtype)


#: Types of 16 bits are rounded first, by kernels of their own.
CASES = [(name, "float32") for name in CODECS]
CASES += [("a scale for each group", dtype) for dtype in ("float16", "bfloat16")]


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_large_outputs_hold_what_small_ones_do_wherever_they_begin(weights, name, dtype):
    array = weights.astype(element_type(dtype).carrier)
    frame = qcodec.encode(array, CODECS[name], profile="fast", chunk=CHUNK)
    encoded = qcodec.Encoded(frame)
    # No slice holds a whole chunk, so all of them go through the caches.
    slices = [encoded[i : i + CHUNK - 1] for i in range(0, len(weights), CHUNK - 1)]
    expected = np.concatenate(slices)
    for output, shift in zip(OUTPUTS, (16, 2, 6, 40), strict=True):
        memory, out = misaligned(len(weights), output, shift)
        assert encoded.decode(out=out, dtype=output) is out
        np.testing.assert_array_equal(out, expected.astype(output))
        start = out.ctypes.data - memory.ctypes.data
        assert (memory[:start] == 0xA5).all()
        assert (memory[start + out.nbytes :] == 0xA5).all()


def test_a_frame_of_several_blocks_keeps_the_order_of_its_chunks():
    array = np.random.default_rng(4).integers(0, 256, (69 << 20) + 5, np.uint8)  # not compressible
    frame = qcodec.encode(array, qcodec.Verbatim(), chunk=1 << 20)
    assert np.array_equal(qcodec.decode(frame), array)
