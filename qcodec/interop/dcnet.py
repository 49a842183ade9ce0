"""Reads and writes the `.net` files of the authors of Deep Compression (arXiv 1510.00149).

A `.net` file contains neither names nor shapes, so reading one needs a list of its layers. All
integers are little-endian::

    u32 stored[layers]
    for each layer:
        f32 codebook[2**bits]
        f32 bias[outputs]
        codes   one byte each at 8 bits; at 4 bits two per byte, the low nibble first
        gaps    4 bits each, two per byte, the low nibble first

A stored weight is gap + 1 elements after the previous one. More than 15 absent weights between two
stored ones are bridged by fillers (gap 15, code 0). Codebook entry 0 is 0.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._base.messages import quoted, shape_text
from .._io.source import BytesSource, open_source
from ..errors import CorruptError, TruncatedError
from ..limits import DEFAULT_LIMITS, Limits
from ..quantized import Groups, Quantized

Array = np.ndarray[Any, Any]

_LARGEST_GAP = 15


@dataclass(frozen=True)
class Layer:
    """The properties of a layer that its `.net` file does not contain.

    Parameters
    ----------
    name : str
    shape : tuple of int
        The shape of the weights; the first dimension is the number of outputs, and of biases.
    bits : int, optional
        Bits per code, 4 or 8. The default is the authors' rule: 8 if the name contains
        ``conv``, otherwise 4.
    """

    name: str
    shape: tuple[int, ...]
    bits: int = 0

    def __post_init__(self) -> None:
        if self.bits == 0:
            object.__setattr__(self, "bits", 8 if "conv" in self.name else 4)
        if self.bits not in (4, 8):
            raise ValueError(f"layer {quoted(self.name)}: codes have 4 or 8 bits, not {self.bits}")
        if len(self.shape) == 0 or min(self.shape) < 1:
            raise ValueError(
                f"layer {quoted(self.name)}: shape {shape_text(self.shape)} "
                "has no outputs or no weights"
            )

    @property
    def size(self) -> int:
        """The number of weights, absent ones included."""
        return math.prod(self.shape)


class LayerData(NamedTuple):
    """One layer of a network.

    Attributes
    ----------
    weights : Quantized
        Of kind codebook, with one codebook of 2**bits float32 entries, and the positions of
        the stored weights.
    biases : numpy.ndarray of float32
        Shape (outputs,).
    """

    weights: Quantized
    biases: Array


def read(
    source: Any,
    layers: Iterable[Layer | Mapping[str, Any]],
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[str, LayerData]:
    """Read a `.net` file.

    Parameters
    ----------
    source : path or bytes-like
    layers : iterable of Layer or of mapping
        In the order of the file; a mapping has the keys ``name``, ``shape`` and optionally
        ``bits``.
    limits : Limits, optional

    Returns
    -------
    dict of str to LayerData
        In the order of the file. Fillers are left out; `write` adds them again.

    Raises
    ------
    TruncatedError
        If the file ends before its last layer does.
    CorruptError
        If the file continues after its last layer, a position is outside a layer's shape, a
        codebook does not begin with 0, or an unused nibble is not 0.
    LimitError
        If the file or a layer is larger than `limits` allows.

    Examples
    --------
    >>> weights = Quantized(
    ...     shape=(2, 20),
    ...     dtype="float32",
    ...     kind="codebook",
    ...     codes=np.array([1, 2], np.uint8),
    ...     positions=np.array([3, 39]),
    ...     bits=4,
    ...     codebook=Groups(np.arange(16, dtype=np.float32).reshape(1, 16)),
    ... )
    >>> data = write({"fc": LayerData(weights, np.ones(2, np.float32))})
    >>> read(data, [Layer("fc", (2, 20))])["fc"].weights.positions
    array([ 3, 39])
    """
    data = _bytes_of(source, limits)
    plan = [layer if isinstance(layer, Layer) else _layer_of(layer) for layer in layers]
    cursor = _Cursor(data)
    stored = cursor.take("<u4", len(plan), "number of stored weights per layer")
    for layer in plan:
        limits.check_tensor(4 * layer.size, len(data))
    limits.check_total(sum(4 * layer.size for layer in plan), len(data))
    network = {}
    for layer, count in zip(plan, stored.tolist(), strict=True):
        if layer.name in network:
            raise ValueError(f"layer {quoted(layer.name)} is in the list twice")
        network[layer.name] = _read_layer(cursor, layer, count)
    if cursor.at != len(data):
        raise CorruptError(
            f"network ends at byte {cursor.at:,}, but the file has {len(data):,}: "
            "another list of layers?",
            offset=cursor.at,
            found=len(data),
            allowed=cursor.at,
        )
    return network


def write(network: Mapping[str, LayerData | tuple[Quantized, Array]]) -> bytes:
    """Return the bytes of a `.net` file, from which `read` restores the same network.

    Parameters
    ----------
    network : mapping of str to LayerData
        In the order of the file. The names are not stored.

    Raises
    ------
    ValueError
        If a layer's weights do not have 4 or 8 bits and one unscaled codebook with entry 0
        equal to 0, or if the number of biases differs from that of the outputs.
    """
    parts: list[bytes] = []
    counts = []
    for name, (weights, biases) in network.items():
        _check_writable(name, weights, biases)
        gaps, codes = _with_fillers(weights)
        counts.append(len(gaps))
        parts += [
            _codebook_of(weights).astype("<f4").tobytes(),
            biases.astype("<f4").tobytes(),
            codes.tobytes() if weights.bits == 8 else _pack_nibbles(codes),
            _pack_nibbles(gaps),
        ]
    return np.array(counts, "<u4").tobytes() + b"".join(parts)


def _bytes_of(source: Any, limits: Limits) -> memoryview:
    opened = open_source(source, "pread") if isinstance(source, str | os.PathLike) else None
    with opened or BytesSource(source) as found:
        limits.check_file(found.size)
        return found.read(0, found.size)


def _layer_of(row: Mapping[str, Any]) -> Layer:
    return Layer(row["name"], tuple(row["shape"]), row.get("bits", 0))


class _Cursor:
    """Takes one array after another from the bytes of a file."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def take(self, dtype: str, count: int, what: str) -> Array:
        end = self.at + count * np.dtype(dtype).itemsize
        if end > len(self.data):
            raise TruncatedError(
                f"{what}: needs the bytes up to {end:,}, the file has {len(self.data):,}: "
                "incomplete download, or another list of layers?",
                offset=self.at,
                found=len(self.data),
                allowed=end,
            )
        array = np.frombuffer(self.data[self.at : end], dtype)
        self.at = end
        return array

    def take_codes(self, bits: int, count: int, what: str) -> Array:
        return self.take("u1", count, what) if bits == 8 else self.take_nibbles(count, what)

    def take_nibbles(self, count: int, what: str) -> Array:
        packed = self.take("u1", (count + 1) // 2, what)
        nibbles = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)
        if count % 2 == 1 and nibbles[count] != 0:
            raise CorruptError(
                f"{what}: the nibble after the last one is not 0",
                offset=self.at - 1,
                found=int(nibbles[count]),
                allowed=0,
            )
        return nibbles[:count]


