"""The C decoder and the reference agree on streams alone, and on packs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import reference
from qcodec import streams
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.dtypes import element_type
from qcodec.errors import QCodecError
from reference.codings import Stream
from reference.conventions import Reader, require
from tests.writers.frame_writer import (
    DTYPES,
    Floats,
    Frame,
    assemble_pack,
    frame_of,
    write_frame,
    write_pack,
)
from tests.writers.strategies import complete_lengths, damaged, incomplete_lengths, symbol_lists
from tests.writers.stream_writer import (
    huffman_body,
    legal_codings,
    length_nibbles,
    pack_nibbles,
    vu,
    write_stream,
)

ANY_CODING = ~0
HUFFMAN = 2

#: If several rules are broken, any of their errors will do.
REFUSED = "refused"


def stream_by_reference(data, count, width):
    try:
        reader = Reader(data, length_is_known=False)  # outside of a chunk nobody declared it
        stream = Stream(reader, count, width, ANY_CODING)
        require(reader.left == 0, "bytes after the stream")
        return stream.symbols()
    except reference.FormatError:
        return REFUSED


def stream_by_library(data, count, width):
    try:
        return streams.decode(data, count, width).tolist()
    except QCodecError:
        return REFUSED


def assert_same_outcome(data, count, width):
    assert stream_by_library(data, count, width) == stream_by_reference(data, count, width)


@given(st.integers(1, 16), st.data())
def test_damaged_streams_have_the_same_outcome(width, choice):
    symbols = choice.draw(symbol_lists(width))
    coding = choice.draw(st.sampled_from(legal_codings(symbols, width)))
    data = choice.draw(damaged(write_stream(symbols, width, coding)))
    count = choice.draw(st.just(len(symbols)) | st.integers(0, 600))
    assert_same_outcome(data, count, width)


@given(st.integers(1, 16), st.integers(0, 6), st.binary(max_size=60), st.integers(0, 600))
def test_any_bytes_as_a_stream_have_the_same_outcome(width, coding, body, count):
    data = bytes([coding]) + vu(len(body)) + body
    assert_same_outcome(data, count, width)


@given(complete_lengths() | incomplete_lengths(), st.booleans(), st.sampled_from([0, 1, 5, 300]))
def test_every_huffman_table_has_the_same_outcome(lengths, runs, count):
    present = [symbol for symbol, length in enumerate(lengths) if length]
    table = bytes([len(lengths) - 1]) + pack_nibbles(length_nibbles(lengths, runs))
    if sum(2**-length for length in lengths if length) == 1:
        symbols = (present * count)[:count]
        body = huffman_body(symbols, lengths, runs)
    else:
        body = table + bytes(count)
    data = bytes([HUFFMAN]) + vu(len(body)) + body
    assert_same_outcome(data, count, 8)


# ---- packs ----

OCTETS = write_frame(Frame("u8", "bytes", "dense", (3,), range(3), [b"a", b"b", b"c"]))
HALVES = write_frame(Frame("f16", "bytes", "dense", (1, 2), range(2), [b"\0\x38", b"\0\xc0"]))
CODED = write_frame(
    Frame(
        "f32", "codebook", "dense", (6,), range(6), [0, 1, 2, 1, 0, 2], width=2,
        codebook=Floats("f16", bytes.fromhex("0000003c00c0"), 1, entries=3),
    )
)  # fmt: skip

names = st.sampled_from([b"", b"a", b"b", b"ab", b"\xc3\xa4", b"\xff"])
right_frames = st.sampled_from([OCTETS, HALVES, CODED])
frames = right_frames | right_frames | st.binary(max_size=20) | right_frames.flatmap(damaged)
dims = st.lists(st.sampled_from([0, 1, 2, 2**28, 2**55]), max_size=3).map(tuple)
small_dims = st.sampled_from([(), (0,), (1,), (2,), (1, 2), (3, 0)])
converted = st.sampled_from(["f32", "f16", "bf16", "i64", "u8"])
stands = (
    frames
    | st.tuples(st.just("first"), frames, dims | small_dims)
    | st.tuples(st.just("next"), dims | small_dims)
    | st.tuples(st.just("same"), names)
    | st.tuples(st.just("converted"), converted, names)
    | st.tuples(st.just("attached"), frames)
)
entries = st.lists(st.tuples(names, stands), max_size=6)


def pack_by_reference(data):
    """By name: the dtype, shape and bytes of what it stands for."""
    try:
        found = reference.read_pack(data)
        tensors = {name: reference.decode_entry(found, name) for name in found}
    except reference.FormatError:
        return REFUSED
    return {name: (it.dtype, it.shape, it.data) for name, it in tensors.items()}


def pack_by_library(data):
    try:
        with TensorFile(BytesSource(data)) as file:
            tensors = file.get_tensors()
            attached = {name: file.get_attached(name) for name in file.attached()}
            tensors |= {name: np.frombuffer(it, np.uint8) for name, it in attached.items()}
    except QCodecError:
        return REFUSED
    return {
        name: (DTYPES[element_type(array.dtype).id], array.shape, array.tobytes())
        for name, array in tensors.items()
    }


@given(entries)
def test_packs_right_or_wrong_have_the_same_outcome(content):
    data = write_pack(content)
    assert pack_by_library(data) == pack_by_reference(data)


@given(entries, st.data())
def test_damaged_packs_have_the_same_outcome(content, choice):
    data = choice.draw(damaged(write_pack(content)))
    assert pack_by_library(data) == pack_by_reference(data)


@given(entries, st.data())
def test_damaged_tables_with_a_right_checksum_have_the_same_outcome(content, choice):
    table = reference.decode(table_of(write_pack(content))).data
    data = assemble_pack(choice.draw(damaged(table)), [frame_of(stands) for _, stands in content])
    assert pack_by_library(data) == pack_by_reference(data)


def table_of(pack):
    """The table's frame; its length takes one byte or two."""
    reader = Reader(pack[4:], length_is_known=True)
    return reader.take(reader.vu("length"), "table")
