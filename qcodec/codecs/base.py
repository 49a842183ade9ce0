"""The base class of all codecs."""

from __future__ import annotations

from typing import Any, Literal

from .._base.config import Configurable
from ..quantized import Quantized

Positions = Literal["dense", "gaps", "mask", "bit_mask", "csr", "auto"]


class Codec(Configurable):
    """A configuration that says how a tensor is stored.

    Attributes
    ----------
    positions : {"dense", "gaps", "mask", "bit_mask", "csr", "auto"}
        The form in which the positions of stored elements are written;
        ``"auto"`` is the smallest that the encoder finds.
    """

    positions: Positions

    @property
    def is_lossless(self) -> bool:
        """Whether decoding restores every bit of every tensor."""
        return False

    def for_tensor(self, name: str, shape: tuple[int, ...], dtype: str) -> Codec:
        """Return the codec for one tensor of a model; most codecs return themselves.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
            The element type's name.
        """
        return self

    def quantize(self, array: Any, mask: Any = None) -> Quantized:
        """Choose the numbers that are stored.

        `Verbatim` and `Lossless` keep every bit. The others take finite values
        only, and -0.0 becomes 0.0.

        Parameters
        ----------
        array : array_like or torch.Tensor
        mask : array_like of bool, optional
            The elements to store, in the shape of `array`; the default is all.

        Returns
        -------
        Quantized

        Raises
        ------
        TypeError
            If the codec does not take this element type.
        ValueError
            If a value is NaN or infinite and the codec is not `Verbatim` or `Lossless`,
            or a parameter does not fit the array's shape.
        """
        raise NotImplementedError


def check_codec(codec: object) -> None:
    """Raise TypeError unless this is a codec; a class or a name is not.

    Examples
    --------
    >>> check_codec("codebook")
    Traceback (most recent call last):
        ...
    TypeError: codec='codebook': allowed is a codec, such as Lossless() or Codebook(bits=4)
    """
    if isinstance(codec, type) or not hasattr(codec, "quantize"):
        raise TypeError(
            f"codec={codec!r}: allowed is a codec, such as Lossless() or Codebook(bits=4)"
        )
