"""Small tensors of one kind as one frame, which costs fewer bytes than a frame for each.

A frame has a head, a checksum and code tables, and its adaptive codings learn from nothing. In a
net of hundreds of small tensors these are most of what is lost to compressors of whole files. So
tensors that are stored in the same way are laid one after the other in a frame, and the pack says
which elements are whose (format, section 8). A pack is read whole anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._base.threads import in_order
from .._frame.encoded import Encoded
from .._frame.exact_forms import exact_forms
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
#: A tensor with no more bytes of codes may wait to be encoded.
_MAX_WAITING_BYTES = 1 << 13
#: So many tensors of one sort are encoded, to estimate the sizes of all; and how many standard
#: deviations the mean of all may be away from theirs.
_SAMPLED, _DEVIATIONS = 48, 6
#: What a part costs in the table beyond what a frame costs there.
_PART_BYTES = 2


#: Encodes a `Quantized` as a frame.
Encode = Callable[[Quantized, Codec | None], bytes]


@dataclass(frozen=True, eq=False)
class Small:
    """A tensor that may join others.

    Attributes
    ----------
    quantized : Quantized
    codec : Codec or None
    encode : callable
        Encodes the tensor; called once, if its own frame is needed.
    """

    quantized: Quantized
    codec: Codec | None
    encode: Encode

    @cached_property
    def frame(self) -> bytes:
        """The tensor's own frame, if it does not join others."""
        return self.encode(self.quantized, self.codec)

    @property
    def is_encoded(self) -> bool:
        """Whether the frame is there already."""
        return "frame" in self.__dict__


def may_wait(quantized: Quantized, codec: Codec | None) -> bool:
    """Whether a tensor that may join others need not be encoded before it is known if it does.

    Its frame is below the size of large ones then, and has the kind of the `Quantized`.
    """
    if quantized.codes.nbytes > _MAX_WAITING_BYTES:
        return False
    if not isinstance(codec, Lossless) or quantized.kind != "bytes":
        return True
    return not exact_forms(quantized)


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


def joined(tensors: Mapping[str, Small], encode: Encode, threads: int = 1) -> dict[str, Content]:
    """Return the content of each name: a frame of its own, or a part of one where that is smaller.

    Parameters
    ----------
    tensors : mapping of str to Small
    encode : callable
        Encodes as the frames of `tensors` are encoded.
    threads : int
        Number of tensors that are encoded at the same time.
    """
    sizes = _Sizes(tensors, threads)
    best = _best_way(tensors, sizes, encode)
    if sizes.was_close:
        sizes.settle()
        best = _best_way(tensors, sizes, encode)
    contents: dict[str, Content] = {}
    for bundle in best.found:
        contents |= dict.fromkeys(bundle.shapes, bundle)
    alone = [name for name in tensors if name not in contents]
    return contents | dict(zip(alone, sizes.frames(alone), strict=True))


def _best_way(tensors: Mapping[str, Small], sizes: _Sizes, encode: Encode) -> _Bundles:
    ways = [_joined(tensors, sizes, encode)]
    forms = {name: _as_stored(small) for name, small in tensors.items()}
    if any(forms[name] is not small for name, small in tensors.items()):
        ways.append(_joined(forms, sizes, encode))
    return sizes.least(ways)


def _as_stored(small: Small) -> Small:
    """Return a tensor as the codes that its frame has, if it was quantized before."""
    if not isinstance(small.codec, Lossless) or small.quantized.kind != "bytes":
        return small
    if not small.is_encoded:  # it has no other form
        return small
    stored = Encoded(small.frame).quantized()
    has_codes = stored.kind in ("affine", "codebook") and _has_one_group(stored)
    return replace(small, quantized=stored) if has_codes else small


@dataclass(frozen=True, eq=False)
class _Bundles:
    """Frames of several tensors, and by how many bytes they are larger than a frame for each."""

    found: list[Bundle]
    cost: float

    @property
    def names(self) -> frozenset[str]:
        """The tensors that share a frame."""
        return frozenset(name for bundle in self.found for name in bundle.shapes)


