"""Frames and packs that break one rule each; their lengths and CRCs are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reference.conventions import crc32c
from reference.head import VERSION
from tests.writers.delta_writer import Delta
from tests.writers.frame_writer import (
    Frame,
    assemble,
    assemble_pack,
    write_frame,
    write_pack,
    write_parts,
)
from tests.writers.stream_writer import stream_of, vu

from .broken_copies import broken_copies
from .broken_edges import broken_edges, broken_inputs
from .broken_planes import broken_planes
from .broken_streams import broken_streams
from .damage import (
    AFFINE,
    BYTES,
    CHUNKED,
    CODEBOOK,
    CSR,
    GAPS,
    MASK,
    SCALES,
    Broken,
    with_chunk,
    with_dims,
    with_field,
    with_parameters,
)
from .valid import f32


def broken_files() -> Iterator[Broken]:
    """(name, bytes, kind of error) of every broken file."""
    for name, data, kind in (
        *_fields(),
        *_lengths(),
        *_parameters(),
        *_coded_parameters(),
        *_lengths_of_groups(),
        *_chunk_layout(),
        *_notes(),
        *_positions(),
        *broken_streams(),
        *_delta(),
        *broken_planes(),
        *broken_copies(),
        *broken_edges(),
    ):
        yield f"{name}.frame", data, kind
    for name, data, kind in (*_packs(), *broken_inputs()):
        yield f"pack_{name}.qcodec", data, kind


def _fields() -> Iterator[Broken]:
    yield "magic_first_byte", with_field(BYTES, 0, 0x44), "corrupt"
    yield "magic_second_byte", with_field(BYTES, 1, 0x44), "corrupt"
    for version in (0, 1, 0x80, 0x82):
        yield f"version_{version}", with_field(BYTES, 2, version), "unsupported"
    for flag in (0x40, 0x80):
        yield f"reserved_flag_{flag}", with_field(BYTES, 3, flag), "unsupported"
    yield "positions_7", with_field(BYTES, 3, 7 << 1), "unsupported"
    fields = write_parts(BYTES).fields
    for feature in (31, 55):
        later = replace(write_parts(BYTES), fields=fields[:4] + vu(2 | 1 << feature) + fields[5:])
        yield f"feature_{feature}", assemble(later), "unsupported"
    yield "dtype_255", with_field(BYTES, 5, 255), "unsupported"
    yield "kind_15", with_field(BYTES, 6, 15 << 4 | 1), "unsupported"
    yield "nine_dims", with_dims(bytes([1] * 9), 9), "unsupported"
    yield "fifteen_dims", with_dims(bytes([1] * 15), 15), "unsupported"
    yield "dims_too_large", with_dims(vu(2**27) * 2, 2), "limit"
    yield "dims_too_large_behind_a_zero", with_dims(vu(0) + vu(2**55), 2), "limit"
    yield "dim_not_in_shortest_form", with_dims(b"\x83\x00", 1), "corrupt"
    yield "dim_of_nine_bytes", with_dims(b"\x80" * 8 + b"\1", 1), "corrupt"
    yield "affine_of_integers", with_field(AFFINE, 5, 4), "unsupported"
    yield "codebook_of_float8", with_field(CODEBOOK, 5, 13), "unsupported"
    yield "raw_scaled", with_field(BYTES, 3, 1 << 4), "unsupported"
    yield "csr_without_dims", with_field(replace(BYTES, dims=()), 3, 3 << 1), "corrupt"
    scalar = replace(CSR, dims=(), stored=[0], elements=[b"\7"])
    yield "csr_of_a_scalar", write_frame(scalar), "corrupt"


def _lengths() -> Iterator[Broken]:
    whole = write_frame(BYTES)
    yield "cut", whole[:-1], "truncated"
    yield "longer", whole + b"\0", "corrupt"
    yield "body_without_room_for_its_crc", write_parts(BYTES).fields + b"\3abc", "corrupt"
    yield "crc", whole[:-1] + bytes([whole[-1] ^ 1]), "checksum"
    many = replace(BYTES, dims=(2**22 + 1,), stored=[], elements=[])
    yield "too_many_elements_in_one_chunk", with_chunk(many, b"\0\1\7"), "unsupported"
    flipped = whole[:3] + bytes([whole[3] ^ 0x40]) + whole[4:]
    yield "crc_before_the_meaning_of_flags", flipped, "checksum"


def _parameters() -> Iterator[Broken]:
    # Without a stream, which would have the wrong width too.
    empty = {"dims": (0,), "stored": [], "elements": [], "chunk_elements": 256}
    for width in (0, 17):
        affine, gaps = bytes([width, 0, 0]), bytes([width])
        kind = "unsupported" if width else "corrupt"
        yield f"width_{width}", with_parameters(replace(AFFINE, **empty), affine), kind
        yield f"gap_width_{width}", with_parameters(replace(GAPS, **empty), gaps), kind
    yield "zero_mode_2", with_parameters(AFFINE, b"\2\2\0"), "unsupported"
    yield "zero_points_without_scales", with_parameters(AFFINE, b"\2\1"), "corrupt"
    yield "zero_point_65536", with_parameters(AFFINE, b"\2\0" + vu(65536)), "corrupt"
    book = write_parts(CODEBOOK).parameters
    yield "codebook_dtype_3", with_parameters(CODEBOOK, b"\2\3" + book[2:]), "unsupported"
    yield "books_0", with_parameters(CODEBOOK, b"\2\0\0" + book[3:]), "corrupt"
    yield "floats_4", with_parameters(CODEBOOK, book[:3] + b"\4" + book[4:]), "unsupported"
    huge = b"\2\0" + vu(2**55) + b"\1\0"
    yield "books_beyond_the_body", with_parameters(CODEBOOK, huge), "corrupt"
    overflowing = b"\xff\0" + vu(2**54) + b"\1\0"  # 256 entries of 4 bytes: 2^64 in all
    eight_bits = replace(CODEBOOK, width=8)
    yield "books_whose_bytes_overflow", with_parameters(eight_bits, overflowing), "corrupt"
    scaled = replace(AFFINE, scales=SCALES)
    for name, scale, kind in (
        ("dtype_3", b"\3\1\1\0", "unsupported"),
        ("count_0", b"\0\1\0\0", "corrupt"),
        ("dtype_128", b"\x80\1\1\0", "unsupported"),
        ("dtype_3_and_second", b"\x43" + f32(1) + b"\1\1\0", "unsupported"),
        ("count_beyond_the_body", b"\0\1" + vu(2**55) + b"\0", "corrupt"),
    ):
        yield f"scale_{name}", with_parameters(scaled, b"\2\0\0" + scale + f32(1)), kind
    yield "second_scale_cut", with_parameters(scaled, b"\2\0\0\x40\0\0", 0), "corrupt"


def _lengths_of_groups() -> Iterator[Broken]:
    scaled, books = replace(AFFINE, scales=SCALES), CODEBOOK
    for name, lengths in (
        ("of_none", b"\0\4"),
        ("too_many", b"\3\2"),
        ("too_few", b"\1\2"),
        ("cut", b"\4"),
        ("beyond_all", b"\1" + vu(2**55)),
    ):
        scales = b"\2\0\0" + b"\0\0\2" + lengths + b"\0" + f32(1, 2)
        yield f"scale_lengths_{name}", with_parameters(scaled, scales), "corrupt"
        entries = b"\2\0\2" + b"\0" + lengths + b"\0" + f32(0, 1, -1) * 2
        yield f"book_lengths_{name}", with_parameters(books, entries), "corrupt"


def _coded_parameters() -> Iterator[Broken]:
    def codebook(mode: int, body: bytes) -> bytes:
        parts = write_parts(CODEBOOK)  # three entries of f32
        fields = bytearray(parts.fields)
        fields[4] = 0b1001111
        parameters = b"\2\0\1" + bytes([mode]) + vu(len(body)) + body
        return assemble(replace(parts, fields=bytes(fields), parameters=parameters))

    fields = b"\0"  # no mantissa bits, base exponent 0, no escapes
    zeros, no_deltas, in_order = b"\0\1\0", b"\0\1\0", b"\0\1\0"
    split = stream_of(6, b"\0\3\0\3" + zeros)
    one_bit = b"\0\1\1"  # all deltas are 1
    for name, mode, body in (
        ("planes_too_few", 1, fields + zeros * 3),
        ("planes_too_many", 1, fields + zeros * 5),
        ("planes_without_fields", 1, zeros * 4),
        ("planes_split", 1, fields + zeros * 3 + split),
        ("planes_of_wrong_length", 1, fields + zeros * 3 + b"\1\2ab"),
        ("deltas_empty", 2, b""),
        ("deltas_length_33", 2, b"\0\1\x21" + bytes(12)),
        ("deltas_bits_missing", 2, b"\0\1\2"),
        ("deltas_bits_cut", 2, b"\0\1\4\1"),
        ("deltas_bytes_after", 2, no_deltas + b"\0"),
        ("deltas_bits_after", 2, b"\0\1\2\x08"),
        ("deltas_split", 2, split),
        ("permuted_without_order", 3, no_deltas),
        ("permuted_beyond_those_left", 3, one_bit + b"\0\1\1"),
        ("permuted_split", 3, no_deltas + split),
        ("permuted_bytes_after", 3, no_deltas + in_order + b"\0"),
    ):
        kind = "unsupported" if name.endswith("_split") else "corrupt"
        yield f"floats_{name}", codebook(mode, body), kind
    yield "floats_beyond_the_body", with_parameters(CODEBOOK, b"\2\0\1\2\x7f\0\1\0"), "corrupt"
    yield "floats_without_a_feature", with_parameters(CODEBOOK, b"\2\0\1\2\3" + zeros), "corrupt"
    yield "floats_coding_60", codebook(2, b"\x3c\1\0"), "unsupported"
    scaled = replace(AFFINE, scales=SCALES)
    many = b"\2\0" + vu(86) + b"\1\2\3" + no_deltas  # 258 values
    yield "floats_more_than_may_be_coded", with_parameters(CODEBOOK, many), "corrupt"
    planes = b"\0\1" + vu(257) + b"\1\x0d" + fields + zeros * 4  # all of them are there
    yield (
        "scales_more_than_may_be_coded",
        with_parameters(scaled, b"\2\0\0" + planes, 3),
        "corrupt",
    )
    # 256 entries whose deltas have 31 bits each: a kilobyte behind the end, if nobody looks.
    all_missing = b"\xff\0\1\2\3\0\1\x20"
    wide = replace(CODEBOOK, width=8)
    yield "floats_deltas_all_bits_missing", with_parameters(wide, all_missing, 3), "corrupt"
    start = b"\2\1\0\1\1\0" + f32(1)  # one scale, and one zero point
    for name, body, kind in (
        ("cut", b"\0\1", "corrupt"),
        ("coded_cut", b"\1\7" + zeros * 2, "corrupt"),
        ("coded_too_long", b"\1\7" + zeros * 2 + b"\0", "corrupt"),
        ("of_one_plane", b"\1\3" + zeros, "corrupt"),
        ("mode_4", b"\4\1\0", "unsupported"),
    ):
        yield f"zero_points_{name}", with_parameters(scaled, start + body, 3), kind


def _chunk_layout() -> Iterator[Broken]:
    parts = write_parts(CHUNKED)
    for few in (0, 255):
        small = replace(
            parts, chunk_elements=vu(few), chunks=parts.chunks + parts.chunks[: few // 255]
        )
        yield f"chunk_elements_{few}", assemble(small), "corrupt"
    too_many = replace(parts, chunk_elements=vu(2**22 + 1), chunks=(b"\0\1\7",))
    yield "chunk_elements_too_many", assemble(too_many), "unsupported"
    rows = write_parts(replace(CSR, dims=(100, 3), chunk_elements=258))
    yield "csr_with_broken_rows", assemble(replace(rows, chunk_elements=vu(256))), "corrupt"
    for name, length in (("without_room_for_the_crc", 3), ("beyond_the_body", 10)):
        body = vu(length) + bytes(9)
        yield f"shared_length_{name}", parts.fields + vu(len(body)) + body, "corrupt"
    yield "a_byte_behind_the_directory", _with_shared_byte(), "corrupt"
    yield "a_chunk_missing", assemble(replace(parts, chunks=parts.chunks[:1])), "corrupt"
    whole = assemble(parts)
    yield "crc_of_a_chunk", whole[:-1] + bytes([whole[-1] ^ 1]), "checksum"
    head = len(whole) - sum(map(len, parts.chunks))
    spoilt = whole[: head - 1] + bytes([whole[head - 1] ^ 1]) + whole[head:]
    yield "crc_of_the_head", spoilt, "checksum"
    for name, change in (("more", 1), ("less", -1)):
        yield f"chunk_lengths_{name}", _with_first_length(whole, head, change), "corrupt"


def _with_shared_byte() -> bytes:
    """A chunked frame without chunks, and a byte between its empty directory and the CRC."""
    empty = write_parts(replace(CHUNKED, dims=(0,), stored=[], elements=[]))
    shared = empty.chunk_elements + b"\0"
    body = vu(len(shared) + 4) + shared
    start = empty.fields + vu(len(body) + 4) + body
    return start + crc32c(start).to_bytes(4, "little")


def _notes() -> Iterator[Broken]:
    for name, notes in (
        ("beyond_the_body", b"\x50"),
        ("id_cut", b"\1\x80"),
        ("length_missing", b"\1\4"),
        ("longer_than_all", b"\2\4\1"),
        ("id_twice", b"\4\4\0\4\0"),
        ("ids_that_descend", b"\4\5\0\4\0"),
        ("padding_twice", b"\4\0\0\0\0"),
        ("crc_of_three_bytes", b"\5\1\3abc"),
        ("sha256_of_31_bytes", b"\x21\2\x1f" + bytes(31)),
    ):
        parts = write_parts(replace(BYTES, notes=[]))
        yield f"notes_{name}", assemble(replace(parts, notes=notes)), "corrupt"


def _with_first_length(whole: bytes, head: int, change: int) -> bytes:
    """The length of the first of two chunks changed, and the head's CRC with it."""
    start = bytearray(whole[: head - 4])
    start[-16] += change
    return bytes(start) + crc32c(bytes(start)).to_bytes(4, "little") + whole[head:]


