"""Fixed-point activations: what layers are given is rounded to multiples of a power of two.

Lin, Talathi and Annapureddy 2016 (ICML), section 3: a fixed-point network computes with
integers only if activations are fixed point too.
"""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from .._base.checks import check_integer
from .._base.messages import quoted
from .._base.patterns import Pattern, Patterns
from ..codecs import Codec, FixedPoint
from ..errors import naming, warn_caller
from .data_parallel import send_steps
from .fixed_point import power_of_two, rounded
from .layers import layers
from .modes import forget_compiled_code, run_batches
from .passes import is_traced
from .rules import check_rule, patterns_of

_NAME = "fixed_point_input"
_MOST_BITS = 15
# Elements of each batch of which a step is chosen, besides the least and the greatest.
_SAMPLE = 1 << 16


class FixedPointActivations(torch.nn.Module):
    """Rounds what it is given, with the clipped straight-through gradient.

    The buffer `form` holds the power of two, the least and greatest integer, and a checksum of
    them, so that a state dict holds everything. `choose` sets it.

    Parameters
    ----------
    argument : str
        What the layer calls its input, for layers that are called by keyword.

    Examples
    --------
    >>> import torch, qcodec
    >>> activations = FixedPointActivations()
    >>> activations.choose(torch.tensor([0.0, 0.9, 2.9]), qcodec.FixedPoint(2))
    >>> activations(torch.tensor([0.2, 1.4, 9.0, -1.0]))
    tensor([0., 1., 3., 0.])
    """

    form: torch.Tensor

    def __init__(self, argument: str = "input") -> None:
        super().__init__()
        self.argument = argument
        self.register_buffer("form", torch.tensor(_sealed(0, 0, 0), dtype=torch.int32))
        self._seen: tuple[Any, int] = (None, -1)

    def choose(self, sample: torch.Tensor, codec: FixedPoint) -> None:
        """Choose the step for a sample of activations.

        Parameters
        ----------
        sample : torch.Tensor
            If nothing in it is negative, neither will be what is rounded.
        codec : FixedPoint
            2 to 15 bits, and the rule for the power of two; without groups.
        """
        _check_codec(codec)
        self.form = _form(sample, codec).to(self.form.device)

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """The nearest multiples of the power of two that are in the range."""
        if not is_traced():
            self._check()
        # They stay tensors: a number that is read from one cannot be traced or exported.
        exponent, low, high, _ = self.form.unbind()
        return rounded(activations, exponent, low, high)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was seen of the buffer: versions of a copy's tensors count from 0."""
        return {**self.__dict__, "_seen": (None, -1)}

    def _check(self) -> None:
        """Raise ValueError if the form was averaged; looked at only after it was written to."""
        form = self.form
        if form.is_inference() or (self._seen[0] is form and self._seen[1] == form._version):
            return
        try:
            numbers = form.tolist()
        except RuntimeError:  # on the meta device, or in torch.func: there are no values
            return
        if numbers != _sealed(*numbers[:3]):
            raise ValueError(
                "the steps of fixed activations were changed, as by an average (EMA, SWA) that "
                "takes buffers in: they are integers; average parameters only, and copy buffers "
                "(use_buffers=False)"
            )
        self._seen = form, form._version


def fix_activations(
    model: torch.nn.Module,
    rules: Mapping[str, FixedPoint] | FixedPoint,
    batches: Iterable[torch.Tensor],
) -> None:
    """Round what the layers of a model are given from now on, and train through the rounding.

    Each layer gets a module `FixedPointActivations` that a forward hook calls, so that state
    dicts, copies and files hold the steps. To load them, fix the same activations first. If
    anything is refused, or the model or `batches` raise, the model is as it was.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    rules : mapping of str to FixedPoint, or FixedPoint
        By regular expression, searched for in the names of convolutions and dense layers with
        ``.input`` behind them: ``conv1.input``. One alone is for all. 2 to 15 bits; what is
        never negative in `batches` takes no sign. Layers that the model never calls, as the
        ``out_proj`` of an attention, are left out, and a `QCodecWarning` names them.
    batches : iterable of torch.Tensor
        Inputs of the model, of which the steps are chosen; no gradients are computed.

    Raises
    ------
    TypeError
        If a rule is no `FixedPoint`, a batch is no tensor (but inputs with targets, say), or a
        layer is given something else than real floats.
    ValueError
        If a rule finds no layer, or none that is called, has groups or other bits, or if a
        layer is given NaN or infinity.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4))
    >>> fix_activations(model, qcodec.FixedPoint(8), [torch.randn(100, 4)])
    >>> list(model.state_dict())[2], model[2].fixed_point_input.form.tolist()[1:3]
    ('0.fixed_point_input.form', [0, 255])
    """
    rules = {"": rules} if isinstance(rules, Codec) else rules
    patterns = patterns_of(rules)
    chosen = _chosen(layers(model), rules, patterns)
    _take_samples(model, chosen, batches)
    _check_called(chosen, patterns)
    called = [layer for layer in chosen if layer.samples]
    with torch.inference_mode(False):  # its tensors could not be trained with later
        modules = [layer.rounding() for layer in called]
        names = [layer.name for layer in called]
        send_steps(model, {name: one.form for name, one in zip(names, modules, strict=True)})
    for layer, rounding in zip(called, modules, strict=True):
        _put(layer.module, rounding)
    forget_compiled_code()


