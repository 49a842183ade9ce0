"""Frames and packs that decode, each at the edge of a rule that no other golden file tells."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from tests.writers.delta_writer import Delta
from tests.writers.frame_writer import Floats, Frame, write_frame, write_pack
from tests.writers.lanes_stream_writer import LanesCode, lanes_parts
from tests.writers.lanes_stream_writer import assemble as assemble_lanes
from tests.writers.stream_writer import stream_of

from .valid import f32


def edge_files() -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of every file."""
    yield from _csr()
    yield from _coded_parameters()
    yield from _arithmetic()
    yield from _deltas()
    yield from _streams()


def _csr() -> Iterator[tuple[str, bytes]]:
    """Row counts of 16 bits, where the row length has 17; and chunks of no row."""
    elements = [bytes([number]) for number in range(1, 7)]
    stored = [3, 65000, 69999, 70000, 131000, 139999]
    long = Frame("u8", "bytes", "csr", (2, 70000), stored, elements, gap_width=16)
    yield "csr_rows_beyond_16_bits.frame", write_frame(long)
    empty = Frame("i16", "bytes", "csr", (0, 5), [], [])
    yield "empty_csr_of_no_rows.frame", write_frame(empty)
    yield "empty_csr_of_no_rows_chunked.frame", write_frame(replace(empty, chunk_elements=260))


def _coded_parameters() -> Iterator[tuple[str, bytes]]:
    """Rows of one value in mode permuted, and as many values as may be coded."""
    codes = [0, 1, 2, 3]
    frame = Frame("f32", "affine", "dense", (4,), range(4), codes, width=2)
    scales = Floats("f32", f32(0.5, -2, 3), 3, mode="permuted")
    frame = replace(frame, scales=scales, zero_point=[1, 0, 2], zero_points_mode="permuted")
    yield "scales_and_zero_points_permuted.frame", write_frame(frame)
    for n, count in ((4, 256), (257, 257)):
        halves = struct.pack(f"<{count}e", *(1 + number / 1024 for number in range(count)))
        many = Floats("f16", halves, count, mode="deltas")
        whole = replace(
            frame, dims=(n,), stored=range(n), elements=[number % 4 for number in range(n)]
        )
        whole = replace(whole, scales=many, zero_point=1)
        yield f"scales_of_{count}_coded.frame", write_frame(whole)


def _arithmetic() -> Iterator[tuple[str, bytes]]:
    """Products that are rounded to f32 one by one, and the least and greatest scales."""
    codes = [1, 3, 5, 7, 11, 13, 127, 255]
    frame = Frame("f32", "affine", "dense", (8,), range(8), codes)
    scaled = replace(frame, scales=Floats("f32", f32(0.1, 0.7), 2, inner=4))
    yield "affine_second_scale_rounded.frame", write_frame(replace(scaled, second_scale=f32(0.3)))
    yield "affine_f64_rounded.frame", write_frame(replace(scaled, dtype="f64"))
    powers = replace(scaled, scales=Floats("e8m0", bytes([0, 1, 127, 254]), 4, inner=2))
    yield "affine_least_e8m0.frame", write_frame(powers)
    least = Frame("e8m0", "bytes", "dense", (4,), range(4), [b"\0", b"\1", b"\x7f", b"\xfe"])
    names = [(b"e8m0", write_frame(least)), (b"f32", ("converted", "f32", b"e8m0"))]
    yield "pack_of_least_e8m0.qcodec", write_pack(names)


def _deltas() -> Iterator[tuple[str, bytes]]:
    """Differences beyond 16 bits, on both sides, and bases with an exponent field of 0."""
    base = f32(*([600.0] * 8 + [3.0])) * 2
    # Eight differences in units of 256, and one that is predicted from them, in units of 1.
    moved = [127] + [200] * 7 + [32767] + [-127] + [-200] * 7 + [-32768]
    words = struct.unpack("<18I", base)
    elements = [struct.pack("<I", word + by) for word, by in zip(words, moved, strict=True)]
    delta = Delta(base, 128, (3, 3))
    frame = Frame("f32", "delta", "dense", (2, 3, 3), range(18), elements, delta=delta)
    yield "delta_clamped.frame", write_frame(frame)
    base = struct.pack("<6I", 0, 1, 0x400000, 0x80400000, 0x800000, 0x1000000)
    words = struct.unpack("<6I", base)
    elements = [struct.pack("<I", word + 13) for word in words]
    small = replace(frame, dims=(6,), stored=range(6), elements=elements, delta=Delta(base, 4))
    yield "delta_subnormal_base.frame", write_frame(small)


def _streams() -> Iterator[tuple[str, bytes]]:
    """Padding by another class of the same value, and as few range-coded bytes as can be."""
    code = LanesCode((5, 5, 9), (1, 2, 0, 0, 0, 0, 0))
    low, words, literals = lanes_parts([5, 5], code)
    words[2] = 0b10 << 14  # class 1
    padded = stream_of(4, assemble_lanes(code, low, words, literals))
    fives = Frame("u8", "bytes", "dense", (2,), range(2), [b"\5", b"\5"])
    yield "lanes_padding_by_another_class.frame", write_frame(fives, lambda *_: padded)
    for name, count, coded in (("", 5, b"\0\x55"), ("_a_zero", 6, b"\0\x55\0")):
        short = stream_of(3, coded)
        zeros = Frame("u8", "bytes", "dense", (count,), range(count), [b"\0"] * count)
        beyond = write_frame(zeros, lambda *_, short=short: short)
        yield f"contexts_eight_bytes_beyond{name}.frame", beyond
