"""A frame of codes has the numbers of its own dtype, whatever output type is asked for."""

import itertools

import numpy as np
import pytest

import qcodec
from qcodec.dtypes import element_type
from qcodec.quantized import Groups, Quantized
from tests.format.agreement import assert_agreement
from tests.format.cpu_paths import PATHS, on_path
from tests.writers.frame_writer import DTYPES

ml_dtypes = pytest.importorskip("ml_dtypes")

OUTPUTS = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "float64": "f64"}
assert set(OUTPUTS.values()) <= set(DTYPES)
ROWS, COLUMNS = 8, 700
SIZE = ROWS * COLUMNS
#: One after the other, elements share a scale: all, rows that are longer than any table, blocks.
INNERS = {"tensor": SIZE, "row": COLUMNS, "block": 20}


def scales(groups):
    """Of full precision, so products are rounded; some are out of float16's range."""
    random = np.random.default_rng(groups)
    found = random.uniform(0.001, 0.002, groups).astype(np.float32)
    found[1::3] *= np.float32(1e-5)
    found[2::7] *= np.float32(1e6)
    return found


def codes_of(bits, density):
    random = np.random.default_rng(bits)
    positions = np.flatnonzero(random.random(SIZE) < density)
    codes = random.integers(0, 1 << bits, len(positions))
    return codes.astype(np.uint8 if bits <= 8 else np.uint16), positions


def affine(dtype, bits, inner, density=1.0):
    codes, positions = codes_of(bits, density)
    groups = -(-SIZE // inner)
    zeros = 3 if groups == 1 else np.arange(groups).astype(np.uint16)
    return Quantized((ROWS, COLUMNS), dtype, "affine", codes,
                     None if density == 1 else positions, bits,
                     scale=Groups(scales(groups), inner), zero_point=zeros)  # fmt: skip


def codebook(dtype, bits, inner, density=1.0):
    codes, positions = codes_of(bits, density)
    groups = -(-SIZE // inner)
    book = np.random.default_rng(0).standard_normal((groups, 1 << bits), np.float32)
    return Quantized((ROWS, COLUMNS), dtype, "codebook", codes,
                     None if density == 1 else positions, bits, Groups(book, inner))  # fmt: skip


def scaled_codebook(dtype, bits, inner, density=1.0):
    found = codebook(dtype, bits, SIZE, density)
    groups = -(-SIZE // inner)
    return Quantized(found.shape, dtype, "codebook", found.codes, found.positions, bits,
                     found.codebook, Groups(scales(groups), inner, 1.1))  # fmt: skip


def products(quantized):
    """The stored elements before rounding, by NumPy alone."""
    stored = np.arange(SIZE) if quantized.positions is None else quantized.positions
    if quantized.kind == "affine":
        group = stored // quantized.scale.inner
        zeros = np.broadcast_to(quantized.zero_point, len(quantized.scale.values))
        values = (quantized.codes.astype(np.int32) - zeros[group]).astype(np.float32)
    else:
        values = quantized.codebook.values[stored // quantized.codebook.inner, quantized.codes]
    if quantized.scale is not None:
        factors = quantized.scale.values * np.float32(quantized.scale.second or 1)
        values = values * factors[stored // quantized.scale.inner]
    return stored, values


def expected(quantized, output):
    """Rounded to the tensor's dtype, and then converted."""
    stored, values = products(quantized)
    dense = np.zeros(SIZE, element_type(output).carrier)
    with np.errstate(over="ignore"):
        own = values.astype(element_type(quantized.dtype).carrier)
        single = own if quantized.dtype == "float64" else own.astype(np.float32)
        dense[stored] = single.astype(dense.dtype)
    return dense.reshape(quantized.shape)


KINDS = {
    "affine, 3 bits": (affine, 3),
    "affine, 8 bits": (affine, 8),
    "affine, 12 bits": (affine, 12),
    "codebook, 4 bits": (codebook, 4),
    "codebook, 8 bits": (codebook, 8),
    "scaled codebook, 4 bits": (scaled_codebook, 4),
}


@pytest.mark.parametrize("density", [1.0, 0.3], ids=["dense", "sparse"])
@pytest.mark.parametrize("groups", INNERS)
@pytest.mark.parametrize("kind", KINDS)
def test_values_are_rounded_to_the_dtype_before_the_output_type(kind, groups, density):
    make, bits = KINDS[kind]
    differs = 0
    for dtype, output in itertools.product(OUTPUTS, OUTPUTS):
        quantized = make(dtype, bits, INNERS[groups], density)
        wanted = expected(quantized, output)
        data = qcodec.encode(quantized, profile="fast", chunk=3000)
        for path in PATHS:
            with on_path(path):
                found = qcodec.decode(data, dtype=output)
            assert found.tobytes() == wanted.tobytes(), (dtype, output, path)
        assert quantized.dequantize(output).tobytes() == wanted.tobytes()
        with np.errstate(over="ignore"):
            unrounded = products(quantized)[1].astype(wanted.dtype)
        stored = slice(None) if quantized.positions is None else quantized.positions
        differs += unrounded.tobytes() != wanted.reshape(-1)[stored].tobytes()
    assert differs >= 5  # two dtypes of 16 bits, each in the three other types; but for rare ties


@pytest.mark.parametrize("make", [affine, codebook, scaled_codebook])
def test_the_reference_rounds_in_the_same_order(make):
    for dtype, output in itertools.product(OUTPUTS, OUTPUTS):
        quantized = make(dtype, 4, INNERS["row"], 0.3)
        data = qcodec.encode(quantized, profile="fast")
        assert not isinstance(assert_agreement(data, OUTPUTS[output]), str)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_product_half_way_between_two_numbers_becomes_the_even_one_in_wider_types_too(dtype):
    """1 + 2^-9 and the like: half way, and a little more."""
    half_ulp = {"float16": 2.0**-11, "bfloat16": 2.0**-8}[dtype]
    tie, above = np.float32(1 + half_ulp), np.float32(1 + half_ulp + 2.0**-23)
    quantized = Quantized((2,), dtype, "affine", np.array([1, 1], np.uint8), None, 1,
                          scale=Groups(np.array([tie, above], np.float32), 1))  # fmt: skip
    for output in ("float32", "float64", dtype):
        found = qcodec.decode(qcodec.encode(quantized), dtype=output)
        assert found.astype(np.float64).tolist() == [1, 1 + 2 * half_ulp]
