"""The reference decoder returns what was written, checked by independent arithmetic."""

import math
import struct

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import (
    Corrupt,
    FormatError,
    Limit,
    Tensor,
    Truncated,
    decode,
    decode_entry,
    read_pack,
)
from reference.__main__ import main
from reference.codings import Stream
from reference.conventions import Reader
from reference.element_types import element_of, float_of
from reference.huffman import huffman, read_lengths
from tests.repository import GOLDEN
from tests.writers.frame_writer import (
    ELEMENT_KINDS,
    ITEM_SIZES,
    Floats,
    Frame,
    base_of,
    write_frame,
    write_pack,
)
from tests.writers.strategies import (
    coders,
    complete_lengths,
    corrupted_frames,
    frames,
    incomplete_lengths,
    symbol_lists,
    valid_frames,
)
from tests.writers.stream_writer import (
    huffman_body,
    legal_codings,
    length_nibbles,
    pack_nibbles,
    write_stream,
)

NUMPY = {
    "f32": np.dtype("<f4"),
    "f16": np.dtype("<f2"),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f64": np.dtype("<f8"),
    "f8e4m3": np.dtype(ml_dtypes.float8_e4m3fn),
    "f8e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "e8m0": np.dtype(ml_dtypes.float8_e8m0fnu),
}


def as_f32(parameters: Floats) -> np.ndarray:
    values = np.frombuffer(parameters.data, NUMPY[parameters.dtype]).astype(np.float32)
    return values.reshape(parameters.count, parameters.entries)


def groups_of(parameters: Floats, frame: Frame) -> np.ndarray:
    """The group of each stored element."""
    return np.array([parameters.group_of(index) for index in frame.stored], dtype=np.int64)


def expected_values(frame: Frame) -> np.ndarray:
    """The stored elements of an affine, codebook or scaled frame in its dtype, by NumPy."""
    group = np.zeros(len(frame.stored), np.int64)
    if frame.scales is not None:
        group = groups_of(frame.scales, frame)
    if frame.stored_dtype:
        elements = np.frombuffer(b"".join(frame.elements), NUMPY[frame.stored_dtype])
        values = elements.astype(np.float32)
    elif frame.codebook is not None:
        codes = np.array(frame.elements, dtype=np.int64)
        values = as_f32(frame.codebook)[groups_of(frame.codebook, frame), codes]
    else:
        codes = np.array(frame.elements, dtype=np.int64)
        zero_points = np.atleast_1d(frame.zero_point)
        values = (codes - zero_points[group % len(zero_points)]).astype(np.float32)
    if frame.scales is not None:
        scales = as_f32(frame.scales)[group, 0]
        if frame.second_scale:
            scales = scales * np.frombuffer(frame.second_scale, NUMPY["f32"])
        values = values * scales
    return rounded(values, frame.dtype)


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """Each value rounded once, to nearest even."""
    exact = values.astype(np.float64)
    if dtype != "bf16":
        return exact.astype(NUMPY[dtype])
    # ml_dtypes goes to bfloat16 by way of float32: rounded to odd there, nothing is rounded twice.
    single = exact.astype(np.float32)
    beyond = np.abs(single.astype(np.float64)) > np.abs(exact)
    single[beyond] = np.nextafter(single[beyond], np.float32(0))
    inexact = (single.astype(np.float64) != exact) & ~np.isnan(exact)
    return (single.view(np.uint32) | inexact).view(np.float32).astype(ml_dtypes.bfloat16)


def same_values(found: bytes, expected: np.ndarray) -> bool:
    """Bit-equal, but that any NaN is as good as another."""
    array = np.frombuffer(found, expected.dtype)
    nan = np.isnan(expected.astype(np.float64))
    unsigned = f"<u{expected.itemsize}"
    return bool(
        np.array_equal(np.isnan(array.astype(np.float64)), nan)
        and np.array_equal(array.view(unsigned)[~nan], expected.view(unsigned)[~nan])
    )


def expected_tensor(frame: Frame, dtype: str) -> bytes | np.ndarray:
    """All elements: bytes where they are kept as they are, else numbers."""
    stored = list(frame.stored)
    if frame.kind in ELEMENT_KINDS and not frame.stored_dtype:
        size = ITEM_SIZES[frame.dtype]
        elements = [bytes(size)] * frame.size if frame.delta is None else frame.delta.elements(size)
        for index, element in zip(stored, frame.elements, strict=True):
            elements[index] = element
        content = b"".join(elements)
        if dtype == frame.dtype:
            return content
        numbers = rounded(np.frombuffer(content, NUMPY[frame.dtype]), dtype)
        if frame.delta is None:  # e8m0 has no zero: what is not stored is 0 in the output type
            numbers[np.setdiff1d(np.arange(frame.size), stored)] = 0
        return numbers
    values = rounded(expected_values(frame), dtype)
    dense = np.zeros(frame.size, NUMPY[dtype])
    dense.view(f"u{dense.itemsize}")[stored] = values.view(f"u{dense.itemsize}")
    return dense


@given(frames(), coders(), st.sampled_from([None, "f32", "f16", "bf16", "f64"]))
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_decodes_what_was_written(frame, coder, dtype):
    if frame.dtype not in NUMPY:
        dtype = None
    tensor = decode(write_frame(frame, coder), dtype, base=frame.delta and frame.delta.base)
    assert tensor.shape == frame.dims
    assert tensor.dtype == (dtype or frame.dtype)
    expected = expected_tensor(frame, tensor.dtype)
    if isinstance(expected, bytes):
        assert tensor.data == expected
    else:
        assert same_values(tensor.data, expected)


