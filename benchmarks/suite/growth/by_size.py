"""Encoding and decoding against the size of a tensor, and against its density."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import numpy as np

import qcodec
from qcodec import Codebook, Codec, FixedPoint, Lossless, Sparse, Ternary
from qcodec.codecs.pruning import Density
from qcodec.recipes import READY_MADE

from .. import data
from ..measure import Job
from .extent import Extent
from .series import Growth, Series, up_to

_ROW = 256
_PARTS = 10_000  # densities are counted in these

CODECS: dict[str, Codec | None] = {
    "lossless": Lossless(),
    "codebook4": READY_MADE["codebook4"].weights,
    "int8": READY_MADE["int8"].weights,
    "ternary": Ternary(),
    "10 % dense, 4 bits": Sparse(Codebook(4), Density(0.1)),
}
# Slow profiles, and the most microseconds a weight.
_SMALL: dict[str, tuple[Codec, float]] = {
    "codebook4": (Codebook(4), 0.1),
    "deep-compression, 10 % dense": (qcodec.DeepCompression(5, Density(0.1)), 0.2),
}


def weights(count: int) -> np.ndarray:
    """Rows of Gaussian weights."""
    return data.gaussian(count).reshape(-1, min(_ROW, count))


def series(extent: Extent) -> Iterator[Series]:
    """All of them."""
    sizes = up_to(extent.weights, 1 << 8)
    for name, codec in CODECS.items():
        for action, prepare in (("encode", encoding), ("decode", decoding)):
            make = partial(of_weights, prepare, codec)
            yield Series(f"{action}, {name}", "weights", sizes, make, memory=Growth.LINEAR)
    few = up_to(min(extent.weights, 1 << 22), 1 << 12)
    for name, (codec, each) in _SMALL.items():
        make = partial(of_weights, partial(encoding, profile="small"), codec)
        yield Series(f"encode, {name}, small", "weights", few, make, each=each)
    make = partial(of_weights, encoding, FixedPoint(4))
    yield Series("encode, FixedPoint(4)", "weights", sizes, make, memory=Growth.LINEAR, each=0.005)
    yield from _densities(extent)


def _densities(extent: Extent) -> Iterator[Series]:
    count = min(extent.weights, 1 << 24)
    for name, inner in (("lossless", Lossless()), ("4 bits", Codebook(4))):
        for action, prepare in (("encode", encoding), ("decode", decoding)):
            make = partial(_at_density, prepare, inner, count)
            title = f"{action}, sparse {name}"
            yield Series(title, "stored of 10,000 weights", up_to(_PARTS, 1, 10), make)


def _at_density(
    prepare: Callable[[np.ndarray, Codec], Job],
    inner: Codec,
    count: int,
    part: int,
    opened: ExitStack,  # noqa: ARG001
) -> Job:
    dense = weights(count)
    dense[~Density(part / _PARTS).mask(dense)] = 0
    return prepare(dense, Sparse(inner))


def encoding(array: np.ndarray, codec: Codec | None, profile: str = "balanced") -> Job:
    """Encode an array."""
    return lambda: qcodec.encode(array, codec, profile=profile)


def decoding(array: np.ndarray, codec: Codec | None, profile: str = "balanced") -> Job:
    """Decode an array that was encoded before."""
    frame = qcodec.encode(array, codec, profile=profile)
    return lambda: qcodec.decode(frame)


def of_weights(
    prepare: Callable[[np.ndarray, Codec | None], Job],
    codec: Codec | None,
    count: int,
    opened: ExitStack,  # noqa: ARG001
) -> Job:
    """Encode or decode so many weights."""
    return prepare(weights(count), codec)
