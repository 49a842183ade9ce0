"""Shows how far a command is: bytes, rate and time left, on a terminal, once it takes a while.

With rich (the extra ``cli``) it is a bar, otherwise a line of text. A pipe or a file gets nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TextIO

from .._base.messages import one_line
from .._io.later import Part, size_of

#: Shorter work shows nothing.
_QUIET_SECONDS = 2.0
#: Seconds between two lines of text.
_STEP_SECONDS = 0.1
_MAX_NAME = 40
_CLEAR = "\r\x1b[K"
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Progress:
    """A command's progress; a context manager.

    Parameters
    ----------
    what : str
        The work in one word, such as ``"encoding"``.
    total : int
        Number of bytes.
    quiet : bool
        Whether to show nothing at all.
    stream : file, optional
        Where it is shown; the default is the standard error.
    """

    def __init__(
        self, what: str, total: int, quiet: bool = False, stream: TextIO | None = None
    ) -> None:
        self._what, self._total = what, total
        self._stream = sys.stderr if stream is None else stream
        self._is_shown = not quiet and self._stream is not None and self._stream.isatty()
        self._begun = self._shown = time.monotonic()
        self._done = 0
        self._bar: Any = None
        self._has_line = False

    def advance(self, nbytes: int, name: str) -> None:
        """Count bytes that are done; `name` is what they belong to."""
        self._done += nbytes
        now = time.monotonic()
        if not self._is_shown or now - self._begun < _QUIET_SECONDS:
            return
        if self._bar is None:
            self._bar = _bar(self._what, self._total, self._stream)
        shown = one_line(name, _MAX_NAME)
        if self._bar:
            self._bar.show(self._done, shown)
        elif now - self._shown >= _STEP_SECONDS:
            self._shown, self._has_line = now, True
            text = line(self._what, self._done, self._total, now - self._begun, shown)
            self._stream.write(_CLEAR + text)
            self._stream.flush()

    def counting(self, parts: Iterable[Part], name: str) -> Iterator[Part]:
        """Yield the parts of a file that is written, each counted once the next is requested."""
        for part in parts:
            size = size_of(part)
            yield part
            self.advance(size, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif self._has_line:
            self._stream.write(_CLEAR)
            self._stream.flush()


def line(what: str, done: int, total: int, seconds: float, name: str) -> str:
    """Return a line of progress.

    Examples
    --------
    >>> line("encoding", 250_000_000, 1_000_000_000, 2.5, "fc.weight")
    'encoding 25 %, 250.0 MB of 1.0 GB, 100.0 MB/s, 8 s left: fc.weight'
    """
    share = done / total if total else 1.0
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{(total - done) / rate:.0f} s left" if rate > 0 else "? s left"
    sizes = f"{size_text(done)} of {size_text(total)}"
    return f"{what} {share:.0%}, {sizes}, {size_text(rate)}/s, {left}: {name}".replace("%", " %")


def size_text(nbytes: float) -> str:
    """Return a number of bytes for people.

    Examples
    --------
    >>> size_text(999), size_text(90_000_000)
    ('999 B', '90.0 MB')
    """
    unit = 0
    while nbytes >= 1000 and unit < len(_UNITS) - 1:
        nbytes, unit = nbytes / 1000, unit + 1
    return f"{nbytes:.1f} {_UNITS[unit]}" if unit else f"{nbytes:.0f} B"


class _Bar:
    """A bar of rich."""

    def __init__(self, what: str, total: int, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import (
            Progress as Bar,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[name]}", markup=False),
        )
        self._bar = Bar(*columns, console=Console(file=stream), transient=True)
        self._task = self._bar.add_task(what, total=total, name="")
        self._bar.start()

    def show(self, done: int, name: str) -> None:
        self._bar.update(self._task, completed=done, name=name)

    def stop(self) -> None:
        self._bar.stop()


def _bar(what: str, total: int, stream: TextIO) -> Any:
    """Return a bar; False without rich."""
    try:
        return _Bar(what, total, stream)
    except ImportError:
        return False
