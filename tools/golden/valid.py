"""Frames and packs that decode: every row of the format's tables, and combinations of rows.

They are written by tests/writers/frame_writer.py, not by the library, so they also cover forms that
the library's encoder never chooses.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from reference.element_types import float_of
from tests.writers.copies_writer import DIRECTIONS, SIGNS, STEPS, Copies
from tests.writers.frame_writer import (
    DTYPES,
    FLOATS,
    FULL_POSITIONS,
    ITEM_SIZES,
    POSITIONS,
    SCALED,
    Coder,
    Floats,
    Frame,
    write_frame,
    write_pack,
)
from tests.writers.lanes_stream_writer import LanesCode, lanes_body
from tests.writers.planes_writer import BITS, EXPONENT_BITS
from tests.writers.split_stream_writer import Ranges
from tests.writers.stream_writer import (
    CODING_IDS,
    contexts_body,
    deep_lengths,
    legal_codings,
    stream_of,
    write_nested,
    write_stream,
)

#: What the names of files call kinds and positions: they are those of the first release.
FILE_WORDS = {"bytes": "raw", "bit_mask": "bits"}

_SCALE_TYPES = ("f32", "f16", "bf16", "f8e4m3", "e8m0")


#: A frame of one byte.
BYTE = Frame("u8", "bytes", "dense", (1,), range(1), [b"x"])


def coder(coding: str) -> Coder:
    """One coding wherever it can hold the symbols, bitpacked elsewhere."""

    def code(symbols: Sequence[int], width: int) -> bytes:
        name = coding if coding in legal_codings(symbols, width) else "bitpacked"
        return write_stream(symbols, width, name, deep_lengths(symbols))

    return code


def f32(*values: float) -> bytes:
    """Values as a frame stores them."""
    return struct.pack(f"<{len(values)}f", *values)


def valid_files() -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every golden file written by hand."""
    yield from _dtypes()
    yield from _codings()
    yield from _lanes()
    yield from _affine()
    yield from _codebooks()
    yield from _coded_parameters()
    yield from _chunked()
    yield from _shapes()
    yield from _float_planes()
    yield from _scaled_planes()
    yield from _copies()
    yield from _notes()
    yield "pack.qcodec", _pack()
    yield "pack_of_nothing.qcodec", write_pack([])
    yield "pack_table_by_tree.qcodec", write_pack([(b"layer", write_frame(BYTE))], coder("tree"))


def elements_of(dtype: str, count: int) -> list[bytes]:
    """Elements of any bits, the first ones 0, 1, the greatest and the sign alone."""
    size = ITEM_SIZES[dtype]
    random = np.random.default_rng(DTYPES.index(dtype))
    if dtype in BITS:
        return [bytes([bits]) for bits in random.integers(0, 1 << BITS[dtype], count, np.uint8)]
    special = [bytes(size), b"\1" + bytes(size - 1), b"\xff" * size, bytes(size - 1) + b"\x80"]
    return special + [random.bytes(size) for _ in range(count - len(special))]


def _dtypes() -> Iterator[tuple[str, bytes]]:
    codings = list(CODING_IDS)[:5]  # the first ones: so these files never change
    for number, dtype in enumerate(DTYPES):
        for kind in ("bytes", "planes"):
            frame = Frame(dtype, kind, "dense", (7,), range(7), elements_of(dtype, 7))
            yield (
                f"{FILE_WORDS.get(kind, kind)}_{dtype}.frame",
                write_frame(frame, coder(codings[number % len(codings)])),
            )


