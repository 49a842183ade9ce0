"""The effect of quantization on the outputs of a model, in dB.

Lin, Talathi and Annapureddy 2016 (ICML), section 4: the noises of independent quantizations add
up. 1/SQNR of the output is the sum of 1/SQNR of each alone, where SQNR is a ratio.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import torch

from .._base.patterns import exactly
from ..codecs import FixedPoint
from ..quantize import sqnr
from .activations import fix_activations
from .fixed_point import fix_points
from .modes import run_batches


def output_sqnr(
    model: torch.nn.Module, changed: torch.nn.Module, batches: Iterable[torch.Tensor]
) -> float:
    """The signal-to-quantization-noise ratio at the outputs of a changed model, in dB.

    Parameters
    ----------
    model, changed : torch.nn.Module
        The noise is the difference of their outputs. Both run in evaluation mode.
    batches : iterable of torch.Tensor
        Inputs.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If a batch or an output is not a tensor.
    ValueError
        If there is no batch.

    Examples
    --------
    >>> import torch
    >>> model, changed = torch.nn.Identity(), torch.nn.Upsample(scale_factor=1)
    >>> output_sqnr(model, changed, [torch.ones(1, 1, 4)])
    inf
    """
    batches = list(batches)
    return sqnr(_outputs(model, batches), _outputs(changed, batches))


def measure_sqnr(
    model: torch.nn.Module, codecs: Mapping[str, FixedPoint], batches: Iterable[torch.Tensor]
) -> dict[str, float]:
    """The SQNR at the outputs when one tensor at a time is quantized, in dB.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed.
    codecs : mapping of str to FixedPoint
        Keys are plain names of weights (``conv1.weight``), or inputs of layers
        (``conv1.input``).
    batches : iterable of torch.Tensor
        Inputs.

    Returns
    -------
    dict of str to float
        By the keys of `codecs`.

    Raises
    ------
    TypeError
        If a batch, or an output of the model, is not a tensor.
    ValueError
        If the model has no such weight or layer, or there is no batch.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 64))
    >>> codecs = {"0.weight": qcodec.FixedPoint(4), "1.input": qcodec.FixedPoint(8)}
    >>> found = measure_sqnr(model, codecs, [torch.randn(64, 64)])
    >>> found["0.weight"] < found["1.input"]
    True
    """
    batches = list(batches)
    outputs = _outputs(model, batches)
    found = {}
    for name, codec in codecs.items():
        changed = copy.deepcopy(model)
        rule = {exactly(name): codec}
        if name.rpartition(".")[2] == "input":
            fix_activations(changed, rule, batches)
        else:
            fix_points(changed, rule)
        found[name] = sqnr(outputs, _outputs(changed, batches))
    return found


def _outputs(model: torch.nn.Module, batches: list[torch.Tensor]) -> torch.Tensor:
    outputs: list[torch.Tensor] = []
    run_batches(model, batches, outputs.append)
    if not outputs:
        raise ValueError("batches: found none, allowed is at least one")
    for output in outputs:
        if not isinstance(output, torch.Tensor):
            kind = type(output).__name__
            raise TypeError(f"the model's output: found {kind}, allowed is a tensor")
    return torch.cat([output.cpu() for output in outputs])
