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
    yield from _contexts()
    yield from _lanes()
    yield from _split()


def _streams() -> Iterator[Broken]:
    yield "coding_60", with_chunk(BYTES, b"\x3c\3abc"), "unsupported"  # reserved for ever
    yield "coding_255", with_chunk(BYTES, b"\xff\3abc"), "unsupported"
    yield "coding_not_among_features", with_chunk(BYTES, b"\0\1\7", features=2), "corrupt"
    yield "no_stream", with_chunk(BYTES, b""), "corrupt"
    yield "stream_beyond_its_chunk", with_chunk(BYTES, b"\1\4abc"), "corrupt"
    yield "stream_that_does_not_fill_its_chunk", with_chunk(BYTES, b"\1\3abc\0"), "corrupt"
    yield "constant_without_symbol", with_chunk(BYTES, b"\0\0"), "corrupt"
    yield "constant_not_in_shortest_form", with_chunk(BYTES, b"\0\2\x81\0"), "corrupt"
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
        kind = "unsupported" if name == "nibble_15" else "corrupt"
        yield f"huffman_{name}", with_chunk(CODEBOOK, stream_of(2, content)), kind
    long = Frame("bool", "bytes", "dense", (256,), range(256), [b"\0"] * 256)
    for name, sizes in (("of_wrong_lengths", "08 08 11"), ("beyond_the_body", "08 08 19")):
        content = bytes.fromhex("01 11" + sizes) + bytes(32)
        yield f"huffman_substreams_{name}", with_chunk(long, stream_of(2, content)), "corrupt"


def _contexts() -> Iterator[Broken]:
    for name, body, kind in (
        ("without_model", b"", "corrupt"),
        ("model_255", b"\xff", "unsupported"),
        ("last_zero", b"\0\1\0", "corrupt"),
        ("unread_bytes", b"\0" + b"\1" * 13, "corrupt"),
        ("zero_before_eight_are_read", b"\0\x55\0", "corrupt"),
    ):
        yield f"contexts_{name}", with_chunk(BYTES, stream_of(3, body)), kind
    # Six symbols, for which nine bytes beyond the body are read, where five would need eight.
    six = replace(BYTES, dims=(6,), stored=range(6), elements=[b"\0"] * 6)
    ninth = with_chunk(six, stream_of(3, b"\0\x55"))
    yield "contexts_ninth_byte_beyond_the_body", ninth, "corrupt"
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    for name, body in (("tree", b"\0"), ("classes", b"\2\4\0\1\x08"), ("neighbours", b"\3")):
        stream = stream_of(3, body)
        yield f"contexts_of_nine_bits_by_{name}", with_chunk(wide, stream), "corrupt"
    for name, body, kind in (
        ("without_fields", b"", "corrupt"),
        ("prior_0", b"\4\0\0\x08", "corrupt"),
        ("memory_3", b"\4\0\1\3", "corrupt"),
        ("memory_11", b"\4\0\1\x0b", "unsupported"),
        ("zero_at_the_end", b"\4\0\1\x08\1\0", "corrupt"),
        ("bytes_after", b"\4\0\1\x08" + b"\1" * 7, "corrupt"),
        *((name, body + b"\1\x08", kind) for name, body, kind in _CLASSES),
    ):
        yield f"classes_{name}", with_chunk(CODEBOOK, stream_of(3, b"\2" + body)), kind
    for name, body, kind in (
        ("without_width", b"\0\2\1\1\x08", "corrupt"),
        ("without_height", b"\2\0\1\1\x08", "corrupt"),
        ("width_beyond_2_22", vu(2**22 + 1) + b"\1\1\1\x08", "corrupt"),
        ("height_beyond_2_22", b"\1" + vu(2**22 + 1) + b"\1\1\x08", "corrupt"),
        ("width_beyond_2_16", vu(2**16 + 1) + b"\1\1\1\x08", "unsupported"),
        ("no_classes", b"\2\2\0\1\x08", "corrupt"),
        ("no_classes_to_the_left", b"\2\2\x40\1\x08", "corrupt"),
        ("neither_left_nor_up", b"\2\2\xc1\1\x08", "unsupported"),
        ("class_without_symbols", b"\2\2\3\1\1\1\x08", "corrupt"),
        ("class_beyond_the_symbols", b"\2\2\2\4\1\x08", "corrupt"),
    ):
        yield f"neighbours_{name}", with_chunk(CODEBOOK, stream_of(3, b"\3" + body)), kind
    six_bits = replace(AFFINE, width=6, elements=[0] * 4)
    sixteen = stream_of(3, b"\3\2\2\x10" + bytes(range(1, 16)) + b"\1\x08")
    yield "neighbours_of_sixteen_classes", with_chunk(six_bits, sixteen), "corrupt"
    octets = replace(AFFINE, width=8, elements=[0] * 4)
    tables = stream_of(3, b"\3\2\2\x08" + bytes(range(1, 8)) + b"\1\x08")
    yield "neighbours_of_many_tables", with_chunk(octets, tables), "corrupt"
    columns = Frame("bool", "bytes", "dense", (2**14 + 1,), (), ())
    many = stream_of(3, b"\2" + vu(2**14 + 1) + b"\x10" + stream_of(0, b"\0") + b"\1\x08")
    yield "classes_of_many_columns", with_chunk(columns, many), "corrupt"


