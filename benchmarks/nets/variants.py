"""What exports and trainings make of a net: dead rows, equal tensors, twins of lower precision."""

from __future__ import annotations

import numpy as np

from ..peers.case import Array
from .integers import as_type


def with_dead_rows(weights: dict[str, Array], share: float, dtype: str) -> dict[str, Array]:
    """The smallest rows of each matrix times zero, which leaves signs, in 16 bits."""
    found = {}
    for name, array in weights.items():
        found[name] = as_type(array, dtype)
        if array.ndim >= 2 and len(array) >= 16:
            sizes = np.abs(array.reshape(len(array), -1)).mean(1)
            dead = sizes <= np.quantile(sizes, share)
            mask = np.where(dead, np.float32(0), np.float32(1))
            found[name] = as_type(array * mask.reshape(-1, *(1,) * (array.ndim - 1)), dtype)
    return found


def unrolled(
    weights: dict[str, Array], layers: int, shared: str, tied: tuple[str, str]
) -> dict[str, Array]:
    """One layer under the names of many, and scores that are the embeddings.

    Parameters
    ----------
    weights : dict of str to ndarray
    layers : int
        Under how many numbers the layer is stored.
    shared : str
        Prefix of the names of all layers; the first is taken.
    tied : tuple of two str
        The name that is stored twice, and its second name.
    """
    found = {
        f"{shared}{layer}.{name.removeprefix(f'{shared}0.')}": array.copy()
        for layer in range(layers)
        for name, array in weights.items()
        if name.startswith(f"{shared}0.")
    }
    found |= {name: array for name, array in weights.items() if not name.startswith(shared)}
    found[tied[1]] = weights[tied[0]].copy()
    return found