def _float_planes() -> Iterator[tuple[str, bytes]]:
    for dtype in FLOATS:
        for mantissa_bits in (0, 1, 2, 3, 4):
            if mantissa_bits + EXPONENT_BITS[dtype] < 8:
                continue
            base = (1 << EXPONENT_BITS[dtype]) - 2  # the window goes on behind the greatest
            elements = [*elements_of(dtype, 9), b"\0" * ITEM_SIZES[dtype]]
            frame = Frame(dtype, "planes", "dense", (10,), range(10), elements)
            frame = replace(frame, mantissa_bits=mantissa_bits, base=base)
            yield f"planes_{dtype}_{mantissa_bits}.frame", write_frame(frame)
    stored = [index for index in range(700) if index % 3 == 1]
    elements = [struct.pack("<f", (index % 7 - 3) * 2.0 ** (index % 50)) for index in stored]
    frame = Frame("f32", "planes", "mask", (7, 100), stored, elements, 300)
    frame = replace(frame, mantissa_bits=2, base=120)
    yield "planes_mask_chunked.frame", write_frame(frame, coder("huffman"))


def _numbers(dtype: str, count: int) -> list[bytes]:
    """Elements that are no NaN, whose bits arithmetic may change."""
    no_nan = (e for e in elements_of(dtype, 2 * count) if float_of(e, dtype) == float_of(e, dtype))
    return list(islice(no_nan, count))


def _scaled_planes() -> Iterator[tuple[str, bytes]]:
    scales = Floats("f32", f32(0.1, -1e-40, 3e38), 3, inner=5)
    for dtype in FLOATS:
        for stored_dtype in SCALED:
            frame = Frame(dtype, "planes", "dense", (3, 5), range(15), _numbers(stored_dtype, 15))
            frame = replace(frame, scales=scales, stored_dtype=stored_dtype)
            yield f"planes_scaled_{dtype}_{stored_dtype}.frame", write_frame(frame)
    for positions in POSITIONS[1:-1]:
        frame = _sparse(positions, 600)
        elements = _numbers("f16", len(frame.stored))
        by_row = Floats("f16", bytes.fromhex("003c") * 29 + bytes.fromhex("00bc"), 30, inner=20)
        frame = replace(frame, kind="planes", elements=elements, codebook=None, chunk_elements=260)
        frame = replace(frame, scales=by_row, second_scale=f32(0.3), stored_dtype="f16")
        name = FILE_WORDS.get(positions, positions)
        yield f"planes_scaled_{name}.frame", write_frame(frame, coder("huffman"))
    lengths = Floats("bf16", bytes.fromhex("803f0040"), 2, mode="deltas", lengths=(4, 11))
    frame = Frame("f32", "planes", "dense", (15,), range(15), _numbers("bf16", 15))
    frame = replace(frame, scales=lengths, stored_dtype="bf16")
    yield "planes_scaled_of_any_length.frame", write_frame(frame)