def _read_layer(cursor: _Cursor, layer: Layer, count: int) -> LayerData:
    what = f"layer {quoted(layer.name)}"
    if count > layer.size:
        raise CorruptError(
            f"{what}: {count:,} stored weights, but its shape has {layer.size:,} weights",
            found=count,
            allowed=layer.size,
        )
    start = cursor.at
    codebook = cursor.take("<f4", 1 << layer.bits, f"{what}, codebook").astype(np.float32)
    if codebook[0] != 0:
        raise CorruptError(f"{what}: entry 0 of its codebook is {codebook[0]}, not 0", offset=start)
    biases = cursor.take("<f4", layer.shape[0], f"{what}, biases").astype(np.float32)
    codes = cursor.take_codes(layer.bits, count, f"{what}, codes")
    gaps = cursor.take_nibbles(count, f"{what}, gaps")
    positions = np.cumsum(gaps + np.int64(1)) - 1
    if count > 0 and positions[-1] >= layer.size:
        raise CorruptError(
            f"{what}: a stored weight at position {positions[-1]:,}, but its shape has "
            f"{layer.size:,} weights",
            found=int(positions[-1]),
            allowed=layer.size - 1,
        )
    present = (gaps != _LARGEST_GAP) | (codes != 0)
    weights = Quantized(
        shape=layer.shape,
        dtype="float32",
        kind="codebook",
        codes=codes[present],
        positions=positions[present],
        bits=layer.bits,
        codebook=Groups(codebook.reshape(1, -1)),
    )
    return LayerData(weights, biases)


def _check_writable(name: str, weights: Quantized, biases: Array) -> None:
    what = f"layer {quoted(name)}"
    if weights.kind != "codebook" or weights.bits not in (4, 8) or weights.scale is not None:
        raise ValueError(f"{what}: only unscaled codebooks of 4 or 8 bits can be stored")
    book = _codebook_of(weights)
    if book.shape != (1, 1 << weights.bits):
        raise ValueError(
            f"{what}: the codebook's shape is {book.shape}, not (1, {1 << weights.bits})"
        )
    if book[0, 0] != 0:
        raise ValueError(f"{what}: entry 0 of the codebook is {book[0, 0]}, not 0")
    outputs = weights.shape[0] if weights.shape else 1
    if biases.shape != (outputs,):
        raise ValueError(f"{what}: the biases' shape is {biases.shape}, not ({outputs},)")


def _codebook_of(weights: Quantized) -> Array:
    assert weights.codebook is not None  # of kind codebook
    return weights.codebook.values


def _with_fillers(weights: Quantized) -> tuple[Array, Array]:
    """Return gaps and codes of all stored weights, with fillers where a gap exceeds 4 bits."""
    positions, stored = weights.positions, weights.codes
    if positions is None:  # stored dense: pruned weights have code 0
        positions = np.flatnonzero(stored)
        stored = stored[positions]
    absent = np.diff(positions, prepend=-1) - 1
    fillers = absent // (_LARGEST_GAP + 1)
    places = np.arange(len(positions)) + np.cumsum(fillers)
    total = len(positions) + int(fillers.sum())
    gaps = np.full(total, _LARGEST_GAP, np.uint8)
    codes = np.zeros(total, np.uint8)
    gaps[places] = absent % (_LARGEST_GAP + 1)
    codes[places] = stored
    return gaps, codes


def _pack_nibbles(values: Array) -> bytes:
    padded = np.append(values, np.zeros(len(values) % 2, np.uint8))
    packed: Array = padded[0::2] | padded[1::2] << 4
    return packed.tobytes()
