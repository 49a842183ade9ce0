"""What a price per bit makes of a codec."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._core.float_mode import standard_float_mode
from ..codecs import Affine, Codebook, Codec, DeepCompression, Sparse

_MAX_BITS_PRICED = 8


def is_priced(codec: Codec) -> bool:
    """Whether a price changes what the codec makes: one that takes a rate, alone or in `Sparse`.

    Examples
    --------
    >>> [is_priced(codec) for codec in (Affine(5), Affine(5, per=0), Sparse(Codebook(4)))]
    [True, False, True]
    """
    return _parts(codec)[0] is not None


def priced(codec: Codec, variance: float, price: float) -> Codec:
    """Return the codec with the rate at which a bit has this price, in squared error.

    Parameters
    ----------
    codec : Codec
        One that takes no rate is returned unchanged.
    variance : float
        That of the values that may be stored (see `variance_stored`).
    price : float

    Examples
    --------
    >>> priced(Affine(5), 2.0, 0.1).rate
    0.05
    """
    inner, sparse = _parts(codec)
    if inner is None:
        return codec
    rated = replace(inner, rate=price / variance if variance > 0 else 0.0)
    return rated if sparse is None else replace(sparse, codec=rated)


@standard_float_mode()
def variance_stored(codec: Codec, array: np.ndarray[Any, Any]) -> float:
    """Return the variance of the values that may be stored, as codecs with a rate use it."""
    _, sparse = _parts(codec)
    stored = array if sparse is None else array[sparse.mask(array)]
    return float(np.var(stored, dtype=np.float64)) if stored.size else 0.0


def _parts(codec: Codec) -> tuple[Codebook | Affine | None, Sparse | None]:
    """Return the codec that takes a rate, or None, and the `Sparse` around it, or None."""
    if isinstance(codec, DeepCompression):
        codec = codec.parts()
    sparse = codec if isinstance(codec, Sparse) else None
    inner = codec if sparse is None else sparse.codec
    if not isinstance(inner, Codebook | Affine):
        return None, sparse
    grouped = inner.per is not None or inner.group is not None
    if grouped or inner.bits > _MAX_BITS_PRICED or getattr(inner, "scale", None) is not None:
        return None, sparse
    return inner, sparse