def _positions() -> Iterator[Broken]:
    values = b"\1\3abc"
    yield "entries_beyond_the_elements", with_chunk(GAPS, vu(10) + b"\0\1\0\0\1\0"), "corrupt"
    yield "gap_beyond_the_end", with_chunk(GAPS, b"\3\0\1\3" + values), "corrupt"
    yield "mask_with_too_few_bits", with_chunk(MASK, b"\3\1\2\3\0" + values), "corrupt"
    yield "mask_with_too_many_bits", with_chunk(MASK, b"\3\1\2\x0f\0" + values), "corrupt"
    yield "mask_bit_beyond_the_end", with_chunk(MASK, b"\3\1\2\3\4" + values), "corrupt"
    no_gaps = b"\0\1\0"
    # Row counts of 2 bits, bitpacked: 3 0 0; 1 1 1; 1 1 0.
    yield "csr_row_with_too_many", with_chunk(CSR, b"\2\1\1\3" + no_gaps + b"\1\2ab"), "corrupt"
    yield "csr_row_too_many", with_chunk(CSR, b"\2\1\1\x15" + no_gaps + b"\1\2ab"), "corrupt"
    yield "csr_rows_with_too_few", with_chunk(CSR, b"\3\1\1\5" + no_gaps + values), "corrupt"
    # One entry per row; the first gap is 3, which reaches into the second row.
    gaps = b"\1\2\3\0"
    yield "csr_gap_beyond_the_row", with_chunk(CSR, b"\3\0\1\1" + gaps + values), "corrupt"


