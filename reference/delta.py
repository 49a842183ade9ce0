"""Section 4: kind delta."""

from __future__ import annotations

from .codings import Streams
from .conventions import BitString, Reader, require
from .element_types import ElementType
from .head import Head
from .parameters import Parameters

ESCAPE = 255
LARGEST_UP = 8
SMALLEST_S, LARGEST_S = -(1 << 15), (1 << 15) - 1


def read_deltas(
    reader: Reader, streams: Streams, head: Head, parameters: Parameters, base: list[bytes]
) -> list[bytes]:
    """The stored elements of a chunk; `base` has the elements of the base at their positions."""
    form, m = head.form, len(base)
    size, bits = form.item_size, 8 * form.item_size
    low_bytes, escape_count = reader.vu("low bytes"), reader.vu("escapes")
    require(low_bytes <= m * (size - 1), "too many low bytes")
    require(escape_count <= m, "more escapes than elements")
    z_symbols = streams.read(m, 8)
    low_bits = BitString(bytes(streams.read(low_bytes, 8)), "low bits of deltas")
    escapes = Reader(bytes(streams.read(escape_count * size, 8)), length_is_known=True)

    s: list[int] = []
    elements = []
    for i, (z, element_of_base) in enumerate(zip(z_symbols, base, strict=True)):
        if z == ESCAPE:
            elements.append(escapes.take(size, "escapes"))
            s.append(0)
            continue
        b = int.from_bytes(element_of_base, "little")
        exponent = max(_exponent_field(b, form), 1)
        down = min(max(parameters.step - exponent, 0), bits - 8)
        up = min(max(exponent - parameters.step, 0), LARGEST_UP)
        r = z // 2 if z % 2 == 0 else -(z + 1) // 2
        q = r + (_predict(i, s, parameters.filter_width, parameters.filter_height) >> up)
        moved = (_ord(b, bits) + (q << down) + low_bits.take(down)) % (1 << bits)
        elements.append(_ord(moved, bits).to_bytes(size, "little"))
        s.append(min(max(q << up, SMALLEST_S), LARGEST_S))
    escapes.at_end("escapes")
    low_bits.at_end()
    return elements


def _exponent_field(bits: int, form: ElementType) -> int:
    return bits >> form.mantissa_bits & ((1 << form.exponent_bits) - 1)


def _ord(u: int, bits: int) -> int:
    """An integer that has, as two's complement, the order of the floats. Its own inverse."""
    top = 1 << (bits - 1)
    return u ^ (top - 1) if u & top else u


def _predict(i: int, s: list[int], w: int, h: int) -> int:
    """P(i): a difference as its neighbours in the filter have it."""
    if w == 1 and h == 1:
        return 0
    x, y = i % w, i // w % h
    if x == 0 and y == 0:
        return 0
    if y == 0:
        return (3 * s[i - 1]) >> 2
    if x == 0:
        return (3 * s[i - w]) >> 2
    return (5 * (s[i - 1] + s[i - w]) - 2 * s[i - w - 1]) >> 3