@given(st.data(), st.integers(1, 16))
def test_every_coding_gives_its_symbols_back(data, width):
    symbols = data.draw(symbol_lists(width))
    for name in legal_codings(symbols, width):
        reader = Reader(write_stream(symbols, width, name), True)
        assert Stream(reader, len(symbols), width, ~0).symbols() == symbols
        assert reader.left == 0


@given(complete_lengths(), st.booleans())
def test_huffman_accepts_complete_lengths_with_and_without_runs(lengths, runs):
    table = bytes([len(lengths) - 1]) + pack_nibbles(length_nibbles(lengths, runs))
    assert read_lengths(Reader(table, True), 8) == lengths
    symbols = [symbol for symbol, length in enumerate(lengths) if length] * 2
    assert huffman(huffman_body(symbols, lengths, runs), len(symbols), 8) == symbols


@given(incomplete_lengths())
def test_huffman_refuses_incomplete_and_oversubscribed_lengths(lengths):
    table = bytes([len(lengths) - 1]) + pack_nibbles(length_nibbles(lengths))
    with pytest.raises(Corrupt):
        read_lengths(Reader(table, True), 8)


@given(st.floats(width=64), st.sampled_from(["f32", "f16", "bf16", "f64"]))
@pytest.mark.filterwarnings("ignore:overflow")
def test_rounds_to_nearest_even(value, dtype):
    assert same_values(element_of(value, dtype), rounded(np.array([value]), dtype))


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("dtype", ["f16", "bf16", "f8e4m3", "f8e5m2", "e8m0"])
def test_every_small_float_has_its_value(dtype):
    size = ITEM_SIZES[dtype]
    for bits in range(1 << 8 * size):
        element = bits.to_bytes(size, "little")
        expected = float(np.frombuffer(element, NUMPY[dtype]).astype(np.float64)[0])
        found = float_of(element, dtype)
        assert found == expected or (math.isnan(found) and math.isnan(expected))
        assert math.copysign(1, found) == math.copysign(1, expected) or math.isnan(found)


@given(valid_frames(), st.data())
def test_every_prefix_is_truncated_and_every_extension_corrupt(frame, data):
    with pytest.raises(Truncated):
        decode(frame[: data.draw(st.integers(0, len(frame) - 1))])
    with pytest.raises(Corrupt):
        decode(frame + b"\0")


@given(corrupted_frames())
def test_damage_behind_the_checksum_is_an_error_or_a_whole_tensor(frame):
    try:
        tensor = decode(frame, max_bytes=1 << 20, base=base_of(frame))
    except FormatError:
        return
    size = ITEM_SIZES[tensor.dtype] * math.prod(tensor.shape)
    assert len(tensor.data) == size


def test_a_tensor_larger_than_the_reader_allows_is_refused():
    frame = write_frame(Frame("u8", "bytes", "dense", (10,), range(10), [b"a"] * 10))
    assert decode(frame, max_bytes=10).data == b"a" * 10
    with pytest.raises(Limit):
        decode(frame, max_bytes=9)


BYTE = write_frame(Frame("u8", "bytes", "dense", (1,), range(1), [b"x"]))


def test_pack_gives_what_stands_under_each_name():
    floats = [struct.pack("<f", value) for value in (1.5, 2, 3 + 2**-20)]
    frame = write_frame(Frame("f32", "bytes", "dense", (3,), range(3), floats))
    two, one = ("first", frame, (2,)), ("next", (1, 1))
    names = [(b"a", two), ("ä".encode(), one), (b"tied", ("same", b"a"))]
    names += [(b"half", ("converted", "f16", "ä".encode())), (b"text", ("attached", BYTE))]
    entries = read_pack(write_pack([(b"", BYTE), *names]))
    found = {name: decode_entry(entries, name) for name in entries}
    assert found[""].data == found["text"].data == b"x"
    assert found["a"] == found["tied"] == Tensor("f32", (2,), floats[0] + floats[1])
    assert found["ä"] == Tensor("f32", (1, 1), floats[2])
    assert found["half"] == Tensor("f16", (1, 1), struct.pack("<e", 3))


def test_a_name_may_stand_for_a_tensor_of_the_file_around_the_pack():
    pack = write_pack([(b"tied", ("same", b"embedding"))])
    with pytest.raises(Corrupt):
        read_pack(pack)
    embedding = Tensor("u8", (2,), b"ab")
    assert decode_entry(read_pack(pack, {"embedding": embedding}), "tied") == embedding


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("safetensors/ordinary.safetensors", "bias: f32 [3]: 0.5 -2 3"),
        ("safetensors/frame_and_pack.safetensors", "weight: u8 [3]: 7 8 9"),
        ("pack.qcodec", "of one: f32 []: 6"),
        ("notes.frame", "notes.frame: u8 [3]: 97 98 99"),
    ],
)
def test_the_command_prints_the_tensors_of_any_file(name, line, capsys):
    assert main([str(GOLDEN / "0.1.0" / name)]) == 0
    assert line in capsys.readouterr().out.splitlines()
