"""Section 4: kind planes."""

from __future__ import annotations

from .codings import Streams
from .conventions import Corrupt, Reader, Unsupported, require
from .element_types import BY_NAME, IEEE_TYPES, ElementType

MOST_MANTISSA_BITS = 4
UPPER_BITS = 16


def read_planes(reader: Reader, streams: Streams, m: int, dtype: str) -> list[bytes]:
    """The m elements of value streams of kind planes, which `streams` opens from `reader`."""
    form = BY_NAME[dtype]
    if dtype in IEEE_TYPES:
        turned = _read_planes_of_floats(reader, streams, m, form)
    else:
        width = min(form.bits, 8)
        planes = [streams.read(m, width) for _ in range(form.item_size)]
        turned = _join([0] * m, planes, width)
    return [_turn_back(bits, form).to_bytes(form.item_size, "little") for bits in turned]


def _join(upper: list[int], planes: list[list[int]], width: int) -> list[int]:
    """`upper`, followed by the symbols of the planes, from most to least significant."""
    for plane in planes:
        upper = [bits << width | symbol for bits, symbol in zip(upper, plane, strict=True)]
    return upper


def _turn_back(bits: int, form: ElementType) -> int:
    """The element that was turned."""
    if form.is_signed_float:
        return (bits >> 1) | (bits & 1) << (form.bits - 1)
    if form.signed:
        return bits ^ 1 << (form.bits - 1)
    return bits


def _read_planes_of_floats(
    reader: Reader, streams: Streams, m: int, form: ElementType
) -> list[int]:
    """The turned elements of f32, f16, bf16 or f64."""
    exponent_bits = form.exponent_bits
    fields = reader.u8("fields of planes")
    t = fields & 7
    require(fields >> 5 == 0, f"fields {fields:#x}", Unsupported)
    require(t <= MOST_MANTISSA_BITS, f"{t} mantissa bits", Unsupported)
    require(t + exponent_bits >= 8, f"{t} mantissa bits are too few")
    base_exponent = reader.vu("base exponent") if fields & 8 else 0
    require(base_exponent < 1 << exponent_bits, f"base exponent {base_exponent}")
    escapes: list[int] = []
    if fields & 16:
        escape_count = reader.vu("escapes")
        require(escape_count <= m, "more escapes than elements")
        escapes = streams.read(escape_count, exponent_bits)
    q = UPPER_BITS - exponent_bits - t
    first, second = streams.read(m, 8), streams.read(m, q)
    lower = [streams.read(m, 8) for _ in range(2, form.item_size)]
    next_escapes = iter(escapes)
    upper = []
    for z, symbol in zip(first, second, strict=True):
        bits = ((((base_exponent << t) + z) << q) + symbol) % (1 << UPPER_BITS)
        if z >= 256 - (1 << t):
            exponent = next(next_escapes, None)
            if exponent is None:
                raise Corrupt("too few escapes")
            below = UPPER_BITS - exponent_bits
            bits = (exponent << below) + bits % (1 << below)
        upper.append(bits)
    require(next(next_escapes, None) is None, "escapes are left over")
    return _join(upper, lower, 8)