class _Sizes:
    """The sizes of the tensors' own frames, known or estimated from those of some alike.

    Most small tensors share a frame, so most of their own frames are never needed. A decision that
    is closer than the estimates are certain is noted in `was_close`; `settle` then encodes all.
    """

    def __init__(self, tensors: Mapping[str, Small], threads: int) -> None:
        self._tensors, self._threads = tensors, threads
        self._bytes: dict[str, float] = {}
        self._doubts: dict[str, float] = {}
        self.was_close = False
        self._bundles: dict[tuple[int, ...], bytes] = {}
        by_class = _grouped(tensors, lambda name: _class_of(tensors[name]))
        some = [names[:: -(-len(names) // _SAMPLED)] for names in by_class]
        self.frames([name for names in some for name in names])  # on all threads
        for names, sample in zip(by_class, some, strict=True):
            self._estimate(names, [len(tensors[name].frame) for name in sample])

    def _estimate(self, names: list[str], sample: list[int]) -> None:
        mean = sum(sample) / len(sample)
        spread = max(float(np.std(sample)) * _DEVIATIONS / math.sqrt(len(sample)), mean / 64)
        for name in names:
            known = self._tensors[name].is_encoded
            self._bytes[name] = len(self._tensors[name].frame) if known else mean
            self._doubts[name] = 0.0 if known else spread

    def frames(self, names: Sequence[str]) -> list[bytes]:
        """Return the own frames of these tensors."""
        with closing(
            in_order(lambda name: self._tensors[name].frame, names, self._threads)
        ) as all_:
            return list(all_)

    def settle(self) -> None:
        """Encode every tensor: sizes are known then."""
        for name, frame in zip(self._tensors, self.frames([*self._tensors]), strict=True):
            self._bytes[name], self._doubts[name] = len(frame), 0.0

    def saved(self, names: Sequence[str], frame: bytes) -> float:
        """Return how many bytes it saves if these tensors share this frame."""
        return sum(self._bytes[name] - _PART_BYTES for name in names) - len(frame)

    def bundled(self, some: Sequence[Small], encode: Encode) -> bytes:
        """Return the frame of several tensors, encoded once even if it is asked for again."""
        parts = [small.quantized for small in some]
        key = tuple(map(id, parts))
        if key not in self._bundles:
            self._bundles[key] = encode(_concatenated(parts), some[0].codec)
        return self._bundles[key]

    def compare(self, one: float, other: float, names: Iterable[str]) -> bool:
        """Return whether one saves more than the other, which depends on these tensors' sizes."""
        if abs(one - other) <= sum(self._doubts[name] for name in names):
            self.was_close = True
        return one > other

    def least(self, ways: Sequence[_Bundles]) -> _Bundles:
        """Return the first of the ways that cost least."""
        best = ways[0]
        for way in ways[1:]:
            if self.compare(-way.cost, -best.cost, way.names ^ best.names):
                best = way
        return best


def _joined(tensors: Mapping[str, Small], sizes: _Sizes, encode: Encode) -> _Bundles:
    """Return the frames of tensors that are stored in the same way."""
    found, cost = [], 0.0
    for names in _grouped(tensors, lambda name: _kind_of(tensors[name])):
        alike = _grouped(names, lambda name: name.rpartition(".")[2])
        ways = [[names], alike] if len(alike) > 1 else [[names]]
        best = sizes.least([_bundles(way, tensors, sizes, encode) for way in ways])
        found += best.found
        cost += best.cost
    return _Bundles(found, cost)


def _bundles(
    groups: Sequence[Sequence[str]], tensors: Mapping[str, Small], sizes: _Sizes, encode: Encode
) -> _Bundles:
    found, cost = [], 0.0
    for names in groups:
        for some in _runs(names, tensors):
            bundle, saved = _best(some, tensors, sizes, encode)
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


def _class_of(small: Small) -> Any:
    """Return what tensors with frames of about the same size have in common."""
    return _kind_of(small), small.quantized.shape, type(small.codec)


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
    names: Sequence[str], tensors: Mapping[str, Small], sizes: _Sizes, encode: Encode
) -> tuple[Bundle | None, float]:
    """Return the frame of several of these tensors that saves most, and the bytes that it saves."""
    best: Bundle | None = None
    most, tried = 0.0, 1
    for limit in _SMALL_ELEMENTS:
        some = [name for name in names if tensors[name].quantized.size <= limit]
        if len(some) <= tried:
            continue
        tried = len(some)
        frame = sizes.bundled([tensors[name] for name in some], encode)
        saved = sizes.saved(some, frame)
        others = best.shapes if best else ()
        if sizes.compare(saved, most, [name for name in some if name not in others]):
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
