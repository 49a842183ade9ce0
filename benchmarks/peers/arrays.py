"""Peers that take arrays: streams of codes, whole floats, or layers of integers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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


#: The size of what a coder of arrays does not take.
Aside = Callable[[bytes], int]
Factory = Callable[[Array], list[Codec]]


def of_floats(
    form: Form, aside: Aside = len, factories: Mapping[str, Factory] | None = None
) -> tuple[list[Stored], list[str]]:
    """Compressors of arrays, on all elements of each dtype of a case in one array.

    Parameters
    ----------
    form : Form
    aside : callable
        Gets the arrays of dtypes that a compressor does not take.
    factories : mapping of str to callable, optional
        Codecs for an array, by package; of these, the one that makes it smallest counts.

    Returns
    -------
    list of Stored
    list of str
        Packages that are not installed.
    """
    if factories is None:
        factories = {package: peers_python.FACTORIES[package] for package in FOR_FLOATS}
    flats = [s.view(dtype) for s, dtype in zip(form.streams, form.dtypes, strict=True)]
    found, missing = [], []
    for package, factory in factories.items():
        try:
            pieces = [_Piece(factory, flat) for flat in flats]
        except ImportError:
            missing.append(package)
            continue
        if any(piece.codec for piece in pieces):
            found.append(_of_pieces(pieces, form, aside))
    return found, missing


class _Piece:
    """One array as a package codes it, or as bytes that are put aside."""

    def __init__(self, factory: Factory, flat: Array) -> None:
        tries = [(codec, codec.encode(flat)) for codec in factory(flat)]
        empty: tuple[Codec | None, Any] = (None, flat.tobytes())
        self.codec, self.coded = min(tries, key=lambda one: len(one[1]), default=empty)

    def decompress(self) -> Any:
        """The array's bytes."""
        return self.codec.decode(self.coded) if self.codec else self.coded


def _of_pieces(pieces: list[_Piece], form: Form, aside: Aside) -> Stored:
    coded = [piece for piece in pieces if piece.codec]
    rest = b"".join(piece.coded for piece in pieces if not piece.codec)

    def decompress() -> list[Any]:
        return [piece.decompress() for piece in pieces]

    def tensors() -> dict[str, Array]:
        return form.rebuild([np.frombuffer(one, np.uint8) for one in decompress()], b"")

    size = sum(len(piece.coded) for piece in coded) + aside(rest)
    assert coded[0].codec is not None
    return Stored(coded[0].codec.name, "", size, decompress, tensors)


def of_codes(
    forms: list[Form], aside: Aside = len, packages: Iterable[str] = ("openzl", "pcodec")
) -> tuple[list[Stored], list[str]]:
    """Compressors of integers, on the streams of each form."""
    found, missing = [], []
    coders = {"openzl": _openzl, "pcodec": _pcodec}
    for package in packages:
        try:
            coder = coders[package]()
            found += [_of_streams(form, coder, aside) for form in forms]
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


def _of_streams(form: Form, coder: _StreamCoder, aside: Aside) -> Stored:
    coded = [coder.encode(stream) if len(stream) else None for stream in form.streams]
    empty = np.zeros(0, np.uint8)

    def decompress() -> list[Array]:
        return [empty if data is None else coder.decode(data) for data in coded]

    size = sum(len(data) for data in coded if data is not None) + aside(form.rest)
    return Stored(
        coder.name, form.name, size, decompress, lambda: form.rebuild(decompress(), form.rest)
    )


def has_integers(case: Case) -> bool:
    """Whether there is anything for DeepCABAC."""
    return any(map(_is_layer, case.tensors.values()))


def _is_layer(tensor: Quantized | Array) -> bool:
    return isinstance(tensor, Quantized) or (tensor.dtype == np.int8 and tensor.ndim > 1)


def deep_cabac_of(case: Case, aside: Aside = len) -> Stored:
    """DeepCABAC on each tensor's own integers, 0 for absent weights and for the level nearest zero.

    Arrays of int8 are integers, too; other arrays and all parameters are put aside.

    Raises
    ------
    ImportError
        Without nncodec.
    """
    layers: dict[str, _Layer | _Integers] = {}
    for name, tensor in case.tensors.items():
        if _is_layer(tensor):
            layers[name] = _Layer(tensor) if isinstance(tensor, Quantized) else _Integers(tensor)
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

    parts = [layer.parameters for layer in layers.values()] + list(rest.values())
    size = sum(len(layer.coded) for layer in layers.values()) + aside(b"".join(parts))
    return Stored("nncodec DeepCABAC", "layers of integers", size, decompress, tensors)


class _Integers:
    """One array of int8."""

    parameters = b""

    def __init__(self, array: Array) -> None:
        self.shape = array.shape
        self.coded = deep_cabac.encode(array.reshape(len(array), -1).astype(np.int32))

    def decompress(self) -> Array:
        """The integers by rows."""
        out = np.zeros((self.shape[0], math.prod(self.shape[1:])), np.int32)
        deep_cabac.decode(self.coded, out)
        return out

    def tensor(self) -> Array:
        """The array."""
        return self.decompress().astype(np.int8).reshape(self.shape)


class _Layer:
    """One tensor's levels in order, numbered from the one nearest zero."""

    def __init__(self, tensor: Quantized) -> None:
        self.parameters = parameters.to_bytes(tensor)
        table = parameters.table(tensor, self.parameters)
        sparse = tensor.positions is not None
        self.levels = np.unique(np.append(table, np.float32(0)) if sparse else table)
        self.zero = int(np.abs(self.levels).argmin())
        self.shape = tensor.shape
        rows = np.searchsorted(self.levels, tensor.dequantize()).astype(np.int32) - self.zero
        self.rows = rows.shape if rows.ndim == 2 else (len(rows), rows.size // len(rows))
        self.coded = deep_cabac.encode(rows.reshape(self.rows))

    def decompress(self) -> Array:
        out = np.zeros(self.rows, np.int32)
        deep_cabac.decode(self.coded, out)
        return out

    def tensor(self) -> Array:
        return np.take(self.levels, self.decompress() + self.zero).reshape(self.shape)
