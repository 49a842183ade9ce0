"""Codecs: configurations that turn an array into a `Quantized`; and the table of all codecs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._base.config import build
from .affine import Affine, FixedPoint
from .base import Codec, Positions
from .codebook import Codebook, Ternary, TrainedTernary
from .delta import Delta
from .levels import Levels
from .lossless import Lossless, Verbatim
from .pruning import PRUNINGS
from .sparse import DeepCompression, Sparse

#: Every codec, by id.
CODECS: dict[str, type[Codec]] = {
    cls.codec_id: cls
    for cls in (
        Verbatim,
        Lossless,
        Affine,
        FixedPoint,
        Codebook,
        Levels,
        Ternary,
        Sparse,
        DeepCompression,
        TrainedTernary,
        Delta,
    )
}


def from_config(config: Mapping[str, Any]) -> Codec:
    """Make the codec that a configuration describes.

    Parameters
    ----------
    config : mapping
        As `get_config` returns it. Parameters with a default are optional.

    Raises
    ------
    TypeError
        If the configuration is not a mapping with an id, or lacks a parameter.
    ValueError
        If an id or a key is unknown (the message names the nearest one), or a value is
        not allowed.

    Examples
    --------
    >>> from_config({"id": "sparse", "codec": {"id": "codebook", "bits": 4}})
    Sparse(codec=Codebook(bits=4, init='auto', scale=None, per=None, group=None, seed=0, \
rate=0.0), prune=None, positions='auto', gap_bits=None)
    """
    made = build(config, CODECS | PRUNINGS)
    if not isinstance(made, Codec):
        raise ValueError(f"{made!r} is not a codec: give it as the 'prune' of a 'sparse' codec")
    return made


__all__ = [
    "CODECS",
    "Affine",
    "Codebook",
    "Codec",
    "DeepCompression",
    "Delta",
    "FixedPoint",
    "Levels",
    "Lossless",
    "Positions",
    "Sparse",
    "Ternary",
    "TrainedTernary",
    "Verbatim",
    "from_config",
]
