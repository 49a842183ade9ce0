"""The C decoder and the reference agree on streams alone, and on packs."""

from hypothesis import given
from hypothesis import strategies as st

import reference
from qcodec import streams
from qcodec._file.pack import read_pack
from qcodec._io.source import BytesSource
from qcodec.errors import QCodecError
from reference.codings import Stream
from reference.conventions import Reader, crc32c, require
from tests.format.agreement import EagerStream
from tests.writers.frame_writer import write_pack
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

names = st.text(max_size=6).map(str.encode) | st.binary(max_size=3)
entries = st.lists(
    st.tuples(names, st.binary(min_size=1, max_size=20) | st.integers(0, 4)), max_size=6
)


def pack_by_reference(data):
    try:
        return reference.read_pack(data)
    except reference.FormatError as error:
        return kind_of(error)


def pack_by_library(data):
    try:
        pack = read_pack(BytesSource(data))
    except QCodecError as error:
        return error.code
    return {entry.name: data[entry.offset : entry.offset + entry.size] for entry in pack.entries}


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
    whole = write_pack(content)
    frames = b"".join(frame for _, frame in content if isinstance(frame, bytes))
    table = choice.draw(damaged(whole[: len(whole) - len(frames) - 4]))
    data = table + crc32c(table).to_bytes(4, "little") + frames
    assert pack_by_library(data) == pack_by_reference(data)