def _delta_frame() -> Frame:
    """Symbols 4 2 7 and an escape; 3, 4 and 3 low bits: the example of docs/format.md."""
    elements = [f32(1 + 19 / 2**23), f32(0.5 + 40 / 2**24), f32(1.5 - 21 / 2**23), f32(-0.25)]
    delta = Delta(f32(1, 0.5, 1.5, 0.25), 130, (2, 2))
    return Frame("f32", "delta", "dense", (2, 2), range(4), elements, delta=delta)


def _delta() -> Iterator[Broken]:
    frame = _delta_frame()
    elements = frame.elements
    symbols, low, escapes = b"\1\4\4\2\7\xff", b"\1\2\xc3\1", b"\1\4" + elements[3]
    for name, chunk, kind in (
        ("low_bytes_beyond_the_elements", b"\x0d\1" + symbols + low + escapes, "corrupt"),
        ("escapes_beyond_the_elements", b"\2\5" + symbols + low + escapes, "corrupt"),
        ("low_bits_that_end", b"\1\1" + symbols + b"\1\1\xc3" + escapes, "corrupt"),
        ("low_bits_left_over", b"\3\1" + symbols + b"\1\3\xc3\1\0" + escapes, "corrupt"),
        ("bits_behind_the_low_bits", b"\2\1" + symbols + b"\1\2\xc3\5" + escapes, "corrupt"),
        ("escapes_that_end", b"\2\0" + symbols + low + b"\1\0", "corrupt"),
        ("escapes_left_over", b"\2\2" + symbols + low + b"\1\x08" + elements[3] * 2, "corrupt"),
        ("low_bits_of_none", b"\2\0" + b"\0\1\xff" + low + b"\1\0", "corrupt"),
        ("bytes_after", b"\2\1" + symbols + low + escapes + b"\0", "corrupt"),
        ("coding_60", b"\2\1" + symbols + low + b"\x3c\0", "unsupported"),
    ):
        yield f"delta_{name}", with_chunk(frame, chunk, 63), kind
    for name, at, value in (("width", 10, 0), ("height", 11, 0), ("step", 9, 0x20)):
        parameters = bytearray(write_parts(frame).parameters)
        parameters[at] = value
        yield f"delta_{name}", with_parameters(frame, bytes(parameters)), "corrupt"
    yield "delta_scaled", with_field(frame, 3, 16), "unsupported"
    yield "delta_csr", with_field(frame, 3, 6), "unsupported"
    yield "delta_copies", with_field(frame, 3, 10), "unsupported"
    yield "delta_mask_with_a_filter", with_field(frame, 3, 4), "corrupt"
    masked = replace(frame, positions="mask", stored=[1, 2], elements=elements[1:3])
    masked = replace(masked, delta=replace(frame.delta, filter=(1, 1)))
    three_escapes = b"\2\1\1\6\0\3" + write_parts(masked).chunks[0][6:]
    yield "delta_more_escapes_than_changes", with_chunk(masked, three_escapes, 63), "corrupt"
    yield "delta_u32", with_field(frame, 5, 8), "corrupt"


