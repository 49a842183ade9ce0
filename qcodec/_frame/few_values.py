"""Exact forms of floats that were quantized before: the codes that they once were.

Such floats have few distinct bit patterns, or they are multiples of one scale per row or block. Both
are found and proved bit by bit: a codebook holds the patterns themselves, and `core.equal_steps`
multiplies as decoders do. Weights that were not quantized are refused after a few hundred elements.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .._base.arrays import bytes_of, cast
from .._core import core
from ..dtypes import BY_NAME, QUANTIZABLE, ElementType, element_type
from ..quantized import Groups, Quantized
from .codebook_order import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]

_FLOAT32 = BY_NAME["float32"]
_NARROW = ("bfloat16", "float16")  # of codebooks and scales, if they are exact
_MAX_CODE = 255
_BLOCKS = (128, 64, 32)
# Smaller groups cost as much for their scales as for their codes.
_MIN_GROUP = 8
# Elements of a group that are looked at before all groups are.
_PROBED = 32
# Elements, or patterns, that are searched at once; it bounds the memory.
_BATCH = 1 << 18


def exact_forms(quantized: Quantized) -> list[Quantized]:
    """Return other forms of a tensor that decode to the same bits, in every output type.

    Parameters
    ----------
    quantized : Quantized
        Of kind ``"bytes"``; others have no other form.

    Returns
    -------
    list of Quantized
        Of kind ``"codebook"`` or ``"affine"``, with the same positions. Often there are none.

    Examples
    --------
    >>> from qcodec.quantize import quantize_verbatim
    >>> weights = np.float32(0.1) * np.array([3, -1, 0, 2, 2, -1, 3, 0], np.float32)
    >>> [form.kind for form in exact_forms(quantize_verbatim(weights))]
    ['codebook', 'affine']
    """
    if quantized.kind != "bytes" or quantized.dtype not in QUANTIZABLE or not quantized.stored:
        return []
    whole = _Runs(quantized, max(quantized.size, 1))
    forms = [form for form in (_codebook(quantized, whole),) if form is not None]
    if forms:
        steps = _steps(quantized, whole)
        if steps is not None:
            return [*forms, steps]
    for groups in _groupings(quantized):
        for search in (_steps, _codebook):
            found = search(quantized, groups) if groups.is_promising(search) else None
            if found is not None:
                return [*forms, found]
    return forms