def _sparse(positions: str, size: int = 60) -> Frame:
    """A codebook frame of which a third is stored, fillers among it."""
    stored = [index for index in range(size) if index % 3 == 1 or index % 20 == 0]
    if positions in FULL_POSITIONS:
        stored = list(range(size))
    codes = [index * index % 5 for index in stored]
    book = Floats("f32", f32(0, 0.25, -0.5, 1.5, -3), 1, entries=5)
    dims = (size // 20, 20)
    frame = Frame("f32", "codebook", positions, dims, stored, codes, None, 3, 0, book, gap_width=2)
    return replace(frame, copies=Copies(DIRECTIONS, share=0.5))


def _codings() -> Iterator[tuple[str, bytes]]:
    for positions in POSITIONS:
        for coding in CODING_IDS:
            frame = _sparse(positions)
            if coding == "constant":
                frame = replace(frame, elements=[3] * len(frame.elements))
            yield (
                f"codebook_{FILE_WORDS.get(positions, positions)}_{coding}.frame",
                write_frame(frame, coder(coding)),
            )
    long = _sparse("dense", 260)
    yield "huffman_four_substreams.frame", write_frame(long, coder("huffman"))
    zeros = Frame("u8", "bytes", "dense", (4000,), range(4000), [b"\0"] * 4000)
    yield "contexts_of_zeros.frame", write_frame(zeros, coder("tree"))  # ends with zeros
    rows = [row // 3 % 4 for row in range(5) for _ in range(300)]
    matrix = Frame("f32", "affine", "dense", (5, 300), range(1500), rows, width=2)
    for which in ("both", "left", "up"):
        coded = write_frame(matrix, _by_neighbours(300, 5, which))
        yield f"contexts_neighbours_{which}_of_a_matrix.frame", coded
    octets = [index * index % 251 for index in range(1500)]
    planes = Frame("f32", "affine", "dense", (15, 100), range(1500), octets, width=8)
    firsts = range(4, 252, 4)  # 63 classes
    coded = write_frame(planes, _by_neighbours(200, 8, "up", firsts))
    yield "contexts_neighbours_of_63_classes.frame", coded
    far = Frame("f32", "affine", "gaps", (70000,), [3, 65539, 69999], [1, 5, 40000])
    far = replace(far, width=16, gap_width=16)
    yield "gaps_of_16_bits.frame", write_frame(far, coder("exponent"))


def _by_neighbours(width: int, height: int, which: str, firsts: Sequence[int] = (1,)) -> Coder:
    """Filters of this size, two classes of symbols or more."""
    router = Ranges(width, height, firsts, which)
    return lambda symbols, bits: stream_of(3, contexts_body(symbols, bits, router, write_nested))


#: Codes of 0 to 4 that differ from those of the coder above.
_LANES_CODES = {
    "huffman_escape": LanesCode((0, 1, 2), (1, 1, 2, 0, 0, 0, 0), has_escape=True),
    "huffman_raw_bits": LanesCode((0, 1, 2), (1, 2, 0, 0, 0, 0, 0), low_bits=1),
    "tans_raw_bits_128_states": LanesCode((0, 1), (120, 8), low_bits=2, states=128),
    "tans_32_states": LanesCode((4, 0, 1, 2, 3), (6, 10, 10, 5, 1), states=32),
    "tans_256_states": LanesCode((0, 1, 2, 3, 4), (200, 53, 1, 1, 1), states=256),
    "tans_32_classes": LanesCode((0, 1) + (7,) * 29, (33,) + (1,) * 31, has_escape=True, states=64),
}


def _lanes() -> Iterator[tuple[str, bytes]]:
    for name, code in _LANES_CODES.items():
        yield f"lanes_{name}.frame", write_frame(_sparse("dense", 300), _lanes_coder(code))
    one = LanesCode((2,), (64,), states=64)
    frame = replace(_sparse("dense"), elements=[2] * 60)
    yield "lanes_tans_one_class.frame", write_frame(frame, _lanes_coder(one))


def _lanes_coder(code: LanesCode) -> Coder:
    coding = "lanes_tans" if code.states else "lanes_huffman"
    return lambda symbols, _: stream_of(CODING_IDS[coding], lanes_body(symbols, code))


def _affine() -> Iterator[tuple[str, bytes]]:
    for dtype in FLOATS:
        frame = Frame(dtype, "affine", "dense", (2, 4), range(8), range(8), width=3, zero_point=4)
        yield f"affine_{dtype}.frame", write_frame(frame)
    for dtype in _SCALE_TYPES:
        # 0x38 is a plain number in each of these types.
        scales = Floats(dtype, (bytes(ITEM_SIZES[dtype] - 1) + b"\x38") * 2, 2, inner=4)
        frame = Frame("f32", "affine", "dense", (2, 4), range(8), range(8), width=3, zero_point=4)
        frame = replace(frame, scales=scales, zero_point=[4, 65535])
        yield f"affine_scaled_{dtype}.frame", write_frame(frame)
        second = replace(frame, second_scale=f32(0.3))
        yield f"affine_second_scale_{dtype}.frame", write_frame(second)
    # Nothing here is NaN, and infinity is not multiplied by 0: NaNs may have any sign.
    extremes = f32(float("inf"), -0.0, 1e-45, 3.4e38, 9e-8)
    frame = Frame("f16", "affine", "dense", (10,), range(10), [0, 3] * 5, width=2, zero_point=1)
    scaled = replace(frame, scales=Floats("f32", extremes, 5, inner=2))
    yield "affine_extreme_scales.frame", write_frame(scaled)
    yield "affine_extreme_scales_f32.frame", write_frame(replace(scaled, dtype="f32"))


def _codebooks() -> Iterator[tuple[str, bytes]]:
    for dtype in ("f32", "f16", "bf16"):
        data = (bytes(ITEM_SIZES[dtype] - 1) + b"\x3c") + bytes(ITEM_SIZES[dtype]) * 3
        book = Floats(dtype, data, 2, inner=3, entries=2)
        frame = Frame("bf16", "codebook", "dense", (7,), range(7), [0, 1, 1, 0, 0, 0, 1], width=1)
        yield f"codebook_by_group_{dtype}.frame", write_frame(replace(frame, codebook=book))
    yield from _groups_of_any_length()
    scales = Floats("e8m0", bytes([127, 120, 130]), 3, inner=1)
    nearest = replace(_sparse("mask", 20), dims=(20,), scales=scales)
    yield "codebook_scaled.frame", write_frame(nearest)
    # MXFP4 and NVFP4.
    e2m1 = f32(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6)
    fours = Frame("bf16", "codebook", "dense", (2, 64), range(128), [*range(16)] * 8, width=4)
    fours = replace(fours, codebook=Floats("f32", e2m1, 1, entries=16))
    powers = Floats("e8m0", bytes([120, 127, 118, 130]), 4, inner=32)
    yield "codebook_mxfp4.frame", write_frame(replace(fours, scales=powers))
    eights = Floats("f8e4m3", bytes([0x38, 0x7E, 0x01, 0x42, 0x7D, 0x30, 0x45, 0xB8]), 8, inner=16)
    nvfp4 = replace(fours, scales=eights, second_scale=f32(0.0123))
    yield "codebook_nvfp4.frame", write_frame(nvfp4)
    one = Frame("f64", "codebook", "dense", (3,), range(3), [0, 0, 0], width=1)
    one = replace(one, codebook=Floats("f32", f32(0.1), 1, entries=1))
    yield "codebook_of_one_entry.frame", write_frame(one, coder("constant"))


def _groups_of_any_length() -> Iterator[tuple[str, bytes]]:
    """Groups that have lengths of their own, one of which takes two bytes."""
    lengths = (1, 200, 98, 1)
    book = Floats("f32", f32(0, 1, -1, 0, 2, -2, 0, 3, -3, 0, 4, -4), 4, entries=3, lengths=lengths)
    codes = [index % 3 for index in range(300)]
    frame = Frame("f32", "codebook", "dense", (3, 100), range(300), codes, width=2, codebook=book)
    yield "codebooks_of_any_length.frame", write_frame(frame)
    stored = [index for index in range(300) if index % 7 == 2]
    sparse = replace(frame, positions="gaps", stored=stored, elements=[1] * len(stored))
    chunked = replace(sparse, chunk_elements=256)
    yield "codebooks_of_any_length_gaps_chunked.frame", write_frame(chunked, coder("huffman"))
    scales = Floats("f16", bytes.fromhex("0038003c00400044"), 4, mode="deltas", lengths=lengths)
    affine = Frame("f16", "affine", "dense", (300,), range(300), codes, width=2, scales=scales)
    affine = replace(affine, zero_point=[0, 1, 2, 3])
    yield "scales_of_any_length.frame", write_frame(affine)


def _coded_parameters() -> Iterator[tuple[str, bytes]]:
    values = {
        "f32": f32(-1e9, -1, 0, 0, 0.1, 3),
        "f16": bytes.fromhex("00fc 01bc 0080 0000 0004 007c"),
    }
    values["bf16"] = bytes.fromhex("80ff 80bf 0080 0000 8000 807f")
    for dtype, data in values.items():
        size = ITEM_SIZES[dtype]
        entries = [data[at : at + size] for at in range(0, len(data), size)]
        unsorted = b"".join(entries[place] for place in (2, 0, 5, 4, 1, 3))
        frame = Frame("f32", "codebook", "dense", (12,), range(12), [0, 1, 2, 3, 4, 5] * 2, width=3)
        for mode, content in (("planes", unsorted), ("deltas", data), ("permuted", unsorted)):
            for coding in ("bitpacked", "tree"):
                books = Floats(dtype, content + data, 2, inner=6, entries=6, mode=mode)
                name = f"floats_{mode}_{dtype}_{coding}.frame"
                yield name, write_frame(replace(frame, codebook=books), coder(coding))
    for dtype in _SCALE_TYPES:
        scales = Floats(dtype, (bytes(ITEM_SIZES[dtype] - 1) + b"\x38") * 2, 2, 4, mode="planes")
        frame = Frame("f32", "affine", "dense", (2, 4), range(8), range(8), width=3, scales=scales)
        frame = replace(frame, zero_point=[4, 7], zero_points_mode="planes")
        yield f"scales_planes_{dtype}.frame", write_frame(frame, coder("huffman"))
    wide = Frame("f32", "affine", "gaps", (400,), [3, 290], [1, 40000], 280, 16, [65535, 3])
    scales = Floats("f32", f32(0.5, -2), 2, 7, mode="deltas")
    wide = replace(wide, scales=scales, zero_points_mode="deltas", gap_width=9)
    yield "zero_points_of_16_bits_chunked.frame", write_frame(wide, coder("exponent"))


def _chunked() -> Iterator[tuple[str, bytes]]:
    for positions in POSITIONS:
        frame = replace(_sparse(positions, 600), chunk_elements=260)
        yield (
            f"chunked_{FILE_WORDS.get(positions, positions)}.frame",
            write_frame(frame, coder("huffman")),
        )


def _notes() -> Iterator[tuple[str, bytes]]:
    """Notes of every id that the format describes, and of one that it does not."""
    notes = [(0, bytes(5)), (1, b"\1\2\3\4"), (2, bytes(32)), (3, b'{"of": "a test"}'), (200, b"")]
    frame = Frame("u8", "bytes", "dense", (3,), range(3), [b"a", b"b", b"c"])
    yield "notes.frame", write_frame(replace(frame, notes=notes))
    yield "notes_of_no_bytes.frame", write_frame(replace(frame, notes=[]))
    chunked = replace(_sparse("gaps", 600), chunk_elements=256, notes=notes)
    yield "notes_chunked.frame", write_frame(chunked)


def _copies() -> Iterator[tuple[str, bytes]]:
    coding = coder("huffman")
    # Rows of a basis: the second half of a row mirrors the first, every other sign differs from the
    # row before, and every third row is new.
    for dtype in FLOATS:
        size, rows = ITEM_SIZES[dtype], []
        for row in range(6):
            half = [e[:-1] + bytes([e[-1] & 127]) for e in elements_of(dtype, 9 + row // 3)][-9:]
            signs = [128 * (row % 3 == 1 and at % 2) for at in range(9)]
            half = [e[:-1] + bytes([e[-1] | sign]) for e, sign in zip(half, signs, strict=True)]
            rows += half + [e[:-1] + bytes([e[-1] ^ 128]) for e in half[::-1]]
        copies = Copies(DIRECTIONS | SIGNS, size, 1.0, 1 << 22)
        frame = Frame(dtype, "planes", "copies", (6, 18), range(108), rows, copies=copies)
        yield f"copies_signs_{dtype}.frame", write_frame(frame, coding)
        if dtype == "f16":
            dims = (36, 18)
            many = replace(frame, dims=dims, stored=range(648), elements=rows * 6)
            yield "copies_chunked.frame", write_frame(replace(many, chunk_elements=270), coding)
    for dtype in ("u8", "i8", "u16", "i32", "u64", "i64"):
        size = ITEM_SIZES[dtype]
        numbers = [*range(200, 300), *range(-3, 40), *range(40, -40, -1), *[7, 9, 7] * 20]
        elements = [(n % (1 << 8 * size)).to_bytes(size, "little") for n in numbers]
        count = len(elements)
        copies = Copies(DIRECTIONS | STEPS, size)
        frame = Frame(dtype, "bytes", "copies", (count,), range(count), elements, copies=copies)
        yield f"copies_steps_{dtype}.frame", write_frame(frame, coding)
    # Numbers with low bits: a run, a length and a distance of more than 64.
    random = np.random.default_rng(5)
    once = [bytes([byte]) for byte in random.integers(0, 256, 900, np.uint8)]
    text = (
        once
        + once[:700]
        + [b"\1"] * 40
        + once[100:900]
        + [b"\2\3"[i % 2 : i % 2 + 1] for i in range(99)]
    )
    frame = Frame("u8", "bytes", "copies", (len(text),), range(len(text)), text)
    for name, longest in (("long", 1 << 22), ("of_one", 1)):
        few = replace(frame, copies=Copies(0, 3, 1.0, longest))
        yield f"copies_{name}.frame", write_frame(few, coder("tree"))
    equal = Frame("bool", "bytes", "copies", (5000,), range(5000), [b"\1"] * 5000)
    yield "copies_of_one_element.frame", write_frame(equal)
    unique = replace(frame, dims=(9,), stored=range(9), elements=once[:9], copies=Copies(0, 0, 0.0))
    yield "copies_none.frame", write_frame(unique)
    codes = [index % 7 for index in range(70)]
    scales = Floats("f32", f32(0.5), 1)
    coded = Frame("bf16", "affine", "copies", (70,), range(70), codes, width=12, scales=scales)
    yield "copies_of_wide_codes.frame", write_frame(replace(coded, copies=Copies(DIRECTIONS)))


def _shapes() -> Iterator[tuple[str, bytes]]:
    for name, dims in (("scalar", ()), ("8_dims", (1,) * 8)):
        yield f"{name}.frame", write_frame(Frame("f32", "bytes", "dense", dims, [0], [f32(1.5)]))
    for positions in POSITIONS:
        empty = Frame("i16", "bytes", positions, (3, 0), [], [])
        yield (
            f"empty_{FILE_WORDS.get(positions, positions)}.frame",
            write_frame(empty, coder("constant")),
        )
    chunked = Frame("i16", "bytes", "csr", (3, 0), [], [], chunk_elements=256)
    yield "empty_chunked.frame", write_frame(chunked)


def _pack() -> bytes:
    """Every role, and names of every kind."""
    letters = [b"a", b"b", b"c"]
    first = write_frame(Frame("u8", "bytes", "dense", (3,), range(3), letters))
    second = write_frame(Frame("f32", "bytes", "dense", (), [0], [f32(-0.0)]))
    parts = [f32(value) for value in range(7)]
    several = write_frame(Frame("f32", "bytes", "dense", (7,), range(7), parts))
    omega = "\N{GREEK SMALL LETTER OMEGA}".encode()
    return write_pack(
        [
            (b"a", first),
            (omega, second),
            (b"", ("same", b"a")),
            (b"of six", ("first", several, (2, 3))),
            (b"of none", ("next", (0, 5))),
            (b"of one", ("next", ())),
            (b"f16", ("converted", "f16", omega)),
            (b"bf16", ("converted", "bf16", b"of six")),
            (b"equal", ("converted", "u8", b"a")),
            (b"notes.txt", ("attached", first)),
        ]
    )
