"""Which threads share the work of C calls: those that the calling thread has been given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Threads(Protocol):
    """Runs the tasks of a C call on several threads."""

    count: int

    def run(
        self, tasks: int, run: Callable[[int], object], merge: Callable[[int, object], None]
    ) -> None:
        """Call `run` for each task, on any thread, and then `merge` in the order of the tasks."""


class _Given(threading.local):
    threads: Threads | None = None


_given = _Given()


def threads() -> Threads | None:
    """Return the threads that C calls of this thread may share their work among; None: no others.

    Examples
    --------
    >>> threads() is None
    True
    """
    return _given.threads


def give(threads: Threads | None) -> Threads | None:
    """Give this thread others for its C calls, and return what it had before."""
    before, _given.threads = _given.threads, threads
    return before
