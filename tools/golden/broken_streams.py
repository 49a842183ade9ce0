"""Frames with a broken stream, grouped by the coding whose rule it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.writers.frame_writer import (
    Frame,
)
from tests.writers.lanes_stream_writer import LanesCode, lanes_parts
from tests.writers.lanes_stream_writer import assemble as assemble_lanes
from tests.writers.stream_writer import stream_of, vu

from .damage import AFFINE, BYTES, CODEBOOK, Broken, with_chunk


def broken_streams() -> Iterator[Broken]:
    """(name, bytes, kind of error) of every frame, in the order of the codings."""
    yield from _streams()
    yield from _huffman()
    yield from _adaptive()
    yield from _lanes()
    yield from _split()
    yield from _contexts()


def _streams() -> Iterator[Broken]:
    yield "coding_8", with_chunk(BYTES, b"\x08\3abc"), "unsupported"
    yield "coding_255", with_chunk(BYTES, b"\xff\3abc"), "unsupported"
    yield "coding_not_among_features", with_chunk(BYTES, b"\0\1\7", features=2), "corrupt"
    yield "no_stream", with_chunk(BYTES, b""), "corrupt"
    yield "stream_beyond_its_chunk", with_chunk(BYTES, b"\1\4abc"), "corrupt"
    yield "stream_that_does_not_fill_its_chunk", with_chunk(BYTES, b"\1\3abc\0"), "corrupt"
    yield "constant_too_wide", with_chunk(BYTES, b"\0\2" + vu(256)), "corrupt"
    yield "constant_with_more_bytes", with_chunk(BYTES, b"\0\2\1\0"), "corrupt"
    yield "packed_too_short", with_chunk(BYTES, b"\1\2ab"), "corrupt"
    yield "packed_too_long", with_chunk(BYTES, b"\1\4abcd"), "corrupt"
    boolean = replace(BYTES, dtype="bool", elements=[b"\0"] * 3)
    yield "packed_with_bits_after_the_last", with_chunk(boolean, b"\1\1\x08"), "corrupt"
    yield "code_beyond_the_codebook", with_chunk(CODEBOOK, b"\1\1\xc0"), "corrupt"


def _huffman() -> Iterator[Broken]:
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "huffman_of_nine_bits", with_chunk(wide, b"\2\3\1\x11\0"), "corrupt"
    # CODEBOOK has four codes of 2 bits; two symbols of length 1 are the nibbles 1 1.
    for name, body in (
        ("empty", ""),
        ("more_symbols_than_the_width", "04 2222 0000"),
        ("incomplete", "01 21 00"),
        ("oversubscribed", "02 11 01 00"),
        ("one_symbol", "00 01 00"),
        ("nibble_15", "01 1f 00"),
        ("repeat_first", "01 1e 00"),
        ("run_beyond_the_symbols", "03 11 0d 00"),
        ("filling_nibble", "02 21 12 00"),
        ("table_cut", "03 11"),
        ("codes_missing", "01 11"),
        ("codes_too_long", "01 11 00 00"),
        ("bits_after_the_last_code", "01 11 01"),
    ):
        content = bytes.fromhex(body)
        stream = bytes([2, len(content)]) + content
        yield f"huffman_{name}", with_chunk(CODEBOOK, stream), "corrupt"
    long = Frame("bool", "bytes", "dense", (256,), range(256), [b"\0"] * 256)
    content = bytes.fromhex("01 11 08 08 11") + bytes(32)
    stream = bytes([2, len(content)]) + content
    yield "huffman_substreams_of_wrong_lengths", with_chunk(long, stream), "corrupt"


def _adaptive() -> Iterator[Broken]:
    yield "adaptive_without_model", with_chunk(BYTES, b"\3\0"), "corrupt"
    yield "adaptive_model_2", with_chunk(BYTES, b"\3\1\2"), "unsupported"
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "tree_of_nine_bits", with_chunk(wide, b"\3\1\0"), "corrupt"
    yield "adaptive_with_a_last_zero", with_chunk(BYTES, b"\3\3\0\1\0"), "corrupt"
    yield "adaptive_with_unread_bytes", with_chunk(BYTES, b"\3\x0e\0" + b"\1" * 13), "corrupt"


def _lanes() -> Iterator[Broken]:
    # The symbols 7 8 9 of BYTES; the code of 7 is 0, so all padding is 0 bits.
    code = LanesCode((7, 8, 9), (1, 2, 0, 0, 0, 0, 0))
    _, words, _ = lanes_parts([7, 8, 9], code)
    body = assemble_lanes(code, b"", words, b"")
    escaped = replace(code, values=(7, 8), has_escape=True)
    halved = LanesCode((3, 4), (2, 0, 0, 0, 0, 0, 0), low_bits=1)
    raw, halves, _ = lanes_parts([7, 8, 9], halved)
    raw = b"\x08" + raw[1:]  # of a fourth symbol
    for name, spoilt, kind in (
        ("reserved_first_byte", b"\x10" + body[1:], "unsupported"),
        ("33_classes", b"\0\x20" + body[2:], "corrupt"),
        ("incomplete", body[:2] + b"\0\3" + body[4:], "corrupt"),
        ("word_missing", assemble_lanes(code, b"", words[:-1], b""), "corrupt"),
        ("words_after_the_last", assemble_lanes(code, b"", [*words, 0], b""), "corrupt"),
        ("bits_after_the_last", assemble_lanes(code, b"", [*words[:-1], 1], b""), "corrupt"),
        ("padding", assemble_lanes(code, b"", [*words[:-1], 0x8000], b""), "corrupt"),
        ("literal_missing", assemble_lanes(escaped, b"", words, b""), "corrupt"),
        ("literals_after_the_last", assemble_lanes(escaped, b"", words, b"\1\2"), "corrupt"),
        ("raw_bits_after_the_last", assemble_lanes(halved, raw, halves, b""), "corrupt"),
    ):
        yield f"lanes_{name}", with_chunk(BYTES, stream_of(4, spoilt), 63), kind
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "lanes_of_nine_bits", with_chunk(wide, stream_of(4, body), 63), "corrupt"
    # One class has all states: each stays what it is at first, and the last one has to be 0.
    one = LanesCode((7,), (32,), states=32)
    left = assemble_lanes(one, b"", [0] * 127 + [1 << 11] + [0] * 128, b"")
    short = assemble_lanes(replace(one, counts=(31,)), b"", [0] * 256, b"")
    yield "tans_state_after_the_last", with_chunk(BYTES, stream_of(5, left), 63), "corrupt"
    yield "tans_counts", with_chunk(BYTES, stream_of(5, short), 63), "corrupt"
    many = assemble_lanes(replace(one, states=512), b"", [0] * 256, b"")
    yield "tans_512_states", with_chunk(BYTES, stream_of(5, many), 63), "unsupported"


def _split() -> Iterator[Broken]:
    # The codes 0 1 2 1 of CODEBOOK, bitpacked; classes: four columns, then two rows of two.
    codes, none = b"\1\1\x64", b"\0\0\1\0"
    for name, body, kind in (
        ("empty", b"", "corrupt"),
        ("router_2", b"\2", "unsupported"),
        ("rows_of_none", b"\0\0\0\4" + codes, "corrupt"),
        ("rows_beyond_the_stream", b"\0\5\0\4" + codes, "corrupt"),
        ("too_many_substreams", b"\0\4\x25" + b"\4" + codes + none * 17, "corrupt"),
        ("class_of_a_column", b"\0\2\x20\1\1\x0c\4" + codes + none * 2, "corrupt"),
        ("class_of_a_row", b"\0\2\2\1\1\x0c\4" + codes + none * 2, "corrupt"),
        ("kernel_without_rows", b"\1\2\0\0\4" + codes, "corrupt"),
        ("sixteen_classes", b"\1\2\2\x0f\4" + codes, "corrupt"),
        ("class_of_a_symbol", b"\1\2\2\2\1\1\xc0\4" + codes, "corrupt"),
        ("context", b"\1\2\2\x20\1\1\xc0\4" + codes + none * 2, "corrupt"),
        ("substream_of_too_many", b"\0\4\0\5" + codes, "corrupt"),
        ("substream_that_ends", b"\0\4\x10\1\1\0\2\1\1\4\2\1\1\4", "corrupt"),
        ("substreams_of_too_few", b"\0\4\0\3\1\1\x24", "corrupt"),
        ("bytes_after", b"\0\4\0\4" + codes + b"\0", "corrupt"),
        ("in_a_split", b"\0\4\0\4\6\7\0\4\0\4" + codes, "corrupt"),
        ("coding_8", b"\0\4\0\4\x08\0", "unsupported"),
    ):
        yield f"split_{name}", with_chunk(CODEBOOK, stream_of(6, body), 0x7F), kind
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "split_of_nine_bits", with_chunk(wide, stream_of(6, b"\0\4\0\4\0\1\0"), 0x7F), "corrupt"
    planes = replace(BYTES, dtype="i16", kind="planes", elements=[b"\1\2"] * 3)
    twice = stream_of(6, b"\0\3\0\3\1\3abc") * 2
    yield "split_twice", with_chunk(planes, twice, 0x7F), "corrupt"
    missing = stream_of(6, b"\0\4\0\4" + codes)
    yield "split_without_a_feature", with_chunk(CODEBOOK, missing, 0x40), "corrupt"


def _contexts() -> Iterator[Broken]:
    for name, body, kind in (
        ("empty", b"", "corrupt"),
        ("router_2", b"\2", "unsupported"),
        ("rows_beyond_the_stream", b"\0\5\0\1\x08", "corrupt"),
        ("class_of_a_row", b"\0\2\2\1\1\x0c\1\x08", "corrupt"),
        ("kernel_without_rows", b"\1\2\0\1\1\x08", "corrupt"),
        ("no_classes", b"\1\2\2\0\1\x08", "corrupt"),
        ("sixteen_classes", b"\1\2\2\x10", "corrupt"),
        ("class_without_symbols", b"\1\2\2\3\1\1\1\x08", "corrupt"),
        ("class_beyond_the_symbols", b"\1\2\2\2\4\1\x08", "corrupt"),
        ("prior_0", b"\0\4\0\0\x08", "corrupt"),
        ("memory_3", b"\0\4\0\1\3", "corrupt"),
        ("memory_11", b"\0\4\0\1\x0b", "corrupt"),
        ("zero_at_the_end", b"\0\4\0\1\x08\1\0", "corrupt"),
        ("bytes_after", b"\0\4\0\1\x08" + b"\1" * 7, "corrupt"),
    ):
        yield f"contexts_{name}", with_chunk(CODEBOOK, stream_of(7, body), 0xFF), kind
    wide = replace(AFFINE, width=8, elements=[0] * 4)
    inside = b"\0\4\0\4\7\5\0\4\0\1\x08"
    yield "split_contexts_within", with_chunk(CODEBOOK, stream_of(6, inside), 0xFF), "corrupt"
    tables = b"\1\2\2\x08" + bytes(range(1, 8)) + b"\1\x08"
    yield "contexts_of_many_tables", with_chunk(wide, stream_of(7, tables), 0xFF), "corrupt"
