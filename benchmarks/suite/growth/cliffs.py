"""Sizes close to each other: a smaller tensor never takes more time than a larger one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import numpy as np

import qcodec
from qcodec import Codebook, Codec, Sparse
from qcodec.codecs.pruning import Density

from ..measure import Job
from .by_size import decoding, encoding, of_weights, weights
from .extent import Extent
from .series import Growth, Series

_STEPS = 4  # sizes an octave
_SMALLEST, _LARGEST = 12, 22  # as powers of two
_PRUNED = 1 << 25
_SMALLEST_LAYER = 1 << 12
_LAYERS = (2, 4, 8, 16, 32, 64, 128)
_CODECS: dict[str, Codec] = {
    "4 bits": Codebook(4),
    "10 % dense, 4 bits": Sparse(Codebook(4), Density(0.1)),
}


def series(extent: Extent) -> Iterator[Series]:
    """All of them."""
    powers = np.arange(_STEPS * _SMALLEST, _STEPS * _LARGEST + 1) / _STEPS
    sizes = sorted({int(2**power) // 256 * 256 for power in powers if 2**power <= extent.weights})
    for name, codec in _CODECS.items():
        for action, prepare in (("encode", encoding), ("decode", decoding)):
            work = partial(of_weights, prepare, codec)
            title = f"{action} sizes close together, {name}"
            yield Series(title, "weights", tuple(sizes), work, Growth.NO_CLIFF)
    for action, make in (("save", _save), ("load", _load)):
        count = min(_PRUNED, extent.weights)
        layers = tuple(number for number in _LAYERS if _SMALLEST_LAYER * number <= count)
        work = partial(make, count)
        title = f"{action} equal layers of one net, 10 % dense"
        yield Series(title, "layers", layers, work, Growth.LEVEL)


def _save(count: int, layers: int, opened: ExitStack) -> Job:  # noqa: ARG001
    parts = np.split(weights(count), layers)
    net = {f"{at}.weight": part for at, part in enumerate(parts)}
    return lambda: qcodec.save(net, recipe=_CODECS["10 % dense, 4 bits"])


def _load(count: int, layers: int, opened: ExitStack) -> Job:
    saved = _save(count, layers, opened)()
    return lambda: qcodec.load(saved)
