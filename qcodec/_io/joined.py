"""Several files as one source: one after the other, each from an offset of its own."""

from __future__ import annotations

from bisect import bisect_right

from ..errors import CorruptError
from .source import Source


class JoinedSource(Source):
    """Files that belong together, such as the shards of a checkpoint.

    Parameters
    ----------
    first : Source
        Its bytes begin at 0; its status counts as that of all.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> files = JoinedSource(BytesSource(b"head"))
    >>> files.add(BytesSource(b"data")), bytes(files.read(5, 2)), files.size
    (4, b'at', 8)
    """

    def __init__(self, first: Source) -> None:
        super().__init__(first.size, "file", first.stat)
        self._files, self._starts = [first], [0]
        self.is_view = first.is_view

    @property
    def versions(self) -> list[tuple[int, int]]:
        return [version for source in self._files for version in source.versions]

    def add(self, source: Source) -> int:
        """Append a file, which is closed with the others; return the offset of its first byte."""
        start = self.size
        self._files.append(source)
        self._starts.append(start)
        self.size += source.size
        self.is_view = self.is_view and source.is_view
        return start

    def _read(self, offset: int, size: int) -> memoryview:
        source, at = self._place(offset, size)
        return source.read(at, size)

    def forget(self, offset: int, size: int) -> None:
        source, at = self._place(offset, size)
        source.forget(at, size)

    def _place(self, offset: int, size: int) -> tuple[Source, int]:
        number = max(bisect_right(self._starts, offset) - 1, 0)
        source, at = self._files[number], offset - self._starts[number]
        if at + size > source.size:
            raise CorruptError("a tensor goes on in the next file", offset)
        return source, at

    def _release(self) -> None:
        for source in self._files:
            source.close()
