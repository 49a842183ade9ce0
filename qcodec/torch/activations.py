"""Fixed-point activations: what layers are given is rounded to multiples of a power of two.

Lin, Talathi and Annapureddy 2016 (ICML), section 3: a fixed-point network computes with
integers only if activations are fixed point too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch

from ..checks import check_integer
from ..codecs import FixedPoint
from .fixed_point import power_of_two, rounded
from .layers import layers

_NAME = "fixed_point_input"
_MOST_BITS = 15
# Elements of each batch of which a step is chosen, besides the least and the greatest.
_SAMPLE = 1 << 16


class FixedPointActivations(torch.nn.Module):
    """Rounds what it is given, with the clipped straight-through gradient.

    The buffer `form` holds the power of two and the least and greatest integer, so that a
    state dict holds everything. `choose` sets it.

    Examples
    --------
    >>> import torch, qcodec
    >>> activations = FixedPointActivations()
    >>> activations.choose(torch.tensor([0.0, 0.9, 2.9]), qcodec.FixedPoint(2))
    >>> activations(torch.tensor([0.2, 1.4, 9.0, -1.0]))
    tensor([0., 1., 3., 0.])
    """

    form: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("form", torch.tensor([0, 0, 0], dtype=torch.int32))

    def choose(self, sample: torch.Tensor, codec: FixedPoint) -> None:
        """Choose the step for a sample of activations.

        Parameters
        ----------
        sample : torch.Tensor
            If nothing in it is negative, neither will be what is rounded.
        codec : FixedPoint
            2 to 15 bits, and the rule for the power of two; without groups.
        """
        check_integer("bits", codec.bits, 2, _MOST_BITS)
        signed = bool((sample < 0).any())
        # Without a sign, the same bits reach twice as far: half of a symmetric range.
        bits = codec.bits if signed else codec.bits + 1
        exponent = power_of_two(sample, FixedPoint(bits, codec.step, codec.per, codec.group))
        low = -(1 << (bits - 1)) if signed else 0
        form = torch.tensor([exponent, low, (1 << (bits - 1)) - 1])
        self.form.copy_(form)

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """The nearest multiples of the power of two that are in the range."""
        exponent, low, high = self.form
        return rounded(activations, exponent, int(low), int(high))


def fix_activations(
    model: torch.nn.Module,
    rules: Mapping[str, FixedPoint] | FixedPoint,
    batches: Iterable[torch.Tensor],
) -> None:
    """Round what the layers of a model are given from now on, and train through the rounding.

    Each layer gets a module `FixedPointActivations` that a forward hook calls, so that state
    dicts, copies and files hold the steps. To load them, fix the same activations first.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    rules : mapping of str to FixedPoint, or FixedPoint
        By regular expression, searched for in the names of convolutions and dense layers with
        ``.input`` behind them: ``conv1.input``. One alone is for all. 2 to 15 bits; what is
        never negative in `batches` takes no sign.
    batches : iterable of torch.Tensor
        Inputs of the model, of which the steps are chosen; no gradients are computed.

    Raises
    ------
    ValueError
        If a rule finds no layer or has groups, if a layer is given nothing, or NaN.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4))
    >>> fix_activations(model, qcodec.FixedPoint(8), [torch.randn(100, 4)])
    >>> list(model.state_dict())[2], model[2].fixed_point_input.form.tolist()[1:]
    ('0.fixed_point_input.form', [0, 255])
    """
    chosen = _chosen(layers(model), rules)
    samples = _samples(model, [module for module, _ in chosen.values()], batches)
    for name, (module, codec) in chosen.items():
        if module not in samples:
            raise ValueError(f"{name}: found nothing in the batches, allowed is at least one input")
        if not hasattr(module, _NAME):
            module.add_module(_NAME, FixedPointActivations().to(samples[module][0].device))
            module.register_forward_pre_hook(_round_input)
        getattr(module, _NAME).choose(torch.cat(samples[module]), codec)


def _round_input(module: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return (getattr(module, _NAME)(inputs[0]), *inputs[1:])


def _chosen(
    found: dict[str, torch.nn.Module], rules: Mapping[str, FixedPoint] | FixedPoint
) -> dict[str, tuple[torch.nn.Module, FixedPoint]]:
    """The layers that rules are about, with the first rule that finds each, by its name."""
    names = {f"{name}.input" if name else "input": module for name, module in found.items()}
    rules = rules if isinstance(rules, Mapping) else {"": rules}
    for pattern in rules:
        if not any(re.search(pattern, name) for name in names):
            raise ValueError(f"no layer matches {pattern!r}; there are {', '.join(names)}")
    matches = {
        name: [codec for pattern, codec in rules.items() if re.search(pattern, name)]
        for name in names
    }
    return {name: (names[name], codecs[0]) for name, codecs in matches.items() if codecs}


def _samples(
    model: torch.nn.Module, modules: list[torch.nn.Module], batches: Iterable[torch.Tensor]
) -> dict[torch.nn.Module, list[torch.Tensor]]:
    """Some of what each module is given, the extremes among them."""
    samples: dict[torch.nn.Module, list[torch.Tensor]] = {}

    def keep(module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        values = inputs[0].detach().flatten()
        few = values[:: max(1, len(values) // _SAMPLE)]
        samples.setdefault(module, []).append(torch.cat([few, torch.stack(values.aminmax())]))

    hooks = [module.register_forward_pre_hook(keep, prepend=True) for module in modules]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for inputs in batches:
                model(inputs)
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return samples
