"""Whether a thread is to stop: what long calls ask several times a second."""

from __future__ import annotations

import threading


class Stopped(BaseException):
    """Ends the work of a thread whose pool stops; not an Exception, as nobody is to handle it."""


class _Thread(threading.local):
    stop: threading.Event | None = None


_thread = _Thread()


def obey(stop: threading.Event) -> None:
    """From now on, `check` raises in this thread once the event is set."""
    _thread.stop = stop


def check() -> None:
    """Raise `Stopped` if the pool of this thread stops.

    Examples
    --------
    >>> check()
    """
    stop = _thread.stop
    if stop is not None and stop.is_set():
        raise Stopped