def _packs() -> Iterator[Broken]:
    frame = write_frame(BYTES)
    whole = write_pack([(b"a", frame)])
    yield "magic", b"QR" + whole[2:], "corrupt"
    for version in (0, 1):
        yield f"version_{version}", whole[:2] + bytes([version]) + whole[3:], "unsupported"
    yield "flags", whole[:3] + b"\1" + whole[4:], "unsupported"
    yield "crc_of_the_table", whole[:12] + bytes([whole[12] ^ 1]) + whole[13:], "checksum"
    yield "table_cut", whole[:10], "truncated"
    yield "cut", whole[:-1], "truncated"
    yield "longer", whole + b"\0", "corrupt"
    yield "table_of_two_dims", _pack_with_table(replace(BYTES, dims=(1, 3))), "corrupt"
    yield "table_of_i8", _pack_with_table(replace(BYTES, dtype="i8")), "corrupt"
    yield "table_of_nothing", assemble_pack(b"", []), "corrupt"
    yield "count_beyond_the_bytes", assemble_pack(vu(2) + b"\0\0\1", [b"x"]), "corrupt"
    yield "bytes_behind_the_entries", assemble_pack(b"\0\0", []), "corrupt"
    yield "entry_cut", assemble_pack(b"\1\1a", []), "corrupt"
    one = b"\1\1a"
    yield "role_6", assemble_pack(one + b"\6\1", [b"x"]), "unsupported"
    yield "frame_of_no_bytes", assemble_pack(one + b"\0\0", []), "corrupt"
    yield "attached_frame_of_no_bytes", assemble_pack(one + b"\5\0", []), "corrupt"
    yield "converted_to_dtype_80", assemble_pack(one + b"\4\x50\0", []), "unsupported"
    i8_of_u8 = [(b"a", frame), (b"b", ("converted", "i8", b"a"))]
    yield "converted_to_another_integer", write_pack(i8_of_u8), "corrupt"
    yield from _names(frame)
    yield from _parts(frame)
    yield "frame_lengths_that_overflow", _overflowing_pack(), "truncated"


