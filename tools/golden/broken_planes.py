"""Frames of kind planes that break one rule each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.writers.frame_writer import Frame

from .damage import SCALES, Broken, with_chunk, with_field, with_parameters
from .valid import f32


def broken_planes() -> Iterator[Broken]:
    """(name, bytes, kind of error)."""
    yield from _float_planes()
    yield from _scaled_planes()


def _float_planes() -> Iterator[Broken]:
    # Two bf16 elements, one mantissa bit: an exponent of 0, and an escape.
    frame = Frame("bf16", "planes", "dense", (2,), range(2), [b"\1\0", b"\0\x7f"])
    frame = replace(frame, mantissa_bits=1)
    empty, one, symbols, rest = b"\0\1\0", b"\1\1\xfe", b"\1\2\0\xfe", b"\1\2\2\0"
    for name, chunk in (
        ("base", b"\x19\x80\2\1" + one + symbols + rest),
        ("more_escapes_than_elements", b"\x11\3\1\3\xfe\xfe\xfe" + symbols + rest),
        ("escape_missing", b"\1" + symbols + rest),
        ("too_few_escapes", b"\x11\1" + one + b"\1\2\xfe\xfe" + rest),
        ("escapes_without_a_bit", b"\1" + empty + symbols + rest),
        ("escape_left", b"\x11\1" + one + b"\1\2\0\0" + rest),
        ("rest_of_another_width", b"\x11\1" + one + symbols + b"\1\1\2"),
    ):
        yield f"planes_{name}", with_chunk(frame, chunk), "corrupt"
    yield (
        "planes_reserved_field",
        with_chunk(frame, b"\x31\1" + one + symbols + rest),
        "unsupported",
    )
    half = replace(frame, dtype="f16", mantissa_bits=3)
    short = b"\2" + symbols + rest
    yield "planes_of_f16_and_too_few_mantissa_bits", with_chunk(half, short), "corrupt"
    eleven = b"\0" + empty + b"\0\2\xff\x0f"
    yield "planes_of_f16_and_no_mantissa_bits", with_chunk(half, eleven), "corrupt"
    five = b"\5" + empty * 2
    yield "planes_of_five_mantissa_bits", with_chunk(frame, five), "unsupported"


def _scaled_planes() -> Iterator[Broken]:
    frame = Frame("f32", "planes", "dense", (3,), range(3), [b"\1\x3c"] * 3, scales=SCALES)
    frame = replace(frame, stored_dtype="f16")
    scale = b"\0\1\1\0" + f32(0.5)
    for dtype in (0, 3, 13, 255):
        wrong = with_parameters(frame, bytes([dtype]) + scale)
        yield f"planes_scaled_dtype_{dtype}", wrong, "unsupported"
    empty = replace(frame, dims=(0,), stored=[], elements=[], chunk_elements=256)
    yield "planes_scaled_without_dtype", with_parameters(empty, b"", 2), "corrupt"
    yield "planes_scaled_without_scales", with_parameters(empty, b"\1", 2), "corrupt"
    for name, dtype in (("i16", 7), ("f8e4m3", 13)):
        yield f"planes_scaled_of_{name}", with_field(frame, 5, dtype), "unsupported"
    yield "planes_scaled_copies", with_field(frame, 3, 5 << 1 | 1 << 4), "unsupported"
    zeros = b"\0\1\0"
    four = with_chunk(frame, b"\3" + zeros * 4)
    yield "planes_scaled_of_four_planes", four, "corrupt"
    of_f32 = with_chunk(frame, b"\0" + zeros * 2)
    yield "planes_scaled_and_too_few_mantissa_bits", of_f32, "corrupt"
