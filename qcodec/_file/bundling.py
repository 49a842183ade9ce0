"""Small tensors of one kind as one frame, which costs fewer bytes than a frame for each.

A frame has a head, a checksum and code tables, and its adaptive codings learn from nothing. In a
net of hundreds of small tensors these are most of what is lost to compressors of whole files. So
tensors that are stored in the same way are laid one after the other in a frame, and the pack says
which elements are whose (format, section 8). A pack is read whole anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._frame.encoded import Encoded
from ..codecs import Codec, Lossless, Verbatim
from ..quantized import Groups, Quantized
from .container import Bundle, Content

Array = np.ndarray[Any, Any]

#: Profiles that leave tensors where a single one is found fastest.
_ALONE = ("fast", "fixed")
#: Elements of a tensor that may join others, and of a frame of several.
MAX_TENSOR_ELEMENTS = 1 << 18
_MAX_FRAME_ELEMENTS = 1 << 20
#: To leave the larger tensors alone may be smaller, as they have structure of their own.
_SMALL_ELEMENTS = (1 << 12, 1 << 15, MAX_TENSOR_ELEMENTS)
#: What a part costs in the table beyond what a frame costs there.
_PART_BYTES = 2


@dataclass(frozen=True, eq=False)
class Small:
    """A tensor that may join others, and its frame if it does not.

    Attributes
    ----------
    quantized : Quantized
    codec : Codec or None
    frame : bytes
    """

    quantized: Quantized
    codec: Codec | None
    frame: bytes


#: Encodes a `Quantized` as a frame.
Encode = Callable[[Quantized, Codec | None], bytes]


def may_join(quantized: Quantized, codec: Codec | None, profile: str) -> bool:
    """Whether a tensor can be part of a frame of several."""
    return (
        profile not in _ALONE
        and not isinstance(codec, Verbatim)
        and 0 < quantized.size <= MAX_TENSOR_ELEMENTS
        and quantized.base is None
        # A form that the caller asks for is that of each tensor.
        and (quantized.positions is None or codec is None or codec.positions == "auto")
        and _has_one_group(quantized)
    )


def _has_one_group(quantized: Quantized) -> bool:
    """Whether all elements share their parameters."""
    codebook, scale = quantized.codebook, quantized.scale
    return (
        not quantized.codes_dtype
        and (codebook is None or len(codebook.values) == 1)
        and (scale is None or (len(scale.values) == 1 and scale.second is None))
        and isinstance(quantized.zero_point, (int, np.integer))
    )


def joined(tensors: Mapping[str, Small], encode: Encode) -> dict[str, Content]:
    """Return the content of each name: a frame of its own, or a part of one where that is smaller.

    Parameters
    ----------
    tensors : mapping of str to Small
    encode : callable
        Encodes as the frames of `tensors` were.
    """
    ways = [_joined(tensors, encode)]
    forms = {name: _as_stored(small) for name, small in tensors.items()}
    if any(forms[name] is not small for name, small in tensors.items()):
        ways.append(_joined(forms, encode))
    best = min(ways, key=lambda way: way.cost)
    contents: dict[str, Content] = {name: small.frame for name, small in tensors.items()}
    for bundle in best.found:
        contents |= dict.fromkeys(bundle.shapes, bundle)
    return contents


def _as_stored(small: Small) -> Small:
    """Return a tensor as the codes that its frame has, if it was quantized before."""
    if not isinstance(small.codec, Lossless) or small.quantized.kind != "bytes":
        return small
    stored = Encoded(small.frame).quantized()
    has_codes = stored.kind in ("affine", "codebook") and _has_one_group(stored)
    return replace(small, quantized=stored) if has_codes else small


@dataclass(frozen=True, eq=False)
class _Bundles:
    """Frames of several tensors, and by how many bytes they are larger than a frame for each."""

    found: list[Bundle]
    cost: int


def _joined(tensors: Mapping[str, Small], encode: Encode) -> _Bundles:
    """Return the frames of tensors that are stored in the same way."""
    found, cost = [], 0
    for names in _grouped(tensors, lambda name: _kind_of(tensors[name])):
        alike = _grouped(names, lambda name: name.rpartition(".")[2])
        ways = [[names], alike] if len(alike) > 1 else [[names]]
        best = min((_bundles(way, tensors, encode) for way in ways), key=lambda way: way.cost)
        found += best.found
        cost += best.cost
    return _Bundles(found, cost)


def _bundles(
    groups: Sequence[Sequence[str]], tensors: Mapping[str, Small], encode: Encode
) -> _Bundles:
    found, cost = [], 0
    for names in groups:
        for some in _runs(names, tensors):
            bundle, saved = _best(some, tensors, encode)
            if bundle is not None:
                found.append(bundle)
                cost -= saved
    return _Bundles(found, cost)


def _grouped(names: Iterable[str], key: Callable[[str], Any]) -> list[list[str]]:
    groups: dict[Any, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return list(groups.values())


def _kind_of(small: Small) -> Any:
    """Return what tensors of one frame have in common."""
    quantized = small.quantized
    codebook, scale = quantized.codebook, quantized.scale
    # Without loss, the number of codes is nobody's choice, and may grow.
    entries = None if codebook is None else codebook.values.shape[1]
    parameters = (
        None if isinstance(small.codec, Lossless) else (quantized.bits, entries),
        codebook and quantized.codebook_dtype,
        scale and quantized.scale_dtype,
        quantized.zero_point if scale is None else 0,
    )
    is_sparse = quantized.positions is not None
    gap_bits = getattr(small.codec, "gap_bits", None) if is_sparse else None
    kernel = quantized.shape[2:] if len(quantized.shape) > 2 else ()
    return quantized.dtype, quantized.kind, parameters, is_sparse, gap_bits, kernel


def _runs(names: Sequence[str], tensors: Mapping[str, Small]) -> list[list[str]]:
    """Cut a list of tensors where a frame would be too large."""
    runs: list[list[str]] = []
    elements = _MAX_FRAME_ELEMENTS
    for name in names:
        elements += tensors[name].quantized.size
        if elements > _MAX_FRAME_ELEMENTS:
            runs.append([])
            elements = tensors[name].quantized.size
        runs[-1].append(name)
    return runs


def _best(
    names: Sequence[str], tensors: Mapping[str, Small], encode: Encode
) -> tuple[Bundle | None, int]:
    """Return the frame of several of these tensors that saves most, and the bytes that it saves."""
    best: Bundle | None = None
    most, tried = 0, 1
    for limit in _SMALL_ELEMENTS:
        some = [name for name in names if tensors[name].quantized.size <= limit]
        if len(some) <= tried:
            continue
        tried = len(some)
        frame = encode(
            _concatenated([tensors[name].quantized for name in some]), tensors[some[0]].codec
        )
        saved = sum(len(tensors[name].frame) - _PART_BYTES for name in some) - len(frame)
        if saved > most:
            most = saved
            best = Bundle(frame, {name: tensors[name].quantized.shape for name in some})
    return best, most


def _concatenated(parts: Sequence[Quantized]) -> Quantized:
    """Return tensors one after the other, in rows where they have the same rows."""
    first = parts[0]
    sizes = [part.size for part in parts]
    starts = np.cumsum([0, *sizes[:-1]])
    positions = None
    if first.positions is not None:
        moved = [part.positions + start for part, start in zip(parts, starts, strict=True)]
        positions = np.concatenate(moved)
    row = _common_row([part.shape for part in parts])
    shape = (sum(sizes) // math.prod(row), *row)
    points = np.array([part.zero_point for part in parts], np.uint16)
    by_part = bool((points != points[0]).any())
    return replace(
        first,
        shape=shape,
        bits=max(part.bits for part in parts),
        codes=np.concatenate([part.codes for part in parts]),
        positions=positions,
        codebook=_joined_groups([part.codebook for part in parts], sizes, False),
        scale=_joined_groups([part.scale for part in parts], sizes, by_part),
        zero_point=points if by_part else first.zero_point,
    )


def _joined_groups(
    groups: Sequence[Groups | None], sizes: Sequence[int], by_part: bool
) -> Groups | None:
    """Return a group for each tensor; one for all if they are equal, unless `by_part`."""
    found = [group.values for group in groups if group is not None]
    if not found:
        return None
    if found[0].ndim > 1:
        found = _of_equal_length(found)
    values = np.concatenate(found)
    bits = values.reshape(len(values), -1).view(np.uint8)
    if not by_part and (bits == bits[0]).all():
        return Groups(values[:1])
    return Groups(values, lengths=np.array(sizes, np.int64))


def _of_equal_length(codebooks: Sequence[Array]) -> list[Array]:
    """Return codebooks whose last entries are repeated, up to the length of the longest."""
    entries = max(book.shape[1] for book in codebooks)
    return [np.pad(book, ((0, 0), (0, entries - book.shape[1])), "edge") for book in codebooks]


def _common_row(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the last dims that all shapes have, but for their first."""
    common: tuple[int, ...] = ()
    for axis in range(1, min(len(shape) for shape in shapes)):
        last = {shape[-axis] for shape in shapes}
        if len(last) > 1:
            break
        common = (last.pop(), *common)
    return common
