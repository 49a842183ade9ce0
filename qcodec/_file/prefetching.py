"""Tensors that are decoded in the background, before they are requested."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import groupby
from operator import attrgetter
from typing import Any

from .._base.closing import Closing
from .._base.messages import quoted
from .._base.threads import PATIENCE_SECONDS, result_of
from .._core.interrupt import check, obey
from ..errors import MissingTensorError, naming
from .directory import Stored

Load = Callable[[Sequence[Stored]], dict[str, Any]]


class PrefetchLoader(Closing):
    """Tensors that threads decode in the background; `TensorFile.prefetch` returns it.

    Each tensor is handed out once: by `take`, or by iteration. A tensor that was handed out is not
    kept. The file must stay open until all tensors are decoded, or the loader is closed.

    Parameters
    ----------
    tensors : sequence of Stored
    load : callable
        Decodes the tensors of a sequence, all of which are in one place of the file: one after the
        other, so that a frame which they share is decoded once. Returns them by name.
    threads : int

    Raises
    ------
    ValueError
        If `threads` is below 1.
    """

    def __init__(self, tensors: Sequence[Stored], load: Load, threads: int) -> None:
        self._process, self._stop, self._is_closed = os.getpid(), threading.Event(), False
        if threads < 1:
            raise ValueError(f"threads={threads}: at least 1")
        ordered = sorted(tensors, key=attrgetter("offset"))
        self._names = [stored.name for stored in ordered]
        self._pool = ThreadPoolExecutor(threads, "qcodec", obey, (self._stop,))
        self._waiting: dict[str, Future[dict[str, Any]]] = {}
        for _, group in groupby(ordered, attrgetter("offset")):
            alike = list(group)
            found = self._pool.submit(_checked, load, alike)
            self._waiting |= dict.fromkeys((stored.name for stored in alike), found)

    def names(self) -> list[str]:
        """Return the names of all tensors of this loader, in the order of their bytes."""
        return list(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def take(self, name: str) -> Any:
        """Hand out a tensor; wait until it is decoded.

        Raises
        ------
        MissingTensorError
            If the loader has no such tensor, or has handed it out already.
        QCodecError
            If the tensor, or one that shares its frame, is not valid.
        ValueError
            If the loader is closed.
        """
        self._check_usable()
        return self._handed_out(name, self._waiting.get(name))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Hand out names and tensors as they are decoded; those that were taken are left out."""
        self._check_usable()
        while waiting := list(self._waiting.items()):
            futures = {future for _, future in waiting}
            done = wait(futures, PATIENCE_SECONDS, FIRST_COMPLETED).done
            check()
            for name, future in waiting:
                if future in done and name in self._waiting:  # or it was taken meanwhile
                    yield name, self._handed_out(name, future)

    def close(self) -> None:
        """Stop decoding, and release the tensors that were not handed out."""
        self._is_closed = True
        self._waiting.clear()
        if os.getpid() == self._process:
            self._stop.set()
            self._pool.shutdown(cancel_futures=True)

    def __del__(self) -> None:
        if os.getpid() == self._process:
            self._stop.set()

    def _handed_out(self, name: str, future: Future[dict[str, Any]] | None) -> Any:
        tensors = {} if future is None else result_of(future)
        if self._waiting.pop(name, None) is None:  # another thread may have taken it
            state = "was handed out already" if name in self._names else "is not in this loader"
            raise MissingTensorError(f"tensor {quoted(name)} {state}")
        return tensors.pop(name)

    def _check_usable(self) -> None:
        if os.getpid() != self._process:
            raise ValueError("the loader belongs to the process that forked: start one in this one")
        if self._is_closed:
            raise ValueError("the loader is closed")


def _checked(load: Load, alike: Sequence[Stored]) -> dict[str, Any]:
    check()
    return load(alike)


def check_slice(name: str, part: slice, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless the slice is one of step 1 of a tensor's first dimension."""
    with naming(name):
        if not shape:
            raise ValueError("a tensor without dimensions has no slices")
        if part.step not in (None, 1):
            raise ValueError(f"the slice has step {part.step}, allowed is 1")
