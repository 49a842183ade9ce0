"""How far sizes go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extent:
    """The largest sizes.

    Attributes
    ----------
    weights : int
        Of a tensor; four bytes each.
    tensors : int
        Of a file, and of rules of a recipe.
    groups : int
        With parameters of their own.
    """

    weights: int = 1 << 28
    tensors: int = 100_000
    groups: int = 1 << 17
