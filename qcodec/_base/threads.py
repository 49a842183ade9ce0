"""Runs work on several threads, none of which outlives the call that started it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from .._core.interrupt import check, obey

Item = TypeVar("Item")
Result = TypeVar("Result")

# Neither Ctrl-C on Windows nor the stop of a pool can interrupt a wait for a lock.
_PATIENCE_SECONDS = 0.1


def in_order(
    function: Callable[[Item], Result], items: Collection[Item], threads: int
) -> Generator[Result, None, None]:
    """Yield the function's results in the order of the items; several are computed at once.

    If the function raises, or the caller is interrupted or closes the iterator, waiting calls
    are dropped and running ones are stopped: C calls check for a stop several times per second.
    All threads have ended when the error reaches the caller.

    Parameters
    ----------
    function : callable
    items : collection
    threads : int
        Number of threads; no more are started than there are items. 1: each result is computed
        on the caller's thread when it is requested.

    Raises
    ------
    ValueError
        If `threads` is below 1.

    Examples
    --------
    >>> list(in_order(len, ["a", "bcd", ""], threads=2))
    [1, 3, 0]
    """
    if threads < 1:
        raise ValueError(f"threads={threads}: at least 1")
    threads = min(threads, len(items))
    if threads <= 1:
        for item in items:
            check()
            yield function(item)
        return
    stop = threading.Event()
    pool = ThreadPoolExecutor(threads, "qcodec", obey, (stop,))
    try:
        waiting = deque(pool.submit(function, item) for item in items)
        while waiting:
            yield _result(waiting.popleft())
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _result(future: Future[Result]) -> Result:
    while not wait((future,), _PATIENCE_SECONDS).done:
        check()
    return future.result()
