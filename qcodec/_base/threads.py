"""Work on several threads, none of which outlives the call that started it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from .._core.interrupt import check, obey

Item = TypeVar("Item")
Result = TypeVar("Result")

# Waiting for a lock cannot be interrupted everywhere (not on Windows), nor by a pool's stop.
_PATIENCE_SECONDS = 0.1


def in_order(
    function: Callable[[Item], Result], items: Collection[Item], threads: int
) -> Generator[Result, None, None]:
    """The function's results, in the order of the items; several are computed at the same time.

    If the function raises, or the caller is interrupted or closes the iterator, what waits is
    dropped and what runs is stopped: C calls ask several times a second whether to go on. All
    threads have ended when the error arrives.

    Parameters
    ----------
    function : callable
    items : collection
    threads : int
        At most one for each item. 1: results are computed when they are asked for, on the
        caller's thread.

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
