"""Frames in positions form copies that break one rule each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tests.writers.copies_writer import DIRECTIONS, SIGNS, STEPS, Copy, write_copies
from tests.writers.frame_writer import (
    Floats,
    Frame,
    bitpacked,
    write_frame,
)
from tests.writers.stream_writer import vu

from .damage import CODEBOOK, Broken, with_chunk, with_delta
from .valid import f32


def broken_copies() -> Iterator[Broken]:
    """(name, bytes, kind of error) of every broken file of copies."""
    # Five elements, of which two are stored: 7 8, and three copies in turn from there.
    none = b"\0\1\0"
    frame = Frame("u8", "bytes", "copies", (5,), range(5), [b"\7", b"\x08"] * 2 + [b"\7"])
    two = b"\1\2\7\x08"

    def chunk(copies: Sequence[Copy], stored: int = 2, values: bytes = two, **kwargs: Any) -> bytes:
        return write_copies(copies, stored, bitpacked, **kwargs) + values

    whole = Copy(2, 3, 2)
    steps, mirrored = {"options": STEPS}, {"options": DIRECTIONS}
    numbers = b"\2\0\1\0"  # two stored, one copy
    for name, content, kind in (
        ("stored_beyond_the_elements", chunk([], 6, b"\1\6abcdef"), "corrupt"),
        ("option_8", chunk([whole], options=8), "unsupported"),
        ("signs_of_integers", chunk([whole], options=SIGNS, signs=[0]), "unsupported"),
        ("more_than_elements", chunk([Copy(2, 1, 2)] + [Copy(0, 1, 2)] * 3), "corrupt"),
        ("low_bytes_too_many", b"\2\0\1\x0b" + b"\0\1\2\0\1\2\0\1\2" + none + two, "corrupt"),
        ("run_beyond_the_stored", chunk([Copy(3, 2, 2)]), "corrupt"),
        ("run_beyond_the_end", chunk([Copy(1, 3, 1), Copy(2, 1, 1)], 3, b"\1\3abc"), "corrupt"),
        ("length_beyond_the_end", chunk([Copy(2, 4, 2)]), "corrupt"),
        ("distance_beyond_the_start", chunk([Copy(2, 3, 3)]), "corrupt"),
        ("distance_of_none_before", chunk([Copy(2, 3, 0)]), "corrupt"),
        ("at_the_start", chunk([Copy(0, 3, 1)]), "corrupt"),
        ("axis_of_none_before", chunk([Copy(2, 2, 0, True), Copy(0, 1, 2)], **mirrored), "corrupt"),
        ("mirrored_beyond_the_start", chunk([Copy(2, 3, 1, True)], **mirrored), "corrupt"),
        ("elements_left", chunk([Copy(2, 2, 2)]), "corrupt"),
        ("stored_left", chunk([Copy(1, 4, 1)]), "corrupt"),
        ("none_and_elements_left", chunk([]), "corrupt"),
        ("bytes_after", chunk([whole]) + b"\0", "corrupt"),
        # Symbols 2 2 2, of which one is replaced by what is no number.
        ("run_no_number", numbers + b"\1\1\xc8\0\1\2\0\1\2" + none + two, "corrupt"),
        ("length_no_number", numbers + b"\0\1\2\1\1\xc8\0\1\2" + none + two, "corrupt"),
        ("distance_no_number", numbers + b"\0\1\2\0\1\2\1\1\xc8" + none + two, "corrupt"),
        ("step_no_number", b"\2\2\1\0" + b"\0\1\2\0\1\2\0\1\2\1\1\xc8" + none + two, "corrupt"),
        ("low_bytes_left", b"\2\0\1\1" + b"\0\1\2\0\1\2\0\1\2" + none + two, "corrupt"),
        # A step of 64 has three low bits.
        ("low_bits_missing", b"\2\2\1\0" + b"\0\1\2\0\1\2\0\1\2\0\1\x40" + none + two, "corrupt"),
        ("bits_behind", b"\2\2\1\1" + b"\0\1\2\0\1\2\0\1\2\0\1\x40\0\1\x08" + two, "corrupt"),
        ("coding_60", numbers + b"\0\1\2\0\1\2\0\1\2\x3c\0" + two, "unsupported"),
    ):
        yield f"copies_{name}", with_chunk(frame, content), kind
    # A decoder may take many copies before it looks whether there were as many low bits.
    many = b"\1\2" + vu(300) + b"\0" + bitpacked([1] + [0] * 299, 8)
    many += b"\0\1\0" + b"\0\1\1" + b"\0\1\x40" + none + b"\1\1\7"
    long = replace(frame, dims=(301,), stored=range(301), elements=[b"\7"] * 301)
    yield "copies_low_bits_missing_of_many", with_chunk(long, many), "corrupt"
    codes = replace(CODEBOOK, positions="copies", elements=[0, 1, 0, 1])
    start = write_copies([Copy(2, 2, 2)], 2, bitpacked, **steps)
    yield "copies_steps_of_codes", with_chunk(codes, start + b"\1\1\4"), "unsupported"
    boolean = Frame("bool", "bytes", "copies", (4,), range(4), [b"\0", b"\1"] * 2)
    yield "copies_steps_of_bools", with_chunk(boolean, start + b"\1\1\2"), "unsupported"
    float8 = replace(boolean, dtype="f8e4m3")
    signs = write_copies([Copy(2, 2, 2)], 2, bitpacked, options=SIGNS, signs=[0])
    yield "copies_signs_of_float8", with_chunk(float8, signs + b"\1\2ab"), "unsupported"
    half = replace(boolean, dtype="f16", elements=[b"ab", b"cd"] * 2)
    signs = write_copies([Copy(2, 2, 2)], 2, bitpacked, options=SIGNS, signs=[16])
    yield "copies_signs_after_the_end", with_chunk(half, signs + b"\1\4abcd"), "corrupt"
    books = Floats("f32", f32(0, 1, -1) * 2, 2, inner=2, entries=3)
    yield "copies_between_books", write_frame(replace(codes, codebook=books)), "unsupported"
    scales = Floats("f32", f32(1, 2), 2, inner=2)
    yield "copies_between_scales", write_frame(replace(codes, scales=scales)), "unsupported"
    delta = Frame("f32", "delta", "copies", (4,), (), ())
    yield "copies_of_differences", with_delta(delta, b"\0" * 4 + none * 7), "unsupported"
