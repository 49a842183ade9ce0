"""How much the outputs of a net change with an error in each of its tensors.

The errors of many weights add up in an output like independent noise (Lin, Talathi and Annapureddy
2016, section 3): its power is a sum over the tensors, in which each tensor's squared error counts
by a factor of its own. The factor is measured, by a net in which only that tensor is quantized.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .._base.arrays import as_array, as_float32
from .._core.float_mode import standard_float_mode
from ..codecs import Affine, Codec
from ..errors import naming

Array = np.ndarray[Any, Any]
#: Runs a net in which these tensors are replaced, and returns its outputs.
Outputs = Callable[[Mapping[str, Array]], Any]

_CODEC = Affine(bits=4, per=0, symmetric=True)


@standard_float_mode()
def sensitivities(
    tensors: Mapping[str, Any],
    outputs: Outputs,
    names: Iterable[str] | None = None,
    *,
    codec: Codec = _CODEC,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, float]:
    """Measure how much an error in each tensor counts in the outputs of a net.

    Parameters
    ----------
    tensors : mapping of str to array_like
    outputs : callable
        Takes a mapping of names to arrays, runs the net on sample inputs with these tensors in
        place of its own, and returns an array, or a list, tuple or dict of arrays. It is called
        once for the net as it is, and once per tensor.
    names : iterable of str, optional
        The tensors to measure; the default is all with at least two dimensions.
    codec : Codec
        Makes the errors; the default is 4 bits by row.
    progress : callable, optional
        Called after each tensor with the number of finished tensors, of all, and the name.

    Returns
    -------
    dict of str to float
        By name; the power of the outputs' error, as a part of the power of the outputs, per squared
        error of the tensor. Their geometric mean is 1, so that prices mean about the same with and
        without them. A tensor whose error changes nothing has the smallest number of the others.

    Raises
    ------
    ValueError
        If an output is not finite, if the net gives outputs of other shapes than before, or if no
        error changes anything.

    Examples
    --------
    >>> inputs = np.eye(4, dtype=np.float32)
    >>> net = {"first": np.arange(16.0).reshape(4, 4), "second": np.ones((4, 4)) / 10}
    >>> def outputs(changed):
    ...     now = {**net, **changed}
    ...     return inputs @ now["first"] @ now["second"]
    >>> rng = np.random.default_rng(0)
    >>> net["second"] += rng.normal(size=(4, 4))
    >>> found = sensitivities(net, outputs)
    >>> found["second"] > found["first"]
    True
    """
    if names is None:
        names = [name for name in tensors if len(np.shape(tensors[name])) > 1]
    names = list(names)
    before = _arrays(outputs({}))
    found: dict[str, float] = {}
    for count, name in enumerate(names, 1):
        with naming(name):
            given = tensors[name]
            array, element = as_array(given)
            changed = codec.quantize(given).dequantize()
            error = _power(as_float32(changed, element) - as_float32(array, element))
            after = _arrays(outputs({name: changed}))
            found[name] = _relative(before, after) / error if error > 0 else 0.0
        if progress is not None:
            progress(count, len(names), name)
    return _normalized(found)


def _arrays(outputs: Any) -> list[Array]:
    """Return outputs as a list of float64 arrays."""
    if isinstance(outputs, Mapping):
        outputs = list(outputs.values())
    if not isinstance(outputs, list | tuple):
        outputs = [outputs]
    arrays = [np.asarray(output, np.float64) for output in outputs]
    for number, array in enumerate(arrays):
        if not np.all(np.isfinite(array)):
            raise ValueError(f"output {number} of the net has values that are not finite")
    return arrays


def _relative(before: list[Array], after: list[Array]) -> float:
    """Return the power of the error as a part of that of the outputs, each counted alike."""
    shapes, others = [[one.shape for one in some] for some in (before, after)]
    if shapes != others:
        raise ValueError(f"the outputs have the shapes {others}, before {shapes}")
    parts = [
        _power(old - new) / power
        for old, new in zip(before, after, strict=True)
        if (power := _power(old)) > 0
    ]
    return sum(parts) / len(parts) if parts else 0.0


def _power(array: Array) -> float:
    return float(np.sum(np.square(array, dtype=np.float64)))


def _normalized(found: dict[str, float]) -> dict[str, float]:
    least = min((value for value in found.values() if value > 0), default=0.0)
    if found and least == 0:
        raise ValueError("no error of a tensor changes the outputs: does the net use the tensors?")
    values = {name: value or least for name, value in found.items()}
    mean = sum(map(math.log, values.values())) / max(len(values), 1)
    return {name: value / math.exp(mean) for name, value in values.items()}
