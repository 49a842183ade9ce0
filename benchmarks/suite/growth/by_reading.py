"""Reading parts of a file against the size of its tensor: only chunks that are needed count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import qcodec

from .. import data
from ..measure import Job
from .extent import Extent
from .series import Growth, Series, new_folder, up_to

_ROW = 1 << 10
# Several chunks of every recipe: parts of a tensor that is one chunk take less, as the whole does.
_SMALLEST = 1 << 20

_Read = Callable[[Any, int], object]


def series(extent: Extent) -> Iterator[Series]:
    """All of them."""
    sizes = up_to(max(extent.weights, 2 * _SMALLEST), _SMALLEST)
    for recipe in ("int8", "codebook4"):
        for name, read, time in (
            ("one row", lambda part, rows: part[rows // 2], Growth.CONSTANT),
            ("the first and the last row", lambda part, rows: part[:: rows - 1], Growth.CONSTANT),
            ("one element", lambda part, rows: part[rows // 2, 7], Growth.CONSTANT),
            ("a column", lambda part, _: part[:, 7], Growth.LINEAR),
        ):
            make = partial(_part, recipe, read)
            yield Series(f"{name}, {recipe}", "weights", sizes, make, time, Growth.CONSTANT)
        sixteenth = partial(_part, recipe, lambda part, _: part[::16])
        yield Series(f"every 16th row, {recipe}", "weights", sizes, sixteenth, memory=Growth.LINEAR)
    # The sizes of sections are exact, so the heads of all chunks are read, and nothing else.
    yield Series("info, by pread", "weights", sizes, _info, Growth.LINEAR, Growth.CONSTANT)
    yield Series("one row of a delta, again", "weights", sizes, _delta_row, Growth.CONSTANT)


def _saved(recipe: Any, weights: np.ndarray, opened: ExitStack) -> Path:
    path = new_folder(opened) / "net.qcodec"
    qcodec.save_file({"w": weights}, path, recipe=recipe)
    return path


def _part(recipe: str, read: _Read, count: int, opened: ExitStack) -> Job:
    path = _saved(recipe, data.gaussian(count).reshape(-1, _ROW), opened)
    part = opened.enter_context(qcodec.safe_open(path)).get_slice("w")
    return lambda: read(part, count // _ROW)


def _info(count: int, opened: ExitStack) -> Job:
    path = _saved("codebook4", data.gaussian(count).reshape(-1, _ROW), opened)
    file = opened.enter_context(qcodec.safe_open(path, backend="pread"))
    return lambda: file.info("w")


def _delta_row(count: int, opened: ExitStack) -> Job:
    base = {"w": data.gaussian(count).reshape(-1, _ROW)}
    changed = base["w"].copy()
    changed[::7] *= np.float32(1.001)
    path = _saved(qcodec.Delta(base), changed, opened)
    file = opened.enter_context(qcodec.safe_open(path, base=base))
    part = file.get_slice("w")
    _ = part[0]  # it reads the whole base for its digest
    return lambda: part[0]
