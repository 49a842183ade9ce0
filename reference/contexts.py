"""Section 7.4: contexts, an adaptive binary range coder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from .conventions import Reader, Unsupported, require
from .routers import Classes, Neighbours, OpenStream

_WORD = (1 << 32) - 1
_ONE = 1 << 22
_MAX_BEYOND = 8
_MAX_NODES = 1 << 14
_TREE, _EXPONENT, _CLASSES, _NEIGHBOURS = range(4)


class Context:
    """The probability of one binary decision, which adapts."""

    def __init__(self) -> None:
        self.p = _ONE // 2  # probability of a 0, in units of 2^-22
        self.count = 0

    def learn(self, bit: int, memory: int) -> None:
        """Move p towards the bit; the more bits were seen, the smaller the step."""
        rate = (1 << 17) // (2 * self.count + 3)
        if bit:
            self.p -= self.p * rate >> 16
        else:
            self.p += (_ONE - self.p) * rate >> 16
        self.count = min(self.count + 1, (1 << memory) - 2)


class RangeDecoder:
    """Decodes bits from bytes, given the contexts of each bit."""

    def __init__(self, body: bytes, prior: int, memory: int) -> None:
        self.body = body
        self.prior, self.memory = prior, memory
        self.bytes_read = 0
        self.range = _WORD
        self.code = 0
        for _ in range(4):
            self._shift_in()

    def decode(self, shared: Context, specific: Context | None = None) -> int:
        """Decode a bit, and let the contexts learn it."""
        if specific:
            weight = (specific.count << 16) // (specific.count + self.prior)
            p = (shared.p * (65536 - weight) + specific.p * weight) >> 22
            bit = self._decode_with(max(1, p))
            specific.learn(bit, self.memory)
        else:
            bit = self._decode_with(max(1, shared.p >> 6))
        shared.learn(bit, self.memory)
        return bit

    def decode_direct(self) -> int:
        """Decode a direct bit: 0 and 1 are equally likely."""
        self.range >>= 1
        bit = int(self.code >= self.range)
        if bit:
            self.code -= self.range
        self._normalise()
        return bit

    def finish(self) -> None:
        """Check after the last symbol that the body has the one length that it may have."""
        beyond = self.bytes_read - len(self.body)
        require(beyond >= 0, "a body is longer than its symbols")
        zero = bool(self.body) and self.body[-1] == 0
        require(not zero or beyond == _MAX_BEYOND, "a body ends with a 0 byte")

    def _decode_with(self, p: int) -> int:
        bound = (self.range >> 16) * p
        bit = int(self.code >= bound)
        if bit:
            self.code -= bound
            self.range -= bound
        else:
            self.range = bound
        self._normalise()
        return bit

    def _normalise(self) -> None:
        while self.range < 1 << 24:
            self.range <<= 8
            self._shift_in()

    def _shift_in(self) -> None:
        beyond = self.bytes_read - len(self.body)
        require(beyond < _MAX_BEYOND, "bytes far beyond a body are needed")
        byte = self.body[self.bytes_read] if beyond < 0 else 0
        self.code = (self.code << 8 | byte) & _WORD
        self.bytes_read += 1


#: The contexts of one table, by node of the tree (model exponent: by what the bit is).
Table = defaultdict[tuple[int, int], Context]


def _tree(decoder: RangeDecoder, shared: Table, specific: Table | None, width: int) -> int:
    node = 1
    for _ in range(width):
        own = None if specific is None else specific[0, node]
        node = 2 * node + decoder.decode(shared[0, node], own)
    return node - (1 << width)


_UNARY = -1  # key of the contexts for the exponent itself


def _exponent(decoder: RangeDecoder, shared: Table, _: Table | None, width: int) -> int:
    exponent = 0
    while exponent < width and decoder.decode(shared[_UNARY, exponent]):
        exponent += 1
    if exponent == width:
        return (1 << width) - 1
    value = 1
    for place in range(exponent):
        # The first two bits under the leading one have contexts: value is 1, then 2 or 3.
        bit = decoder.decode(shared[exponent, value]) if place < 2 else decoder.decode_direct()
        value = 2 * value + bit
    return value - 1


Symbol = Callable[[RangeDecoder, Table, Table | None, int], int]


class Contexts:
    """A body of 7.4, opened by the constructor."""

    def __init__(
        self, body: bytes, count: int, width: int, outer: Reader, open_stream: OpenStream
    ) -> None:
        reader = Reader(body, length_is_known=True)
        self.count, self.width = count, width
        self.model = reader.u8("model")
        if self.model > _NEIGHBOURS:
            raise Unsupported(f"model {self.model} is reserved")
        require(self.model == _EXPONENT or width <= 8, "this model holds at most 8 bits")
        self.prior, self.memory = 1, 8
        self._router: Classes | Neighbours | None = None
        if self.model in (_CLASSES, _NEIGHBOURS):
            outer.claim_router()
            reader.claim_router()
            self._router = self._read_fields(reader, open_stream)
        self._coded = reader.take(reader.left, "range-coded bytes")

    def _read_fields(self, reader: Reader, open_stream: OpenStream) -> Classes | Neighbours:
        router: Classes | Neighbours
        if self.model == _CLASSES:
            router = Classes(reader, self.count, open_stream)
        else:
            router = Neighbours(reader, self.width)
        require(router.targets << self.width <= _MAX_NODES, "too many tables")
        self.prior = reader.u8("prior")
        require(self.prior > 0, "a prior of 0")
        self.memory = reader.u8("memory")
        require(self.memory >= 4, "memory")
        if self.memory > 10:
            raise Unsupported(f"memory {self.memory} is reserved")
        return router

    def symbols(self) -> list[int]:
        """Decode each symbol with the table that the router names and the shared table."""
        if self._router:
            self._router.start()
        decoder = RangeDecoder(self._coded, self.prior, self.memory)
        decode_symbol: Symbol = _exponent if self.model == _EXPONENT else _tree
        shared = Table(Context)
        specific = defaultdict[int, Table](lambda: Table(Context))
        symbols: list[int] = []
        for _ in range(self.count):
            own = specific[self._router.route(symbols)] if self._router else None
            symbols.append(decode_symbol(decoder, shared, own, self.width))
        decoder.finish()
        return symbols
