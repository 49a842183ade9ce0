"""The order of the neurons of a pruned net, which means nothing to the net, but costs bytes.

The units of a hidden layer can be in any order, as long as the columns of the next layer follow
it. If those with few weights come first, rows that are alike are beside each other, and a file
needs fewer bytes to say where weights are.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ._base.arrays import numpy_array
from ._base.layers import Layers, by_unit, check_layers

Array = np.ndarray[Any, Any]


def sorted_neurons(tensors: Mapping[str, Any], layers: Layers) -> dict[str, Array]:
    """Return the same net with the neurons of hidden layers sorted by their number of weights.

    Parameters
    ----------
    tensors : mapping of str to array_like
        As for `qcodec.dead_neurons.zeroed`, of any dtype.
    layers : sequence of (str, str or None)
        Names of the weight and the bias (None: no bias) of each layer, from the input to the
        output. Each layer feeds only the next one, and the output of the last is the net's
        output. Between layers there may be elementwise functions and pooling over places, but
        nothing that depends on the order of the units.

    Returns
    -------
    dict of str to numpy.ndarray
        All tensors, of the same shapes and dtypes. Neurons with few nonzero weights come
        first; the inputs of the first layer and the units of the last stay where they are. The
        net's output is the same, except for the rounding of sums in another order.

    Raises
    ------
    ValueError
        If the shapes of successive layers do not fit.

    Examples
    --------
    >>> net = {
    ...     "w1": np.array([[1.0, 2.0], [0.0, 3.0]]),
    ...     "b1": np.array([4.0, 5.0]),
    ...     "w2": np.array([[6.0, 7.0]]),
    ... }
    >>> found = sorted_neurons(net, [("w1", "b1"), ("w2", None)])
    >>> {name: array.tolist() for name, array in found.items()}
    {'w1': [[0.0, 3.0], [1.0, 2.0]], 'b1': [5.0, 4.0], 'w2': [[7.0, 6.0]]}
    """
    found = {name: numpy_array(array) for name, array in tensors.items()}
    check_layers(found, layers)
    for (weight, bias), (following, _) in pairwise(layers):
        inputs = tuple(range(1, found[weight].ndim))
        order = np.argsort(np.count_nonzero(found[weight], axis=inputs), kind="stable")
        found[weight] = found[weight][order]
        if bias is not None:
            found[bias] = found[bias][order]
        columns = by_unit(found[following], len(order))[:, order]
        found[following] = columns.reshape(found[following].shape)
    return found
