"""Dead neurons of a pruned net: units of dense layers and channels of convolutions.

A neuron whose outgoing weights are all zero has no effect, so its incoming weights and its bias
can be removed. A neuron whose incoming weights are all zero is constant, and the biases of the
next layer can absorb it (Han, Pool, Tran and Dally 2015, section 3.5: pruning neurons).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ._base.arrays import numpy_array
from ._base.layers import Layers, by_unit, check_layers
from ._core.float_mode import standard_float_mode

__all__ = ["Activation", "Layers", "relu", "smaller", "zeroed"]

Array = np.ndarray[Any, Any]
Activation = Callable[[Array], Array]


def relu(x: Array) -> Array:
    """Return the positive part of an array.

    Examples
    --------
    >>> relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return np.maximum(x, 0)


@standard_float_mode()
def zeroed(
    tensors: Mapping[str, Any],
    layers: Layers,
    *,
    activation: Activation | None = relu,
    padded: Collection[str] = (),
) -> dict[str, Array]:
    """Return the same net with all weights and biases of dead neurons set to zero.

    Parameters
    ----------
    tensors : mapping of str to array_like
        Float arrays. Weights have the shape (units, inputs) for a dense layer, or (channels,
        inputs, ...) for a convolution without groups. A dense layer after a convolution has
        all places of the first channel as its first inputs, and so on. Biases have the shape
        (units,).
    layers : sequence of (str, str or None)
        Names of the weight and the bias (None: no bias) of each layer, from the input to the
        output. Each layer feeds only the next one, and the output of the last is the net's
        output. Between layers there may be the activation and pooling over places (maximum
        or mean), but no normalization.
    activation : callable, optional
        An elementwise function, applied after every layer but the last. None: the activation
        is unknown, and constant neurons stay.
    padded : collection of str
        The weights of convolutions whose input is padded with zeros. A neuron that feeds one
        is not constant at the edges, so it stays unless its constant is 0. The same holds
        before a layer without a bias. For padded pooling, name the layer after the pooling.

    Returns
    -------
    dict of str to numpy.ndarray
        All tensors, of the same shapes and dtypes. The net's output is the same, except for
        the rounding of biases that absorb constants.

    Raises
    ------
    ValueError
        If the shapes of successive layers do not fit, or `padded` names no weight of the
        layers.

    Examples
    --------
    >>> net = {
    ...     "w1": np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]]),
    ...     "b1": np.array([5.0, 6.0, 7.0]),
    ...     "w2": np.array([[8.0, 0.5, 0.0]]),
    ...     "b2": np.array([1.0]),
    ... }
    >>> less = zeroed(net, [("w1", "b1"), ("w2", "b2")])  # the third feeds nothing
    >>> less["w1"].tolist(), less["b1"].tolist()
    ([[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]], [5.0, 0.0, 0.0])
    >>> less["w2"].tolist(), less["b2"].tolist()  # the second was always 6
    ([[8.0, 0.0, 0.0]], [4.0])
    """
    return _without_dead(tensors, layers, activation, padded)[0]


@standard_float_mode()
def smaller(
    tensors: Mapping[str, Any],
    layers: Layers,
    *,
    activation: Activation | None = relu,
    padded: Collection[str] = (),
) -> dict[str, Array]:
    """Return the net without its dead neurons: with fewer rows, channels and columns.

    Parameters
    ----------
    tensors, layers, activation, padded
        As for `zeroed`.

    Returns
    -------
    dict of str to numpy.ndarray
        All tensors; those of the layers have smaller shapes that still fit. All inputs of
        the first layer and all units of the last are kept.

    Raises
    ------
    ValueError
        As for `zeroed`.

    Examples
    --------
    >>> net = {"w1": np.ones((3, 2)), "b1": np.ones(3), "w2": np.array([[8.0, 0.0, 0.0]])}
    >>> {name: array.shape for name, array in smaller(net, [("w1", "b1"), ("w2", None)]).items()}
    {'w1': (1, 2), 'b1': (1,), 'w2': (1, 1)}
    """
    found, used = _without_dead(tensors, layers, activation, padded)
    for number, (weight, bias) in enumerate(layers):
        if number + 1 < len(layers):
            found[weight] = found[weight][used[number]]
            if bias is not None:
                found[bias] = found[bias][used[number]]
        if number > 0:
            places = found[weight].shape[1] // max(len(used[number - 1]), 1)
            found[weight] = found[weight][:, np.repeat(used[number - 1], places)]
    return found


class _Link(NamedTuple):
    """A layer's tensors, and the next layer's weight in the shape (its units, units, places)."""

    weight: Array
    bias: Array | None
    outgoing: Array
    next_bias: Array | None
    next_is_padded: bool


def _without_dead(
    tensors: Mapping[str, Any],
    layers: Layers,
    activation: Activation | None,
    padded: Collection[str],
) -> tuple[dict[str, Array], list[Array]]:
    """Return all tensors, with zeros for dead neurons, and which units of each layer are used."""
    found = {name: np.array(numpy_array(array), order="C") for name, array in tensors.items()}
    links = _links(found, layers, padded)
    if activation is not None:
        for link in links:  # forward: a constant layer may make the next one constant
            _fold_constants(link, activation)
    used: list[Array] = []
    for link in reversed(links):  # backward: a dead neuron may leave its inputs without use
        used.insert(0, np.asarray(link.outgoing.any(axis=(0, 2))))
        link.weight[~used[0]] = 0
        if link.bias is not None:
            link.bias[~used[0]] = 0
    return found, used


def _fold_constants(link: _Link, activation: Activation) -> None:
    """Add constant units to the biases of the next layer, where that is possible."""
    inputs = tuple(range(1, link.weight.ndim))
    constant = np.asarray(~link.weight.any(axis=inputs))
    before = np.zeros(len(constant)) if link.bias is None else link.bias
    value = np.asarray(activation(before), np.float64)
    if link.next_bias is None or link.next_is_padded:
        constant &= value == 0
    else:
        feeds = link.outgoing[:, constant].sum(axis=2, dtype=np.float64) @ value[constant]
        np.add(link.next_bias, feeds, out=link.next_bias, casting="same_kind")
    link.outgoing[:, constant] = 0


def _links(found: dict[str, Array], layers: Layers, padded: Collection[str]) -> list[_Link]:
    """Return pairs of successive layers, or raise an error that says what does not fit."""
    unknown = set(padded) - {weight for weight, _ in layers}
    if unknown:
        raise ValueError(f"padded={sorted(unknown)}: no such weight among the layers")
    check_layers(found, layers)
    return [
        _Link(
            found[weight],
            None if bias is None else found[bias],
            by_unit(found[following], len(found[weight])),
            None if next_bias is None else found[next_bias],
            following in padded,
        )
        for (weight, bias), (following, next_bias) in pairwise(layers)
    ]
