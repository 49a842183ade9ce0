"""Section 7.4: contexts, the range decoder, and the models. The routers are in `routers`."""

from __future__ import annotations

from collections.abc import Callable

from .conventions import require

TREE, EXPONENT, CLASSES, NEIGHBOURS = 0, 1, 2, 3

MEMORY_WITHOUT_ROUTER = 8
MOST_BYTES_BEYOND_THE_BODY = 8
EXPONENT_BITS_WITH_CONTEXT = 2

Route = Callable[[list[int]], int]
"""A router: the number of the specific table for the next symbol, from the symbols before it."""


class Context:
    """The probability of one binary decision, and its count."""

    __slots__ = ("c", "p")

    def __init__(self) -> None:
        self.p = 1 << 21
        self.c = 0


def table_of(width: int) -> list[Context]:
    """The contexts that decode one symbol."""
    return [Context() for _ in range(1 << width)]


class RangeDecoder:
    """Decodes binary decisions from range-coded bytes."""

    def __init__(self, data: bytes, memory: int, prior: int = 1) -> None:
        self.data = data
        self.prior = prior
        self.largest_count = (1 << memory) - 2
        self.rates = [(1 << 17) // (2 * c + 3) for c in range(self.largest_count + 1)]
        self.at = 0
        self.code = 0
        for _ in range(4):
            self.code = (self.code << 8) | self._next_byte()
        self.range = (1 << 32) - 1

    def decode(self, shared: Context, specific: Context | None = None) -> int:
        """One decision with one context, or with two."""
        if specific is None:
            p = shared.p >> 6
        else:
            weight = (specific.c << 16) // (specific.c + self.prior)
            p = (shared.p * ((1 << 16) - weight) + specific.p * weight) >> 22
        bound = (self.range >> 16) * max(1, p)
        if self.code < bound:
            bit = 0
            self.range = bound
        else:
            bit = 1
            self.code -= bound
            self.range -= bound
        if self.range < 1 << 24:
            self._normalize()
        self._learn(shared, bit)
        if specific is not None:
            self._learn(specific, bit)
        return bit

    def decode_direct(self) -> int:
        """One bit without a context."""
        self.range >>= 1
        bit = int(self.code >= self.range)
        if bit:
            self.code -= self.range
        self._normalize()
        return bit

    def at_end(self) -> None:
        """The bytes are as many as the symbols need, and zeros at their end were dropped."""
        require(self.at >= len(self.data), "range-coded bytes are left over")
        beyond = self.at - len(self.data)
        ends_well = (
            len(self.data) == 0 or self.data[-1] != 0 or beyond == MOST_BYTES_BEYOND_THE_BODY
        )
        require(ends_well, "a zero at the end of the range-coded bytes")

    def _learn(self, context: Context, bit: int) -> None:
        rate = self.rates[context.c]
        if bit == 0:
            context.p += (((1 << 22) - context.p) * rate) >> 16
        else:
            context.p -= (context.p * rate) >> 16
        if context.c < self.largest_count:
            context.c += 1

    def _normalize(self) -> None:
        while self.range < 1 << 24:
            self.range <<= 8
            self.code = ((self.code << 8) | self._next_byte()) & 0xFFFFFFFF

    def _next_byte(self) -> int:
        at = self.at
        self.at += 1
        if at < len(self.data):
            return self.data[at]
        require(self.at - len(self.data) <= MOST_BYTES_BEYOND_THE_BODY, "too few range-coded bytes")
        return 0


def decode_tree(decoder: RangeDecoder, count: int, width: int) -> list[int]:
    """The symbols of model tree."""
    shared = table_of(width)
    symbols = []
    for _ in range(count):
        t = 1
        for _ in range(width):
            t = 2 * t + decoder.decode(shared[t])
        symbols.append(t - (1 << width))
    return symbols


def decode_routed(
    decoder: RangeDecoder, count: int, width: int, tables: int, route: Route
) -> list[int]:
    """The symbols of models classes and neighbours."""
    shared = table_of(width)
    specific = [table_of(width) for _ in range(tables)]
    symbols: list[int] = []
    for _ in range(count):
        table = specific[route(symbols)]
        t = 1
        for _ in range(width):
            t = 2 * t + decoder.decode(shared[t], table[t])
        symbols.append(t - (1 << width))
    return symbols


def decode_exponent(decoder: RangeDecoder, count: int, width: int) -> list[int]:
    """The symbols of model exponent."""
    unary = [Context() for _ in range(width)]
    contexts = [[Context() for _ in range(4)] for _ in range(width)]
    symbols = []
    for _ in range(count):
        x = 0
        while x < width and decoder.decode(unary[x]) == 1:
            x += 1
        if x == width:
            u = 1 << width
        else:
            u = 1
            for k in range(x):
                if k < EXPONENT_BITS_WITH_CONTEXT:
                    bit = decoder.decode(contexts[x][u])
                else:
                    bit = decoder.decode_direct()
                u = 2 * u + bit
        symbols.append(u - 1)
    return symbols