#: Fields of classes of rows and columns: the codes of CODEBOOK are two rows of two, or one of four.
_CLASSES = (
    ("rows_of_none", b"\0\0", "corrupt"),
    ("rows_beyond_the_stream", b"\5\0", "corrupt"),
    ("too_many_classes", b"\4\x25" + stream_of(0, b"\0"), "corrupt"),
    ("class_of_a_column", b"\2\x20\1\1\x0c", "corrupt"),
    ("class_of_a_row", b"\2\2\1\1\x0c", "corrupt"),
    ("map_without_a_feature", b"\2\1\4\0", "corrupt"),
    ("map_in_coding_60", b"\2\1\x3c\0", "unsupported"),
    ("map_by_classes", b"\2\1\3\5\2\2\0\1\x08", "unsupported"),
)


def _lanes() -> Iterator[Broken]:
    # The symbols 7 8 9 of BYTES; the code of 7 is 0, so all padding is 0 bits.
    code = LanesCode((7, 8, 9), (1, 2, 0, 0, 0, 0, 0))
    _, words, _ = lanes_parts([7, 8, 9], code)
    body = assemble_lanes(code, b"", words, b"")
    escaped = replace(code, values=(7, 8), has_escape=True)
    escape = [*words[:-1], 0xC000]  # the last lane has one as padding
    large = replace(code, values=(3, 4, 0x80), low_bits=1)
    halved = LanesCode((3, 4), (2, 0, 0, 0, 0, 0, 0), low_bits=1)
    raw, halves, _ = lanes_parts([7, 8, 9], halved)
    raw = b"\x08" + raw[1:]  # of a fourth symbol
    for name, spoilt, kind in (
        ("without_first_byte", b"", "corrupt"),
        ("states_of_huffman", b"\x10" + body[1:], "unsupported"),
        ("five_low_bits", b"\5" + body[1:], "unsupported"),
        ("six_low_bits", b"\6" + body[1:], "unsupported"),
        ("seven_low_bits_and_an_escape", b"\x0f" + body[1:], "unsupported"),
        ("low_bits_and_an_escape", b"\x09" + body[1:], "corrupt"),
        ("33_classes", b"\0\x20" + body[2:], "corrupt"),
        (
            "escape_alone",
            assemble_lanes(LanesCode((), (1,) + (0,) * 6, 0, True), b"", [], b""),
            "corrupt",
        ),
        ("number_of_codes", body[:2] + b"\2" + body[3:], "corrupt"),
        ("value_too_large", assemble_lanes(large, b"", words, b""), "corrupt"),
        ("incomplete", body[:2] + b"\0\3" + body[4:], "corrupt"),
        ("word_missing", assemble_lanes(code, b"", words[:-1], b""), "corrupt"),
        ("words_after_the_last", assemble_lanes(code, b"", [*words, 0], b""), "corrupt"),
        ("bits_after_the_last", assemble_lanes(code, b"", [*words[:-1], 1], b""), "corrupt"),
        ("words_beyond_the_body", body[:-2], "corrupt"),
        ("bytes_after", body + b"\0", "corrupt"),
        ("padding", assemble_lanes(code, b"", [*words[:-1], 0x8000], b""), "corrupt"),
        ("literal_missing", assemble_lanes(escaped, b"", words, b""), "corrupt"),
        ("literals_after_the_last", assemble_lanes(escaped, b"", words, b"\1\2"), "corrupt"),
        ("padding_by_an_escape", assemble_lanes(escaped, b"", escape, b"\7\7"), "corrupt"),
        ("raw_bits_after_the_last", assemble_lanes(halved, raw, halves, b""), "corrupt"),
    ):
        yield f"lanes_{name}", with_chunk(BYTES, stream_of(4, spoilt), 63), kind
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "lanes_of_nine_bits", with_chunk(wide, stream_of(4, body), 63), "corrupt"
    # Codes of 2 bits in place of bytes.
    narrow = replace(code, values=(1, 2, 3))
    all_low = replace(narrow, values=(0, 0, 0), low_bits=2)
    literal = assemble_lanes(replace(narrow, values=(1, 2), has_escape=True), b"", words, b"\4")
    low = assemble_lanes(all_low, bytes(16), words, b"")
    yield "lanes_literal_too_large", with_chunk(CODEBOOK, stream_of(4, literal), 63), "corrupt"
    yield "lanes_nothing_but_low_bits", with_chunk(CODEBOOK, stream_of(4, low), 63), "corrupt"
    # One class has all states: each stays what it is at first, and the last one has to be 0.
    one = LanesCode((7,), (32,), states=32)
    left = assemble_lanes(one, b"", [0] * 127 + [1 << 11] + [0] * 128, b"")
    short = assemble_lanes(replace(one, counts=(31,)), b"", [0] * 256, b"")
    yield "tans_state_after_the_last", with_chunk(BYTES, stream_of(5, left), 63), "corrupt"
    none = assemble_lanes(replace(one, values=(7, 8), counts=(32, 0)), b"", [0] * 256, b"")
    yield "tans_class_without_states", with_chunk(BYTES, stream_of(5, none), 63), "corrupt"
    yield "tans_counts", with_chunk(BYTES, stream_of(5, short), 63), "corrupt"
    many = assemble_lanes(replace(one, states=512), b"", [0] * 256, b"")
    yield "tans_512_states", with_chunk(BYTES, stream_of(5, many), 63), "unsupported"


