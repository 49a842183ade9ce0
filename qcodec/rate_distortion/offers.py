"""The codecs that a tensor of any net may take, from coarse to exact."""

from __future__ import annotations

from dataclasses import replace

from ..codecs import Affine, Codec, Lossless
from ..files import RecipeLike
from ..recipes import Recipe, as_recipe

#: Every bit; equal steps at the price of the net; and 2 to 16 bits by row, which follow rows of
#: different ranges.
OFFERED: tuple[Codec, ...] = (
    Lossless(),
    Affine(bits=8, rate=1.0),
    *(Affine(bits=bits, per=0, symmetric=True) for bits in range(2, 17)),
)


def offers(recipe: RecipeLike = None) -> list[Recipe]:
    """Return a recipe once with each of the standard codecs for its weights; lossless is first.

    Parameters
    ----------
    recipe : Recipe, Codec, dict, str or None
        Its rules and its codec for others stay.

    Examples
    --------
    >>> import numpy as np
    >>> from qcodec.rate_distortion import at_bytes
    >>> tensors = {"a": np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)}
    >>> at_bytes(tensors, offers(), 2000).bytes <= 2000
    True
    """
    made = as_recipe(recipe)
    return [replace(made, weights=codec) for codec in OFFERED]