@dataclass
class _Layer:
    """A layer that rules find, and some of what it was given, the extremes among it."""

    name: str
    module: torch.nn.Module
    codec: FixedPoint
    argument: str
    samples: list[torch.Tensor] = field(default_factory=list)

    def take(self, _: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        """A forward hook, which is given the input before anything else changes it."""
        given = inputs[0] if inputs else named.get(self.argument)
        if not isinstance(given, torch.Tensor) or given.numel() == 0:
            return
        if not given.is_floating_point():
            raise TypeError(f"{self.name}: found {given.dtype}, allowed are real floats")
        values = given.detach().flatten()
        few = values[:: max(1, len(values) // _SAMPLE)]
        self.samples.append(torch.cat([few, torch.stack(values.aminmax())]))

    def rounding(self) -> FixedPointActivations:
        """What the layer shall get."""
        rounding = FixedPointActivations(self.argument)
        with naming(self.name):
            rounding.form = _form(torch.cat(self.samples), self.codec)
        rounding.training = self.module.training
        return rounding


def _chosen(
    found: dict[str, torch.nn.Module],
    rules: Mapping[str, FixedPoint],
    patterns: Sequence[Pattern],
) -> list[_Layer]:
    """The layers that rules are about, each with the first rule that finds it."""
    names = {f"{name}.input" if name else "input": module for name, module in found.items()}
    known, there = frozenset(names), f"there are {', '.join(names)}" if names else "there is none"
    for pattern in patterns:
        if not pattern.finds_any(known):
            raise ValueError(f"no layer matches {quoted(pattern.text)}; {there}")
    first, codecs = Patterns(patterns).first, list(rules.values())
    matches = {name: first(name) for name in names}
    chosen = {name: codecs[at] for name, at in matches.items() if at is not None}
    for name, codec in chosen.items():
        check_rule(name, codec, FixedPoint)
        with naming(name):
            _check_codec(codec)
    return [
        _Layer(name, names[name], codec, _first_parameter(names[name]))
        for name, codec in chosen.items()
    ]


def _check_codec(codec: FixedPoint) -> None:
    check_integer("bits", codec.bits, 2, _MOST_BITS)
    if codec.per is not None or codec.group is not None:
        raise ValueError(f"found {codec}, allowed is one step for all activations")


def _first_parameter(module: torch.nn.Module) -> str:
    """What a layer calls its input: ``input`` in torch, but ``x`` in a Conv1D."""
    return next(iter(inspect.signature(module.forward).parameters), "input")


def _take_samples(
    model: torch.nn.Module, chosen: list[_Layer], batches: Iterable[torch.Tensor]
) -> None:
    hooks = []
    try:
        for layer in chosen:
            module = layer.module
            hooks.append(
                module.register_forward_pre_hook(layer.take, prepend=True, with_kwargs=True)
            )
        run_batches(model, batches)
    finally:
        for hook in hooks:
            hook.remove()


def _check_called(chosen: list[_Layer], patterns: Sequence[Pattern]) -> None:
    """Each pattern must find a layer that the batches reach; others are named in a warning."""
    idle = [layer.name for layer in chosen if not layer.samples]
    reached = frozenset(layer.name for layer in chosen if layer.samples)
    for pattern in patterns if idle else ():
        if not pattern.finds_any(reached):
            name = next(name for name in idle if pattern.finds(name))
            raise ValueError(f"{name}: found nothing in the batches, allowed is at least one input")
    if idle:
        names = ", ".join(idle)
        warn_caller(f"{names}: left out, as the model gives these layers nothing in the batches")


def _form(sample: torch.Tensor, codec: FixedPoint) -> torch.Tensor:
    """The power of two, and the least and greatest integer, on the device of the sample."""
    signed = bool((sample < 0).any())
    # Without a sign, the same bits reach twice as far: half of a symmetric range.
    bits = codec.bits if signed else codec.bits + 1
    exponent = power_of_two(sample, FixedPoint(bits, codec.step))
    low = -(1 << (bits - 1)) if signed else 0
    form = _sealed(exponent, low, (1 << (bits - 1)) - 1)
    return torch.tensor(form, dtype=torch.int32, device=sample.device)


def _sealed(*numbers: int) -> list[int]:
    """Some numbers and their checksum: odd and beyond 2**24, so no average of floats keeps it."""
    checksum = zlib.crc32(np.array(numbers, "<i4").tobytes()) >> 8
    return [*numbers, (1 << 26) + 2 * checksum + 1]


def _put(module: torch.nn.Module, rounding: FixedPointActivations) -> None:
    """Give a layer its rounding, or the one that it has another step."""
    if hasattr(module, _NAME):
        getattr(module, _NAME).form = rounding.form
    else:
        module.add_module(_NAME, rounding)
        module.register_forward_pre_hook(_round_input, with_kwargs=True)


def _round_input(
    module: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    rounding = getattr(module, _NAME)
    if inputs:
        return (rounding(inputs[0]), *inputs[1:]), named
    if rounding.argument in named:
        named = {**named, rounding.argument: rounding(named[rounding.argument])}
    return inputs, named
