"""Section 7.7: adaptive coding with tables that a router names."""

from __future__ import annotations

from .adaptive import RangeDecoder
from .conventions import Reader, require
from .split import Classes, Filters, OpenStream, read_router

_MAX_NODES = 1 << 14
_ONE = 1 << 22


class FineContext:
    """As `adaptive.Context`, with a finer probability and an adjustable memory."""

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


Table = list[FineContext]


class ByNeighbours(Filters):
    """Router 1: classes are ranges of symbols, and each pair of neighbours has a table."""

    def __init__(self, reader: Reader, width: int) -> None:
        super().__init__(reader)
        self.classes = reader.u8("classes")
        require(1 <= self.classes <= 15, "classes of symbols")
        self.targets = (self.classes + 1) ** 2
        firsts = [0]
        for _ in range(self.classes - 1):
            firsts.append(reader.u8("first symbol"))
            require(firsts[-2] < firsts[-1] < 1 << width, "first symbols of classes")
        self.class_of = [sum(s >= first for first in firsts) - 1 for s in range(1 << width)]

    def route(self, symbols: list[int]) -> int:
        """The number of the table for the symbol that follows these."""
        left, up = self.neighbours(symbols)
        return left * (self.classes + 1) + up


class Contexts:
    """A body of 7.7, opened by the constructor."""

    def __init__(self, body: bytes, count: int, width: int, open_stream: OpenStream) -> None:
        reader = Reader(body, length_is_known=True)
        reader.has_router = True
        self.count, self.width = count, width
        router = read_router(reader)
        self._router: Classes | ByNeighbours
        if router == 0:
            self._router = Classes(reader, count, open_stream)
        else:
            self._router = ByNeighbours(reader, width)
        require(self._router.targets << width <= _MAX_NODES, "too many tables")
        self.prior = reader.u8("prior")
        require(self.prior > 0, "a prior of 0")
        self.memory = reader.u8("memory")
        require(4 <= self.memory <= 10, "memory")
        self._coded = reader.take(reader.left, "range-coded bytes")

    def symbols(self) -> list[int]:
        """Decode each symbol with the table that the router names and the shared table."""
        self._router.start()
        decoder = RangeDecoder(self._coded)
        shared = self._table()
        tables = [self._table() for _ in range(self._router.targets)]
        symbols: list[int] = []
        for _ in range(self.count):
            symbols.append(self._symbol(decoder, shared, tables[self._router.route(symbols)]))
        decoder.finish()
        return symbols

    def _table(self) -> Table:
        return [FineContext() for _ in range(1 << self.width)]

    def _symbol(self, decoder: RangeDecoder, shared: Table, specific: Table) -> int:
        node = 1
        for _ in range(self.width):
            bit = decoder.decode_with(self._blend(shared[node], specific[node]))
            shared[node].learn(bit, self.memory)
            specific[node].learn(bit, self.memory)
            node = 2 * node + bit
        return node - (1 << self.width)

    def _blend(self, shared: FineContext, specific: FineContext) -> int:
        weight = (specific.count << 16) // (specific.count + self.prior)
        return max(1, (shared.p * (65536 - weight) + specific.p * weight) >> 22)
