"""A tensor among several that share one frame (format, section 8)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._core import core
from ..errors import CorruptError, UnsupportedError
from ..quantized import Groups, Quantized
from . import ids
from .inspection import Info


class Part(NamedTuple):
    """The place of a tensor in a frame that holds several, one after the other.

    Attributes
    ----------
    first : int
        The number of its first element.
    shape : tuple of int
    """

    first: int
    shape: tuple[int, ...]

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def check_part(part: Part, frame: core.Frame) -> None:
    """Raise `QCodecError` if the frame has no such part."""
    if part.first + part.elements > frame.elements:
        raise CorruptError(
            f"a part of shape {list(part.shape)} from element {part.first:,} of a frame of "
            f"{frame.elements:,} elements"
        )
    if ids.KIND_NAMES[frame.kind] == "delta":
        raise UnsupportedError("a part of a frame of kind delta")


def part_of(whole: Quantized, part: Part) -> Quantized:
    """Return one tensor of the `Quantized` of a frame."""
    start, stop = part.first, part.first + part.elements
    positions, codes = whole.positions, whole.codes[start:stop]
    if positions is not None:
        begin, end = np.searchsorted(positions, (start, stop))
        positions, codes = positions[begin:end] - start, whole.codes[begin:end]
    zero: Any = whole.zero_point
    if whole.scale is not None and not isinstance(zero, (int, np.integer)):
        zero = _groups_of(replace(whole.scale, values=zero), part).values
    return replace(
        whole,
        shape=part.shape,
        codes=codes,
        positions=positions,
        codebook=whole.codebook and _groups_of(whole.codebook, part),
        scale=whole.scale and _groups_of(whole.scale, part),
        zero_point=zero,
    )


def _groups_of(groups: Groups, part: Part) -> Groups:
    """Return the groups of a part: one, or in general one for each of its elements."""
    if len(groups.values) == 1 or part.elements == 0:
        return replace(groups, values=groups.values[:1], lengths=None)
    numbers = groups.of(np.arange(part.first, part.first + part.elements))
    if (numbers == numbers[0]).all():
        numbers = numbers[:1]
    return Groups(groups.values[numbers], second=groups.second)


def share_of(whole: Info, part: Part) -> Info:
    """Return a part's share of its frame, by elements.

    The shares of all parts add up to the frame, and so do those of each of its sections. Parts of
    a frame without elements have no bytes.
    """
    elements = max(whole.elements, 1)

    def share(count: int) -> int:
        before = count * part.first // elements
        return count * (part.first + part.elements) // elements - before

    sections = [replace(section, bytes=share(section.bytes)) for section in whole.sections]
    return replace(
        whole,
        shape=part.shape,
        elements=part.elements,
        stored=share(whole.stored),
        dense_bytes=share(whole.dense_bytes),
        bytes=sum(section.bytes for section in sections),
        sections=tuple(section for section in sections if section.bytes),
    )
