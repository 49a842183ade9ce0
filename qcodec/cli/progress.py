"""Shows how far a command is: bytes, rate and time left, on a terminal, once it takes a while.

With rich (the extra ``cli``) it is a bar, otherwise a line of text without control sequences. A
pipe or a file gets nothing. A thread draws it, so that it moves while one large tensor is encoded.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Protocol, Self, TextIO

from .._base.closing import Closing
from .._base.messages import one_line
from .text import hidden_by

#: Shorter work shows nothing.
_QUIET_SECONDS = 2.0
_STEP_SECONDS = 0.2
_MAX_NAME = 40
_FALLBACK_COLUMNS = 80
_UNITS = ("B", "kB", "MB", "GB", "TB")


class Progress(Closing):
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
        self._begun = time.monotonic()
        self._done, self._name = 0, ""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        if not quiet and self._stream is not None and self._stream.isatty():
            self._thread = threading.Thread(target=self._draw, name="qcodec-progress", daemon=True)

    def working_on(self, name: str) -> None:
        """Say what is worked on, such as a tensor."""
        self._name = name

    def advance(self, nbytes: int, name: str) -> None:
        """Count bytes that are done; `name` is what they belong to."""
        self._done += nbytes
        self._name = name

    def _draw(self) -> None:
        """Draw until the end; this runs in a thread of its own."""
        if self._ended.wait(_QUIET_SECONDS):
            return
        with _bar(self._what, self._stream) or _Line(self._what, self._stream) as drawing:
            while True:
                seconds = time.monotonic() - self._begun
                drawing.show(self._done, self._total, seconds, one_line(self._name, _MAX_NAME))
                if self._ended.wait(_STEP_SECONDS):
                    return

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def close(self) -> None:
        """End the display, and leave the terminal as it was."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()


class _Drawing(Protocol):
    """What is drawn; a context manager."""

    def show(self, done: int, total: int, seconds: float, name: str) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...


class _Line(Closing):
    """A line of text, which is written over."""

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what, self._stream = what, stream
        self._length = 0
        self._lock = threading.Lock()

    def show(self, done: int, total: int, seconds: float, name: str) -> None:
        share = min(done / total, 1.0) if total else 0.0
        text = f"{self._what} {100 * share:.0f} %, " + ", ".join(numbers(done, total, seconds))
        text += f": {name}" if name else ""
        with self._lock:
            self._write(text[: _columns(self._stream) - 1])  # a longer one would begin a second

    def hide(self) -> None:
        """Leave the line to a message."""
        with self._lock:
            self._write("")

    def _write(self, text: str) -> None:
        over = " " * (self._length - len(text))
        self._stream.write(f"\r{text}{over}" + ("" if text else "\r"))
        self._stream.flush()
        self._length = len(text)

    def __enter__(self) -> Self:
        hidden_by.append(self.hide)
        return self

    def close(self) -> None:
        """Remove the line."""
        hidden_by.remove(self.hide)
        self.hide()


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _FALLBACK_COLUMNS
    except (OSError, ValueError):
        return _FALLBACK_COLUMNS


def numbers(done: int, total: int, seconds: float) -> tuple[str, str, str]:
    """Return bytes, rate and time left.

    Examples
    --------
    >>> numbers(250_000_000, 1_000_000_000, 2.5)
    ('250.0 MB of 1.0 GB', '100.0 MB/s', '8 s left')
    """
    rate = done / seconds if seconds > 0 else 0.0
    left = f"{time_text(max(total - done, 0) / rate)} left" if rate > 0 else "? s left"
    return f"{size_text(done)} of {size_text(total)}", f"{size_text(rate)}/s", left


def time_text(seconds: float) -> str:
    """Return a time for people.

    Examples
    --------
    >>> time_text(8.2), time_text(125), time_text(7384)
    ('8 s', '2:05 min', '2:03:04 h')
    """
    minutes, left = divmod(round(seconds), 60)
    if not minutes:
        return f"{left} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02} h" if hours else f"{minutes}:{left:02} min"


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


class _Bar(Closing):
    """A bar of rich."""

    def __init__(self, what: str, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        # rich's own columns of rate and time would begin to count when the bar is shown.
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[bytes]}", style="green", markup=False),
            TextColumn("{task.fields[rate]}", style="cyan", markup=False),
            TextColumn("{task.fields[left]}", style="magenta", markup=False),
            TextColumn("{task.fields[name]}", markup=False),
        )
        console = Console(file=stream)
        self._bar = Bar(*columns, console=console, transient=True, auto_refresh=False)
        self._task = self._bar.add_task(what, bytes="", rate="", left="", name="")

    def show(self, done: int, total: int, seconds: float, name: str) -> None:
        text, rate, left = numbers(done, total, seconds)
        fields = {"bytes": text, "rate": rate, "left": left, "name": name}
        self._bar.update(self._task, completed=done, total=total, **fields)
        self._bar.start()  # draws it; the first time it hides the cursor
        self._bar.refresh()

    def close(self) -> None:
        """Remove the bar, and show the cursor again."""
        self._bar.stop()


def _bar(what: str, stream: TextIO) -> _Drawing | None:
    """Return a bar; None without rich, and for terminals that only print."""
    if os.environ.get("TERM") in ("dumb", "unknown"):
        return None
    try:
        return _Bar(what, stream)
    except ImportError:
        return None