def _names(frame: bytes) -> Iterator[Broken]:
    a = (b"a", frame)
    for name, entries in (
        ("name_twice", [a, a]),
        ("name_not_utf8", [(b"\xc0\x80", frame)]),
        ("name_with_a_surrogate", [(b"\xed\xa0\x80", frame)]),
        ("name_too_long", [(b"a" * 1025, frame)]),
        ("target_not_utf8", [a, (b"b", ("same", b"\xff"))]),
        ("target_too_long", [a, (b"b", ("same", b"a" * 1025))]),
        ("same_as_itself", [a, (b"b", ("same", b"b"))]),
        ("same_as_another_name", [a, (b"b", ("same", b"a")), (b"c", ("same", b"b"))]),
        (
            "same_as_what_is_converted",
            [a, (b"b", ("converted", "f16", b"a")), (b"c", ("same", b"b"))],
        ),
        ("same_as_what_is_attached", [(b"a", ("attached", frame)), (b"b", ("same", b"a"))]),
    ):
        yield name, write_pack(entries), "corrupt"


def _parts(frame: bytes) -> Iterator[Broken]:
    a, rest = (b"a", frame), (b"d", ("next", (1,)))
    yield "next_part_at_the_start", write_pack([rest]), "corrupt"
    yield "next_part_behind_a_whole_frame", write_pack([a, rest]), "corrupt"
    same = (b"s", ("same", b"a"))
    parted = (b"p", ("first", frame, (1,)))
    yield "next_part_behind_another_name", write_pack([a, parted, same, rest]), "corrupt"
    yield (
        "next_part_behind_what_is_attached",
        write_pack([(b"a", ("attached", frame)), rest]),
        "corrupt",
    )
    yield "part_of_nine_dims", write_pack([(b"a", ("first", frame, (1,) * 9))]), "unsupported"
    yield "part_too_large", write_pack([(b"a", ("first", frame, (2**28, 2**28)))]), "limit"
    large = (b"a", ("first", frame, (2**55,))), (b"b", ("next", (2**55,))), (b"c", ("next", ()))
    yield "parts_too_large", write_pack(large), "limit"
    yield "part_beyond_its_frame", write_pack([(b"a", ("first", frame, (4,)))]), "corrupt"
    delta = write_frame(_delta_frame())
    yield "part_of_kind_delta", write_pack([(b"a", ("first", delta, (4,)))]), "unsupported"


def _pack_with_table(table: Frame) -> bytes:
    written = write_frame(table)
    return b"QP" + bytes([VERSION, 0]) + vu(len(written)) + written


def _overflowing_pack() -> bytes:
    """Frames whose lengths add up to 2^64, which is 0 in 64 bits."""
    lengths = [2**56 - 1] * 256 + [256]
    content = vu(len(lengths))
    for number, length in enumerate(lengths):
        content += b"\3" + f"{number:03d}".encode() + b"\0" + vu(length)
    return assemble_pack(content, [])
