"""Several tensors in one frame: it is read and decoded once for those that follow each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._base.arrays import check_out
from .._frame.encoded import Encoded
from .._frame.inspection import Info
from .._frame.parts import Part, check_part, part_of, share_of
from ..dtypes import ElementType, output_type
from ..quantized import Quantized

Array = np.ndarray[Any, Any]


class SharedFrame:
    """A frame of several tensors, and what was last decoded of it.

    Parameters
    ----------
    offset : int
        Of the frame in its file.
    whole : Encoded
        All tensors of the frame, as one.
    """

    def __init__(self, offset: int, whole: Encoded) -> None:
        self.offset = offset
        self.whole = whole
        self._elements: tuple[ElementType, Array] | None = None
        self._info: Info | None = None

    def elements(self, target: ElementType, threads: int = 1) -> Array:
        """Return all elements, which must not be changed; they are kept for the next call."""
        kept = self._elements  # another thread may replace it
        if kept is None or kept[0] != target:
            decoded = self.whole.decode(dtype=target.name, threads=threads)
            self._elements = kept = (target, decoded.reshape(-1))
        return kept[1]

    def part(self, part: Part, target: ElementType, threads: int = 1) -> Array:
        """Return one tensor, which must not be changed."""
        elements = self.elements(target, threads)
        return elements[part.first : part.first + part.elements].reshape(part.shape)

    def info(self) -> Info:
        """Describe the frame."""
        if self._info is None:
            self._info = self.whole.info()
        return self._info


class PartOfFrame(Encoded):
    """A tensor of a frame of several, with the methods of `Encoded`; `verify` checks all of them.

    Parameters
    ----------
    shared : SharedFrame
    part : Part

    Raises
    ------
    QCodecError
        If the frame has no such part.
    """

    def __init__(self, shared: SharedFrame, part: Part) -> None:
        whole = shared.whole
        super().__init__(
            whole._source, limits=whole._limits, input_bytes=whole._input_bytes, head=whole._frame
        )
        check_part(part, self._frame)
        self.shape, self._first = part.shape, part.first
        self._shared, self._part = shared, part

    def decode(self, *, out: Array | None = None, dtype: object = None, threads: int = 1) -> Array:
        """Decode the whole tensor, as `Encoded.decode` does."""
        target = output_type(self.element_type, dtype)
        if out is not None:
            check_out(out, self.shape, target)
        part = self._shared.part(self._part, target, threads)
        if out is None:
            return part.copy()
        out[...] = part
        return out

    def quantized(self) -> Quantized:
        """Return the tensor as integers and parameters, without arithmetic and fillers."""
        return part_of(super().quantized(), self._part)

    def info(self) -> Info:
        """Describe what is stored; each tensor of the frame has a share by its elements."""
        return share_of(self._shared.info(), self._part)
