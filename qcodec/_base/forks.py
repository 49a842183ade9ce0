"""Locks that work in a forked child."""

from __future__ import annotations

import os
import threading

_renewing = threading.Lock()
_process = object()  # another one in each child


class ForkLock:
    """A lock that is open in a forked child, even if another thread held it at the fork.

    That thread does not exist in the child, so a plain lock would never be released there.

    Examples
    --------
    >>> lock = ForkLock()
    >>> with lock:
    ...     print("held")
    held
    """

    __slots__ = ("_lock", "_process")

    def __init__(self) -> None:
        self._lock, self._process = threading.Lock(), _process

    def __enter__(self) -> None:
        if self._process is not _process:
            self._renew()
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        with _renewing:
            if self._process is not _process:
                self._lock, self._process = threading.Lock(), _process


def _in_child() -> None:
    global _process, _renewing
    _process, _renewing = object(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
