"""Which groups of a tensor may have an exact form, and what one look at their elements tells."""

from __future__ import annotations

import math
from functools import lru_cache

from .._core import core
from ..dtypes import ElementType, element_type

# Smaller groups take as much for their scale as for their codes.
_MIN_MEMBERS = 8
#: Sizes of blocks that have a scale.
BLOCKS = (128, 64, 32)
# An axis with fewer indices is the side of a filter.
_MIN_INDICES = 16
#: In fewer elements a search would take longer than their encoding.
MIN_HALVES = 64


@lru_cache(maxsize=256)
def probe_of(shape: tuple[int, ...], dtype: str) -> core.ExactProbe:
    """Return what one call looks at before any search begins: the first elements of each.

    Small tensors are many and soon encoded, so calls count.
    """
    element, size = element_type(dtype), math.prod(shape)
    row = row_of(shape, size)
    first = row or size
    # The first run of the shortest ones is part of the first run of all others.
    run = min([first, *(block for block in BLOCKS if size > block)])
    axes = []
    for axis in axes_of(shape, size):
        inner = math.prod(shape[axis + 1 :])
        axes.append((math.prod(shape[:axis]), shape[axis] * inner, inner))
    return core.ExactProbe(
        element.id,
        size,
        max_values(size),
        row,
        max_values(row),
        min(first, core.PROBED_ITEMS),
        min(run, core.PROBED_ITEMS),
        widest_level(element),
        dtype == "float32" and size >= MIN_HALVES,
        axes,
    )


def max_values(members: int) -> int:
    """Return how many values a codebook for this many elements may have."""
    return min(core.MAX_VALUES, members * 3 // 4)


def widest_level(element: ElementType) -> int:
    """Return the maximum level of equal steps."""
    # Codes of 16 bits are no gain over elements of 16 bits.
    return core.MAX_LEVEL if element.itemsize > 2 else core.MAX_NARROW_LEVEL


def row_of(shape: tuple[int, ...], size: int) -> int:
    """Return the elements of a row, if there are several rows, each of several elements; else 0."""
    if len(shape) < 2 or shape[0] < 2 or size < _MIN_MEMBERS * shape[0]:
        return 0
    return size // shape[0]


def axes_of(shape: tuple[int, ...], size: int) -> list[int]:
    """Return the axes that may have scales, besides the first."""
    if len(shape) < 2 or max(shape[1], shape[-1]) < _MIN_INDICES:
        return []
    axes = [axis for axis in {1, len(shape) - 1} if shape[axis] >= _MIN_INDICES]
    return [axis for axis in axes if size // shape[axis] >= _MIN_MEMBERS]
