"""Opens a frame by reading its head, and no more than necessary."""

from __future__ import annotations

from .._core import core
from .._io.source import BytesSource, Readable
from ..errors import CorruptError, TruncatedError

_FIRST_READ = 4096  # bytes: most heads fit


def read_head(source: Readable, verify: bool) -> core.Frame:
    """Read and check the head of a frame that fills a source.

    Raises
    ------
    QCodecError
        If the head is not valid, or the length of the source is not the declared one.
    """
    total = source.size
    take = total if isinstance(source, BytesSource) else min(total, _FIRST_READ)
    while True:
        data = source.read(0, take)
        try:
            frame = core.Frame.read(data, take == total, verify)
        except TruncatedError as error:
            if take == total:
                raise
            # The head may declare any length, so at most what the source has is read.
            take = min(total, max(2 * take, error.allowed or 0))
            continue
        if take == total:
            return frame
        _check_length(total, frame.frame_bytes)
        if frame.chunk_elements > 0:
            return frame
        take = total  # the CRC of an unchunked frame covers all of it


def _check_length(found: int, declared: int) -> None:
    if found != declared:
        kind = TruncatedError if found < declared else CorruptError
        message = f"frame: {found:,} bytes are there, it declares {declared:,}"
        raise kind(message, min(found, declared), found, declared)
