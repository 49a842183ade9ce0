"""Stops threads: long calls check several times per second whether to stop."""

from __future__ import annotations

import threading


class Stopped(BaseException):
    """Ends the work of a thread whose pool stops; not an Exception, so that no code handles it."""


class _Thread(threading.local):
    stop: threading.Event | None = None


_thread = _Thread()


def obey(stop: threading.Event) -> None:
    """Make `check` raise in this thread once the event is set."""
    _thread.stop = stop


def check() -> None:
    """Raise `Stopped` if the pool of this thread is stopping.

    Examples
    --------
    >>> check()
    """
    stop = _thread.stop
    if stop is not None and stop.is_set():
        raise Stopped
