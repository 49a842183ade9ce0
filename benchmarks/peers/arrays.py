"""Peers that take arrays: streams of codes, whole floats, or layers of integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from qcodec.quantized import Quantized

from ..suite import deep_cabac, peers_python
from ..suite.peers_python import Codec
from . import parameters
from .case import Array, Case
from .forms import Form
from .stored import Stored, bytes_of

#: Packages that are asked, on PyPI's names.
FOR_CODES = ("openzl", "pcodec", "nncodec")
FOR_FLOATS = ("zipnn", "pcodec", "openzl", "blosc2")


def of_floats(form: Form, dtype: np.dtype) -> tuple[list[Stored], list[str]]:
    """Compressors of float32 or bfloat16, on all elements of a case in one array."""
    flat = form.streams[0].view(dtype)
    codecs, missing = peers_python.codecs(flat, FOR_FLOATS)
    return [_of_array(codec, codec.encode(flat), form) for codec in codecs], missing


def _of_array(codec: Codec, coded: Any, form: Form) -> Stored:
    def tensors() -> dict[str, Array]:
        given = codec.decode(coded)
        return form.rebuild([np.frombuffer(given, np.uint8)], b"")

    return Stored(codec.name, "", len(coded), partial(codec.decode, coded), tensors)


def of_codes(forms: list[Form]) -> tuple[list[Stored], list[str]]:
    """Compressors of integers, on the streams of each form."""
    found, missing = [], []
    for package, coder in (("openzl", _openzl), ("pcodec", _pcodec)):
        try:
            found += [_of_streams(form, coder()) for form in forms]
        except ImportError:
            missing.append(package)
    return found, missing


@dataclass(frozen=True)
class _StreamCoder:
    name: str
    encode: Callable[[Array], Any]
    decode: Callable[[Any], Array]


def _openzl() -> _StreamCoder:
    (codec,) = peers_python.FACTORIES["openzl"](np.zeros(1, np.uint8))
    return _StreamCoder(codec.name, codec.encode, codec.decode)


def _pcodec() -> _StreamCoder:
    """It refuses bytes, so they are handed over as uint16."""
    (codec,) = peers_python.FACTORIES["pcodec"](np.zeros(1, np.uint16))
    return _StreamCoder(
        "pcodec",
        lambda stream: codec.encode(stream.astype(np.uint16)),
        lambda data: codec.decode(data).astype(np.uint8),
    )


def _of_streams(form: Form, coder: _StreamCoder) -> Stored:
    coded = [coder.encode(stream) if len(stream) else None for stream in form.streams]
    empty = np.zeros(0, np.uint8)

    def decompress() -> list[Array]:
        return [empty if data is None else coder.decode(data) for data in coded]

    size = sum(len(data) for data in coded if data is not None) + len(form.rest)
    return Stored(
        coder.name, form.name, size, decompress, lambda: form.rebuild(decompress(), form.rest)
    )


def deep_cabac_of(case: Case) -> Stored:
    """DeepCABAC on each tensor's own integers, 0 for absent weights and for the level nearest zero.

    Raises
    ------
    ImportError
        Without nncodec.
    """
    layers = {
        name: _Layer(tensor)
        for name, tensor in case.tensors.items()
        if isinstance(tensor, Quantized)
    }
    raw = {name: tensor for name, tensor in case.tensors.items() if name not in layers}
    rest = {name: bytes_of(tensor) for name, tensor in raw.items()}

    def decompress() -> list[Array]:
        return [layer.decompress() for layer in layers.values()]

    def tensors() -> dict[str, Array]:
        found: dict[str, Array] = {name: layer.tensor() for name, layer in layers.items()}
        for name, array in raw.items():
            assert isinstance(array, np.ndarray)
            found[name] = np.frombuffer(rest[name], array.dtype).reshape(array.shape)
        return {name: found[name] for name in case.tensors}

    size = sum(layer.bytes for layer in layers.values()) + sum(map(len, rest.values()))
    return Stored("nncodec DeepCABAC", "layers of integers", size, decompress, tensors)


class _Layer:
    """One tensor's levels in order, numbered from the one nearest zero."""

    def __init__(self, tensor: Quantized) -> None:
        data = parameters.to_bytes(tensor)
        table = parameters.table(tensor, data)
        sparse = tensor.positions is not None
        self.levels = np.unique(np.append(table, np.float32(0)) if sparse else table)
        self.zero = int(np.abs(self.levels).argmin())
        self.shape = tensor.shape
        rows = np.searchsorted(self.levels, tensor.dequantize()).astype(np.int32) - self.zero
        self.rows = rows.shape if rows.ndim == 2 else (len(rows), rows.size // len(rows))
        self.coded = deep_cabac.encode(rows.reshape(self.rows))
        self.bytes = len(self.coded) + len(data)

    def decompress(self) -> Array:
        out = np.zeros(self.rows, np.int32)
        deep_cabac.decode(self.coded, out)
        return out

    def tensor(self) -> Array:
        return np.take(self.levels, self.decompress() + self.zero).reshape(self.shape)
