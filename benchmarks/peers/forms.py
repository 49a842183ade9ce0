"""The numbers of a case as arrays of bytes, for compressors that know nothing of tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from qcodec.quantized import Quantized

from . import packing, parameters, positions
from .case import Array, Tensors

#: Gaps of 15 or 255 are fillers.
_GAP_BITS = (4, 8)


@dataclass(frozen=True)
class Form:
    """One way to write a case down.

    Attributes
    ----------
    name : str
        Such as ``"mask, codes packed"``.
    streams : list of ndarray of uint8
        Positions, then codes: what can be compressed.
    rest : bytes
        Codebooks, scales and all data that is not quantized.
    rebuild : callable
        Streams and the rest to tensors.
    dtypes : list of numpy.dtype
        What the streams hold, if those are whole arrays.
    """

    name: str
    streams: list[Array]
    rest: bytes
    rebuild: Callable[[list[Array], bytes], dict[str, Array]]
    dtypes: list[np.dtype] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        """All of it in one piece."""
        return b"".join(stream.tobytes() for stream in self.streams) + self.rest

    @property
    def bytes(self) -> int:
        """Of the piece."""
        return sum(len(stream) for stream in self.streams) + len(self.rest)

    def rebuild_data(self, data: bytes) -> dict[str, Array]:
        """Tensors from what `data` gave."""
        streams, at = [], 0
        for stream in self.streams:
            streams.append(np.frombuffer(data, np.uint8, len(stream), at))
            at += len(stream)
        return self.rebuild(streams, data[at:])


def forms(tensors: Tensors) -> list[Form]:
    """Codes one a byte or packed; positions as gaps or masks; or whole floats and their planes."""
    quantized = [tensor for tensor in tensors.values() if isinstance(tensor, Quantized)]
    if not quantized:
        return list(_of_arrays(tensors))
    sparse = any(tensor.positions is not None for tensor in quantized)
    return [
        _of_codes(tensors, masks, packed)
        for masks in ((False, True) if sparse else (False,))
        for packed in (False, True)
    ]


def _of_codes(tensors: Tensors, masks: bool, packed: bool) -> Form:
    parts = {
        name: _Part(tensor, masks, packed)
        for name, tensor in tensors.items()
        if isinstance(tensor, Quantized)
    }
    raw = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, np.ndarray)}
    where = [part.where for part in parts.values()]
    streams = [np.concatenate(where), np.concatenate([part.codes for part in parts.values()])]
    rest = [part.parameters for part in parts.values()] + [a.tobytes() for a in raw.values()]

    def rebuild(streams: list[Array], rest: bytes) -> dict[str, Array]:
        found = {}
        marks, codes, at = 0, 0, 0
        for name, part in parts.items():
            found[name] = part.rebuild(
                streams[0][marks : marks + len(part.where)],
                streams[1][codes : codes + len(part.codes)],
                rest[at : at + len(part.parameters)],
            )
            marks, codes = marks + len(part.where), codes + len(part.codes)
            at += len(part.parameters)
        for name, array in raw.items():
            flat = np.frombuffer(rest, array.dtype, array.size, at)
            found[name] = flat.reshape(array.shape)
            at += array.nbytes
        return {name: found[name] for name in tensors}

    sparse = len(streams[0]) > 0
    where_name = ("masks, " if masks else "gaps, ") if sparse else ""
    name = f"{where_name}codes {'packed' if packed else 'one a byte'}"
    return Form(name, streams, b"".join(rest), rebuild)


class _Part:
    """A quantized tensor in one form."""

    def __init__(self, tensor: Quantized, masks: bool, packed: bool) -> None:
        self.tensor = tensor
        self.bits = packing.width((1 << tensor.bits) - 1) if packed else 8
        self.codes = packing.pack(tensor.codes, self.bits)
        self.parameters = parameters.to_bytes(tensor)
        self.masks, self.gap_bits, self.gaps = masks, 8, 0
        self.where = np.zeros(0, np.uint8)
        if tensor.positions is None:
            return
        if masks:
            self.where = positions.to_mask(tensor.positions, tensor.size)
            return
        gaps = {bits: positions.to_gaps(tensor.positions, (1 << bits) - 1) for bits in _GAP_BITS}
        if packed:
            self.gap_bits = min(_GAP_BITS, key=lambda bits: bits * len(gaps[bits]))
        self.gaps = len(gaps[self.gap_bits])
        self.where = packing.pack(gaps[self.gap_bits], self.gap_bits)

    def rebuild(self, where: Array, codes: Array, data: bytes) -> Array:
        """The tensor as float32."""
        tensor = self.tensor
        codes = packing.unpack(codes, self.bits, tensor.stored)
        values = np.take(parameters.table(tensor, data), codes)
        if tensor.positions is None:
            return values.reshape(tensor.shape)
        if self.masks:
            found = positions.from_mask(where, tensor.size)
        else:
            gaps = packing.unpack(where, self.gap_bits, self.gaps)
            found = positions.from_gaps(gaps, (1 << self.gap_bits) - 1)
        dense = np.zeros(tensor.size, np.float32)
        dense[found] = values
        return dense.reshape(tensor.shape)


def _of_arrays(tensors: Tensors) -> Iterator[Form]:
    """The bytes as they are, and the first bytes of all elements, then the second ones, ...

    Each dtype has a stream of its own.
    """
    arrays = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, np.ndarray)}
    dtypes = list(dict.fromkeys(array.dtype for array in arrays.values()))
    groups = [[name for name in arrays if arrays[name].dtype == dtype] for dtype in dtypes]
    flats = [np.concatenate([arrays[name].reshape(-1) for name in group]) for group in groups]
    rows = [flat.view(np.uint8).reshape(-1, flat.itemsize) for flat in flats]

    def split(flats: Iterable[Array]) -> dict[str, Array]:
        found = {}
        for group, flat in zip(groups, flats, strict=True):
            ends = np.cumsum([arrays[name].size for name in group])[:-1]
            for name, piece in zip(group, np.split(flat, ends), strict=True):
                found[name] = piece.reshape(arrays[name].shape)
        return {name: found[name] for name in arrays}

    def whole(streams: list[Array], _: bytes) -> dict[str, Array]:
        return split(s.view(dtype) for s, dtype in zip(streams, dtypes, strict=True))

    def planes(streams: list[Array], _: bytes) -> dict[str, Array]:
        columns = (s.reshape(dtype.itemsize, -1) for s, dtype in zip(streams, dtypes, strict=True))
        return whole([np.ascontiguousarray(one.T).reshape(-1) for one in columns], b"")

    yield Form("as they are", [one.reshape(-1) for one in rows], b"", whole, dtypes)
    yield Form("byte planes", [one.T.reshape(-1) for one in rows], b"", planes, dtypes)
