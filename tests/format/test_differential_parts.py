"""The C decoder and the reference agree on streams alone, and on packs."""

from hypothesis import given
from hypothesis import strategies as st

import reference
from qcodec import streams
from qcodec._file.pack import ROLES, read_pack
from qcodec._io.source import BytesSource
from qcodec.errors import QCodecError
from reference.codings import Stream
from reference.conventions import Reader, require
from reference.pack import ROUNDED, SAME
from tests.format.agreement import EagerStream
from tests.writers.frame_writer import assemble_pack, frame_of, write_pack
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


def kind_of(error):
    return type(error).__name__.lower()


def stream_by_reference(data, count, width, kind_of_stream=Stream):
    try:
        reader = Reader(data, length_is_known=False)  # outside of a chunk nobody declared it
        stream = kind_of_stream(reader, count, width, ANY_CODING)
        require(reader.left == 0, "bytes after the stream")
        return stream.symbols()
    except reference.FormatError as error:
        return kind_of(error)


def stream_by_library(data, count, width):
    try:
        return streams.decode(data, count, width).tolist()
    except QCodecError as error:
        return error.code


def assert_same_outcome(data, count, width):
    """The faults of sub-streams may be reported at once, as those of streams (section 1)."""
    found = stream_by_library(data, count, width)
    if found != stream_by_reference(data, count, width):
        assert found == stream_by_reference(data, count, width, EagerStream)


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

#: If several rules are broken, any of their errors will do.
REFUSED = "refused"
BY_NAME_OF_REFERENCE = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

names = st.sampled_from([b"", b"a", b"b", b"ab", b"\xc3\xa4", b"\xff"])
frames = st.binary(min_size=0, max_size=20)
dims = st.lists(st.sampled_from([0, 1, 2, 2**28, 2**55]), max_size=3).map(tuple)
stands = (
    frames
    | st.tuples(st.just("first"), frames, dims)
    | st.tuples(st.just("next"), dims)
    | st.tuples(st.just("same"), names)
    | st.tuples(st.just("rounded"), st.sampled_from(["f32", "f16", "bf16", "f64"]), names)
    | st.tuples(st.just("attached"), frames)
)
entries = st.lists(st.tuples(names, stands), max_size=6)


def pack_by_reference(data):
    try:
        found = reference.read_pack(data)
    except reference.FormatError:
        return REFUSED
    rows = {}
    for name, entry in found.items():
        target = found.get(entry.target) if entry.role in (SAME, ROUNDED) else entry
        frame = target.frame if target else b""
        rounded = BY_NAME_OF_REFERENCE[entry.dtype] if entry.role == ROUNDED else ""
        rows[name] = (ROLES[entry.role], frame, entry.first, entry.dims, rounded)
    return rows


def pack_by_library(data):
    try:
        pack = read_pack(BytesSource(data))
    except QCodecError:
        return REFUSED
    return {
        entry.name: (
            entry.role,
            data[entry.offset : entry.offset + entry.size],
            entry.first,
            entry.shape,
            entry.dtype,
        )
        for entry in pack.entries
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