def _split() -> Iterator[Broken]:
    # The codes 0 1 2 1 of CODEBOOK, bitpacked; classes: four columns, then two rows of two.
    codes, none = b"\1\1\x64", b"\0\0\1\0"
    for name, body, kind in (
        ("empty", b"", "corrupt"),
        ("substream_of_too_many", b"\4\0\5" + codes, "corrupt"),
        ("substream_that_ends", b"\4\x10\1\1\0\2\1\1\4\2\1\1\4", "corrupt"),
        ("substreams_of_too_few", b"\4\0\3\1\1\x24", "corrupt"),
        ("bytes_after", b"\4\0\4" + codes + b"\0", "corrupt"),
        ("in_a_split", b"\4\0\4\6\6\4\0\4" + codes, "unsupported"),
        ("contexts_within", b"\4\0\4\3\5\2\4\0\1\x08", "unsupported"),
        ("coding_60", b"\4\0\4\x3c\0", "unsupported"),
        *((name, body + b"\4" + codes + none * 2, kind) for name, body, kind in _CLASSES),
    ):
        yield f"split_{name}", with_chunk(CODEBOOK, stream_of(6, body), 0x6F), kind
    wide = replace(AFFINE, width=9, elements=[0] * 4)
    yield "split_of_nine_bits", with_chunk(wide, stream_of(6, b"\4\0\4\0\1\0"), 0x7F), "corrupt"
    planes = replace(BYTES, dtype="i16", kind="planes", elements=[b"\1\2"] * 3)
    twice = stream_of(6, b"\3\0\3\1\3abc")
    yield "split_twice", with_chunk(planes, twice * 2, 0x7F), "unsupported"
    classes = stream_of(3, b"\2\3\0\1\x08")
    yield "split_and_classes", with_chunk(planes, twice + classes, 0x7F), "unsupported"
    missing = stream_of(6, b"\4\0\4" + codes)
    yield "split_without_a_feature", with_chunk(CODEBOOK, missing, 0x40), "corrupt"
