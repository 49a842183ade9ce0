"""Several files as one source: one after the other, each from an offset of its own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

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

    def add(self, source: Source) -> int:
        """Append a file, which is closed with the others; return the offset of its first byte."""
        start = self.size
        self._files.append(source)
        self._starts.append(start)
        self.size += source.size
        self.is_view = self.is_view and source.is_view
        return start

    def _read(self, offset: int, size: int) -> memoryview:
        found = [source.read(at, part) for source, at, part in self._pieces(offset, size)]
        return found[0] if len(found) == 1 else memoryview(b"".join(found))

    def forget(self, offset: int, size: int) -> None:
        for source, at, part in self._pieces(offset, size):
            source.forget(at, part)

    def _pieces(self, offset: int, size: int) -> Iterator[tuple[Source, int, int]]:
        """Yield the files of a range, each with the offset and the size of its part."""
        for number in range(max(bisect_right(self._starts, offset) - 1, 0), len(self._files)):
            source, at = self._files[number], offset - self._starts[number]
            part = min(size, source.size - at)
            yield source, at, part
            offset, size = offset + part, size - part
            if size == 0:
                return

    def _release(self) -> None:
        for source in self._files:
            source.close()


def versions_of(source: Source) -> list[tuple[int, int]]:
    """Return the size and the time of the last change of each file: others once it is replaced.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> versions_of(BytesSource(b"no file"))
    []
    """
    files = source._files if isinstance(source, JoinedSource) else [source]
    return [(file.stat.st_size, file.stat.st_mtime_ns) for file in files if file.stat is not None]
