"""Layers of a net that feed each other in order: the names of their tensors, and how these fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
#: Names of the weight and the bias (None: no bias) of each layer, from the input to the output.
Layers = Sequence[tuple[str, str | None]]


def check_layers(tensors: Mapping[str, Array], layers: Layers) -> None:
    """Raise ValueError unless all tensors are there, once, and successive layers fit."""
    names = [name for layer in layers for name in layer if name is not None]
    if len(set(names)) < len(names):
        raise ValueError(f"layers={layers}: a tensor is named more than once")
    for weight, bias in layers:
        for name in (weight, bias):
            if name is not None and name not in tensors:
                raise ValueError(f"layer {weight!r}: no tensor {name!r}")
        shape = tensors[weight].shape
        if len(shape) < 2:
            raise ValueError(f"{weight!r}: found shape {shape}, allowed are 2 dimensions and more")
        if bias is not None and tensors[bias].shape != shape[:1]:
            raise ValueError(f"{bias!r}: found shape {tensors[bias].shape}, allowed {shape[:1]}")
    for (weight, _), (following, _) in pairwise(layers):
        _check_link(tensors, weight, following)


def _check_link(tensors: Mapping[str, Array], weight: str, following: str) -> None:
    units, inputs = len(tensors[weight]), tensors[following].shape[1]
    # Only a dense layer directly after a convolution has several inputs per unit.
    may_flatten = tensors[following].ndim == 2 and tensors[weight].ndim > 2
    if inputs != units and not (may_flatten and units and inputs and inputs % units == 0):
        raise ValueError(f"{following!r}: found {inputs} inputs, allowed {units}, of {weight!r}")


def by_unit(weight: Array, units: int) -> Array:
    """Return a weight as a view of shape (its units, units of the layer before, places)."""
    places = weight[0].size // units if len(weight) and units else 0
    return weight.reshape(len(weight), units, places)
