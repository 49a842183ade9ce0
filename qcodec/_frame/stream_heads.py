"""The streams of chunks, found by their headers: their bodies are not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core import core

#: Role, coding, bytes, offset.
Stream = tuple[int, int, int, int]

# More than there can be from one stream's body to the next one's: numbers of at most ten bytes.
_BETWEEN = 64
# A chunk of no more bytes is read at once.
_SHORT = 4096


class StreamHeads:
    """Finds the streams of chunks, and the number of stored elements.

    Parameters
    ----------
    frame : core.Frame
    read : callable
        Returns bytes of the frame by offset and size.
    is_view : bool
        Whether `read` copies nothing, so that whole chunks may be requested.
    """

    def __init__(self, frame: core.Frame, read: Callable[[int, int], Any], is_view: bool) -> None:
        self._frame, self._read, self._is_view = frame, read, is_view
        self._buffer = np.zeros(0, np.uint8)

    def of_chunk(self, index: int) -> tuple[list[Stream], int]:
        """Return the streams of a chunk, and its number of stored elements."""
        frame = self._frame
        offset, length, _, _ = frame.chunk(index)
        if not self._is_view and length > _SHORT:
            found = self._by_parts(index, offset, length)
            if found is not None:
                return found
        chunk = self._read(offset, length)  # if it is broken, only the whole tells how
        return frame.streams(index, chunk), frame.stored(index, chunk)

    def _by_parts(self, index: int, offset: int, length: int) -> tuple[list[Stream], int] | None:
        """Read what follows each stream's body, once the stream's header is there.

        Returns None for a chunk that is broken. Nothing is looked at before it was read: where a
        stream's header is, all up to it is known.
        """
        if len(self._buffer) < length:
            self._buffer = np.zeros(length, np.uint8)
        chunk, frame, filled, end = self._buffer[:length], self._frame, 0, 0
        number = 0
        while True:
            start, stop = max(end, filled), min(end + _BETWEEN, length)
            if start < stop:
                chunk[start:stop] = self._read(offset + start, stop - start)
                filled = stop
            streams, is_complete = frame.first_streams(index, chunk)
            if number == len(streams):
                return (streams, frame.stored(index, chunk)) if is_complete else None
            _, _, size, at = streams[number]
            end, number = at + size, number + 1
