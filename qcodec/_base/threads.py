"""Runs work on several threads, none of which outlives the call that started it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import NoReturn, TypeVar

from .._core import sharing
from .._core.interrupt import Stopped, check, obey

Item = TypeVar("Item")
Result = TypeVar("Result")
#: A call that may return another one, which the calling thread makes.
Task = Callable[[], Callable[[], None] | None]

#: Neither Ctrl-C on Windows nor the stop of a pool can interrupt a wait for a lock.
PATIENCE_SECONDS = 0.1
_RUNS_PER_THREAD = 4


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
            yield result_of(waiting.popleft())
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def result_of(future: Future[Result]) -> Result:
    """Return the result of a future, or raise its error; a stop or Ctrl-C ends the wait."""
    while not wait((future,), PATIENCE_SECONDS).done:
        check()
    return future.result()


def run_all(tasks: Iterable[Task], threads: int) -> None:
    """Run tasks on the calling thread and, if `threads` is above 1, on others beside it.

    Tasks are taken from the iterable when a thread is free, so they may be made one by one. If
    tasks fail, no further ones are begun, and the error of the first in order is raised: the one
    that a single thread would meet. All threads have ended when the function returns or raises.

    Parameters
    ----------
    tasks : iterable of callable
        A task may return a callable. The calling thread calls it, soon after. Work in Python is
        best done so, because threads do not share it, and small arrays too are best made there:
        memory that other threads allocate grows page by page.
    threads : int
        Number of threads, the calling one included; at least 1.

    Examples
    --------
    >>> found = []
    >>> run_all([lambda: found.append(1), lambda: lambda: found.append(2)], threads=2)
    >>> sorted(found)
    [1, 2]
    """
    if threads == 1:
        for task in tasks:
            check()
            rest = task()
            if rest is not None:
                rest()
        return
    queue = _Queue(tasks)
    helpers = [_Helper(queue) for _ in range(threads - 1)]
    try:
        for helper in helpers:
            helper.start()
        queue.work(queue.finish)
        for helper in helpers:
            while helper.is_alive():
                helper.join(PATIENCE_SECONDS)
                check()
        queue.finish()
    finally:
        for helper in helpers:
            helper.stop.set()
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    queue.raise_error()


@contextmanager
def shared_among(threads: int) -> Iterator[None]:
    """Let C calls of this thread share their work among so many threads, this one included.

    Quantizers take no number of threads: what they compute does not depend on it. The threads are
    those of the calling thread alone, so a thread of a pool has no others.

    Examples
    --------
    >>> with shared_among(2):
    ...     sharing.threads().count
    2
    """
    before = sharing.give(_Sharing(threads) if threads > 1 else None)
    try:
        yield
    finally:
        sharing.give(before)


class _Sharing:
    """Runs the tasks of a C call, and merges what they found in the order of the tasks."""

    def __init__(self, count: int) -> None:
        self.count = count

    def run(
        self, tasks: int, run: Callable[[int], object], merge: Callable[[int, object], None]
    ) -> None:
        found: dict[int, object] = {}
        merged = 0

        def merge_in_order(task: int, result: object) -> None:
            nonlocal merged
            found[task] = result
            while merged in found:
                merge(merged, found.pop(merged))
                merged += 1

        def one(task: int) -> Callable[[], None]:
            return partial(merge_in_order, task, run(task))

        run_all((partial(one, task) for task in range(tasks)), min(self.count, tasks))


#: Work for which a thread is worth starting, in bytes of output at the speed of memory. Starting
#: one takes as long as 4 MB, and the speed of memory does not double.
LEAST_WORK = 12 << 20


def runs_of(count: int, each: int, work: int, threads: int) -> list[tuple[int, int]]:
    """Split items into runs for several threads: the start and stop of each.

    There are more runs than threads, because runs take different times and threads may be
    interrupted. Small work is one run, because starting a thread would take longer.

    Parameters
    ----------
    count : int
        Number of items.
    each : int
        A run has a multiple of this many items, except the last one.
    work : int
        As `LEAST_WORK` counts it.
    threads : int

    Raises
    ------
    ValueError
        If `threads` is below 1.

    Examples
    --------
    >>> runs_of(10, 2, work=2 * LEAST_WORK, threads=2)
    [(0, 2), (2, 4), (4, 6), (6, 10)]
    >>> runs_of(10, 2, work=LEAST_WORK, threads=2)
    [(0, 10)]
    """
    threads = worthwhile(threads, work)
    if threads == 1:
        return [(0, count)]
    units = -(-count // each)
    runs = min(threads * _RUNS_PER_THREAD, units, 2 * work // LEAST_WORK)
    stops = [min(units * run // runs * each, count) for run in range(runs + 1)]
    return list(pairwise(stops))


def worthwhile(threads: int, work: int) -> int:
    """Return how many of the threads are worth starting for some work.

    Raises
    ------
    ValueError
        If `threads` is below 1.

    Examples
    --------
    >>> [worthwhile(4, work) for work in (0, 2 * LEAST_WORK, 100 * LEAST_WORK)]
    [1, 2, 4]
    """
    if threads < 1:
        raise ValueError(f"threads={threads}: at least 1")
    return max(min(threads, work // LEAST_WORK), 1)


class _Queue:
    """Tasks that several threads take one after the other, until one fails."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = iter(tasks)
        self._lock = threading.Lock()
        self._taken = 0
        self._failed: tuple[int, BaseException] | None = None
        self._rests: deque[tuple[int, Callable[[], None]]] = deque()

    def work(self, between: Callable[[], None]) -> None:
        """Take and run tasks until there are none, or one has failed."""
        while True:
            between()
            # Making a task may take long, and a thread that waits must be able to stop.
            while not self._lock.acquire(timeout=PATIENCE_SECONDS):
                check()
            number = self._taken
            self._taken += 1
            try:
                task = None if self._failed else next(self._tasks, None)
            except Exception as error:
                task = partial(_raise, error)
            finally:
                self._lock.release()
            if task is None:
                return
            try:
                check()
                rest = task()
            except Exception as error:
                self.fail(number, error)
            else:
                if rest is not None:
                    self._rests.append((number, rest))

    def finish(self) -> None:
        """Do what tasks have left to the calling thread."""
        while self._rests:
            number, rest = self._rests.popleft()
            try:
                check()
                rest()
            except Exception as error:
                self.fail(number, error)

    def fail(self, number: int, error: BaseException) -> None:
        """Keep the error of a task, unless one of an earlier task is kept."""
        with self._lock:
            if self._failed is None or number < self._failed[0]:
                self._failed = number, error

    def raise_error(self) -> None:
        """Raise the error that was kept, if there is one."""
        failed, self._failed = self._failed, None
        if failed is not None:
            try:
                raise failed[1]
            finally:
                del failed  # the error refers to this frame


def _raise(error: BaseException) -> NoReturn:
    raise error


class _Helper(threading.Thread):
    """A thread beside the calling one."""

    def __init__(self, queue: _Queue) -> None:
        super().__init__(name="qcodec")
        self.stop = threading.Event()
        self._queue = queue

    def run(self) -> None:
        obey(self.stop)
        try:
            self._queue.work(check)
        except Stopped:
            pass
        except BaseException as error:  # nobody else would notice
            self._queue.fail(-1, error)
