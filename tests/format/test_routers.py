"""Routed streams as the encoder makes them: of codes and masks, by their places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec import Encoded, Ternary
from qcodec._frame.encode import encode_quantized
from qcodec.quantized import Groups, Quantized
from reference.codings import CODINGS
from tests.format.agreement import by_library, by_reference, streams_in

CONTEXTS, SPLIT = 3, 6
WITHOUT = 0b110111  # all codings that are never routed
#: Each of those that may be, by name, and the others.
ROUTED = {"split": WITHOUT | 1 << SPLIT, "contexts": WITHOUT | 1 << CONTEXTS}
ALL = WITHOUT | 1 << SPLIT | 1 << CONTEXTS


def of_codes(codes, bits=2, positions=None, shape=None):
    """Codes as a tensor of their shape, or of `shape` where only some positions are stored."""
    book = np.linspace(-1, 1, 1 << bits, dtype=np.float32)[None]
    book[0, 0] = 0
    return Quantized(
        shape=codes.shape if shape is None else shape,
        dtype="float32",
        kind="codebook",
        codes=codes.reshape(-1).astype(np.uint8),
        positions=positions,
        bits=bits,
        codebook=Groups(book),
    )


def by_row_and_column(rows=48, columns=64):
    """Codes whose distribution depends on whether row and column are odd."""
    random = np.random.default_rng(1)
    skewed = random.choice(4, (rows, columns), p=[0.8, 0.1, 0.06, 0.04])
    odd = np.add.outer(np.arange(rows), np.arange(columns)) % 2 == 1
    return np.where(odd, 3 - skewed, skewed)


def of_kernels(kernels=400):
    """3x3 kernels in which a code mostly repeats the one to its left."""
    random = np.random.default_rng(2)
    codes = random.integers(0, 4, (kernels, 1, 3, 3))
    for x in (1, 2):
        again = random.random((kernels, 1, 3)) < 0.85
        codes[..., x] = np.where(again, codes[..., x - 1], codes[..., x])
    return codes


def of_alike_rows(apart, rows=60, columns=90):
    """Codes that mostly repeat those some rows before."""
    random = np.random.default_rng(4)
    codes = random.integers(0, 4, (rows, columns))
    for row in range(apart, rows):
        again = random.random(columns) < 0.85
        codes[row] = np.where(again, codes[row - apart], codes[row])
    return codes


def of_long_filters(filters=12, taps=300):
    """Filters in one dimension, wider than a byte counts, in which codes change slowly."""
    steps = np.random.default_rng(5).choice([-1, 0, 1], (filters, 1, taps), p=[0.1, 0.8, 0.1])
    return np.abs(np.cumsum(steps, axis=2)) % 6 // 2


def masked(rows=80, columns=160):
    """A tensor most of whose stored elements are in a few rows and columns."""
    random = np.random.default_rng(3)
    density = np.where(np.arange(rows)[:, None] % 4 == 0, 0.6, 0.01)
    stored = np.flatnonzero(random.random((rows, columns)) < density)
    return of_codes(np.full(len(stored), 2), 2, stored, (rows, columns))


CASES = {
    "rows and columns": (of_codes(by_row_and_column()), "dense"),
    "kernels": (of_codes(of_kernels()), "dense"),
    "rows": (of_codes(of_alike_rows(1)), "dense"),
    "rows in threes": (of_codes(of_alike_rows(3)), "dense"),
    "long filters": (of_codes(of_long_filters()), "dense"),
    "mask": (masked(), "mask"),
    "bit mask": (masked(), "bit_mask"),
}
#: The least effort that finds them smaller, if it is not 3: rows like others are searched later.
LEAST_EFFORT = {"rows": 5, "rows in threes": 5}


def encode(quantized, positions="dense", profile="small", codings=ALL, chunk=None, effort=5):
    return encode_quantized(
        quantized,
        profile=profile,
        codings=codings,
        positions=positions,
        chunk=chunk,
        effort=effort,
    )


def routed_in(data):
    """The codings of the routed streams in a frame: contexts only with a router."""
    return {CODINGS[stream.coding].name for stream in streams_in(data) if stream.routed}


each_coding = pytest.mark.parametrize(
    ("case", "coding"),
    [*((case, "contexts") for case in CASES), ("rows and columns", "split"), ("mask", "split")],
)


@each_coding
def test_codes_that_depend_on_their_place_have_a_router_and_are_smaller(case, coding):
    quantized, positions = CASES[case]
    data = encode(quantized, positions, codings=ROUTED[coding])
    assert routed_in(data) == {coding}
    share = {"contexts": 0.9, "split": 0.95}[coding]
    assert len(data) < share * len(encode(quantized, positions, codings=ROUTED[coding], effort=1))
    assert by_library(data) == by_reference(data)
    back = Encoded(data).quantized()
    np.testing.assert_array_equal(back.codes, quantized.codes)


@each_coding
def test_ranges_of_chunks_decode_alone(case, coding):
    quantized, positions = CASES[case]
    row = int(np.prod(quantized.shape[1:]))
    rows = max(quantized.shape[0] // 2 * row, 256)
    data = encode(quantized, positions, codings=ROUTED[coding], chunk=rows)
    assert routed_in(data) == {coding}
    encoded = Encoded(data)
    whole = encoded.decode()
    for first in (0, 1, quantized.shape[0] // 2, quantized.shape[0] - 1):
        np.testing.assert_array_equal(encoded[first], whole[first])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_profiles_fast_and_fixed_never_have_a_router(case, profile):
    quantized, positions = CASES[case]
    assert not routed_in(encode(quantized, positions, profile))


@pytest.mark.parametrize("case", CASES)
def test_balanced_has_a_router_only_where_it_may_take_contexts(case):
    quantized, positions = CASES[case]
    assert routed_in(encode(quantized, positions, "balanced")) == {"contexts"}
    assert not routed_in(encode(quantized, positions, "balanced", ROUTED["split"]))


@pytest.mark.parametrize("case", CASES)
def test_contexts_are_smaller_than_sub_streams(case):
    quantized, positions = CASES[case]
    sizes = {name: len(encode(quantized, positions, codings=ROUTED[name])) for name in ROUTED}
    assert sizes["contexts"] < sizes["split"]
    assert len(encode(quantized, positions)) == sizes["contexts"]


def test_the_codings_of_substreams_are_chosen_among_those_allowed():
    data = encode(of_codes(by_row_and_column()), codings=1 << SPLIT | 0b0101)
    assert set(qcodec.info(data).codings) == {"split"}
    assert data[4] == 1 << SPLIT | 0b0100 or data[4] == 1 << SPLIT | 0b0101


@pytest.mark.parametrize("chunk", [300, 64 * 5 + 1])
def test_chunks_that_cut_rows_have_no_router(chunk):
    quantized = of_codes(by_row_and_column(), 2)
    flat = Quantized(**{**vars(quantized), "shape": (3072,)})
    assert not routed_in(encode(flat))
    assert by_library(encode(quantized, chunk=chunk))[0] == quantized.shape


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)
    | st.sampled_from([(40, 3, 3, 3), (30, 40), (2, 300, 5), (200, 1, 1, 2), (5, 1, 300, 2)]),
    st.integers(1, 8),
    st.sampled_from(["dense", "mask", "bit_mask", "auto"]),
    st.none() | st.integers(256, 700),
    st.sampled_from([ALL, *ROUTED.values()]),
    st.integers(0, 2**32 - 1),
)
def test_any_codes_come_back(shape, bits, positions, chunk, codings, seed):
    random = np.random.default_rng(seed)
    scale = random.random(shape[:1] + (1,) * (len(shape) - 1))
    codes = (random.random(shape) ** 4 * scale * (1 << bits)).astype(np.uint8)
    stored = np.flatnonzero(codes)
    quantized = of_codes(codes, bits)
    if positions != "dense":
        quantized = of_codes(codes.reshape(-1)[stored], bits, stored, shape)
    data = encode(quantized, positions, codings=codings, chunk=chunk)
    assert len(data) <= len(encode(quantized, positions, codings=WITHOUT, chunk=chunk)) + 1
    outcome = by_library(data)
    assert outcome == by_reference(data)
    assert outcome[1] == quantized.codebook.values[0][codes].tobytes()


def test_ternary_convolutions_of_a_net_are_a_tenth_smaller():
    # As in trained nets, what is next to each other has the same sign.
    random = np.random.default_rng(4)
    smooth = random.standard_normal((64, 32, 1, 1)) + random.standard_normal((64, 32, 3, 3))
    array = smooth.astype(np.float32)
    small = len(qcodec.encode(array, Ternary(), profile="small"))
    quantized = Encoded(qcodec.encode(array, Ternary())).quantized()
    assert small < 0.95 * len(encode(quantized, codings=WITHOUT))


@pytest.mark.parametrize("case", CASES)
def test_more_effort_makes_smaller_files_that_decode_to_the_same(case):
    quantized, positions = CASES[case]
    frames = {effort: encode(quantized, positions, effort=effort) for effort in (1, 3, 5, 7, 9)}
    sizes = list(map(len, frames.values()))
    assert sizes == sorted(sizes, reverse=True)
    assert len(frames[LEAST_EFFORT.get(case, 3)]) < len(frames[1])
    assert len({by_library(frame) for frame in frames.values()}) == 1


@pytest.mark.parametrize("effort", [0, 10])
def test_other_efforts_are_refused(effort):
    with pytest.raises(ValueError, match=f"effort={effort}: allowed are 1 to 9"):
        qcodec.encode(np.zeros(3), effort=effort)
