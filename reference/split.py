"""Section 7.6: symbols from sub-streams, by the classes of their rows and columns."""

from __future__ import annotations

from .conventions import Reader, require
from .routers import Classes, OpenStream, Symbols


class Split:
    """A body of 7.6, opened by the constructor."""

    def __init__(
        self, body: bytes, count: int, width: int, outer: Reader, open_stream: OpenStream
    ) -> None:
        reader = Reader(body, length_is_known=True)
        outer.claim_router()
        reader.claim_router()
        self.count = count
        self._router = Classes(reader, count, open_stream)
        self._sub_streams: list[Symbols] = []
        left = count
        for _ in range(self._router.targets):
            symbols = reader.vu("symbols of a sub-stream")
            require(symbols <= left, "sub-streams of more symbols than the stream")
            left -= symbols
            self._sub_streams.append(open_stream(reader, symbols, width))
        require(left == 0, "counts of the sub-streams")
        require(reader.left == 0, "the sub-streams do not fill the body")

    def symbols(self) -> list[int]:
        """Take each symbol from the sub-stream that the router names."""
        self._router.start()
        sub_streams = [iter(stream.symbols()) for stream in self._sub_streams]
        symbols: list[int] = []
        for _ in range(self.count):
            symbol = next(sub_streams[self._router.route(symbols)], None)
            require(symbol is not None, "a sub-stream ends before the stream")
            assert symbol is not None
            symbols.append(symbol)
        return symbols
