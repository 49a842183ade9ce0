"""Fixed-point activations: layer inputs are rounded to multiples of a power of two.

Lin, Talathi and Annapureddy 2016 (ICML), section 3: a fixed-point network computes with
integers only if its activations are fixed point too.
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
_MAX_BITS = 15
# Elements sampled from each batch to choose a step, besides its minimum and maximum.
_SAMPLE = 1 << 16


class FixedPointActivations(torch.nn.Module):
    """Rounds its input to fixed point, with the clipped straight-through gradient.

    The buffer `form` holds the power of two, the minimum and maximum integer, and a checksum of
    them, so state dicts are complete. `choose` sets it.

    Parameters
    ----------
    argument : str
        The name of the layer's input parameter, for layers that are called by keyword.

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
        """Choose the step from a sample of activations.

        Parameters
        ----------
        sample : torch.Tensor
            If it has no negative value, the range begins at zero.
        codec : FixedPoint
            2 to 15 bits, and the rule for the power of two; without groups.
        """
        _check_codec(codec)
        self.form = _form(sample, codec).to(self.form.device)

    def forward(self, activations: torch.Tensor) -> torch.Tensor:
        """Round to the nearest multiples of the power of two within the range."""
        if not is_traced():
            self._check()
        # These stay tensors: a number read from a tensor cannot be traced or exported.
        exponent, low, high, _ = self.form.unbind()
        return rounded(activations, exponent, low, high)

    def __getstate__(self) -> dict[str, Any]:
        """Omit the buffer's last seen version: the tensors of a copy count versions from 0."""
        return {**self.__dict__, "_seen": (None, -1)}

    def _check(self) -> None:
        """Raise ValueError if the form was averaged; read it only if it was written to."""
        form = self.form
        if form.is_inference() or (self._seen[0] is form and self._seen[1] == form._version):
            return
        try:
            numbers = form.tolist()
        except RuntimeError:  # no values: the meta device, or torch.func
            return
        if numbers != _sealed(*numbers[:3]):
            raise ValueError(
                "the steps of fixed activations were changed, as by an average (EMA, SWA) that "
                "includes buffers: they are integers; average parameters only, and copy buffers "
                "(use_buffers=False)"
            )
        self._seen = form, form._version


def fix_activations(
    model: torch.nn.Module,
    rules: Mapping[str, FixedPoint] | FixedPoint,
    batches: Iterable[torch.Tensor],
) -> None:
    """Round the inputs of a model's layers from now on, and train through the rounding.

    Each layer gets a module `FixedPointActivations`, which a forward hook calls. State dicts,
    copies and files therefore hold the steps. To load them, fix the same activations first. If
    this function, the model or `batches` raises an error, the model is unchanged.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place.
    rules : mapping of str to FixedPoint, or FixedPoint
        Keys are regular expressions. They are searched for in the names of convolutions and
        dense layers, followed by ``.input``: ``conv1.input``. A single codec applies to all
        layers. Codecs have 2 to 15 bits. Inputs that are never negative in `batches` are
        unsigned. Layers that the model never calls, such as the ``out_proj`` of an attention,
        are left out, and a `QCodecWarning` names them.
    batches : iterable of torch.Tensor
        Inputs of the model, from which the steps are chosen. No gradients are computed.

    Raises
    ------
    TypeError
        If a rule is not a `FixedPoint`, a batch is not a tensor (a pair of inputs and targets,
        for example), or the input of a layer is not real floats.
    ValueError
        If a rule matches no layer or none that is called, if it has groups or a number of bits
        outside 2 to 15, or if the input of a layer has NaN or infinity.

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
    with torch.inference_mode(False):  # tensors made in inference mode cannot be trained later
        modules = [layer.rounding() for layer in called]
        names = [layer.name for layer in called]
        send_steps(model, {name: one.form for name, one in zip(names, modules, strict=True)})
    for layer, rounding in zip(called, modules, strict=True):
        _put(layer.module, rounding)
    forget_compiled_code()


@dataclass
class _Layer:
    """A layer that a rule matches, and samples of its inputs, which include their extremes."""

    name: str
    module: torch.nn.Module
    codec: FixedPoint
    argument: str
    samples: list[torch.Tensor] = field(default_factory=list)

    def take(self, _: torch.nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Sample the input: a forward pre-hook that runs before all others."""
        given = inputs[0] if inputs else named.get(self.argument)
        if not isinstance(given, torch.Tensor) or given.numel() == 0:
            return
        if not given.is_floating_point():
            raise TypeError(f"{self.name}: found {given.dtype}, allowed are real floats")
        values = given.detach().flatten()
        few = values[:: max(1, len(values) // _SAMPLE)]
        self.samples.append(torch.cat([few, torch.stack(values.aminmax())]))

    def rounding(self) -> FixedPointActivations:
        """Returns the rounding module for the layer."""
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
    """The layers that rules match, each with its first rule."""
    names = {f"{name}.input" if name else "input": module for name, module in found.items()}
    known, there = frozenset(names), f"there are {', '.join(names)}" if names else "there is none"
    looked_up, codecs = Patterns(patterns), list(rules.values())
    matching = looked_up.found_in(known)
    for at, pattern in enumerate(patterns):
        if at not in matching:
            raise ValueError(f"no layer matches {quoted(pattern.text)}; {there}")
    first = looked_up.first
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
    check_integer("bits", codec.bits, 2, _MAX_BITS)
    if codec.per is not None or codec.group is not None:
        raise ValueError(f"found {codec}, allowed is one step for all activations")


def _first_parameter(module: torch.nn.Module) -> str:
    """The name of a layer's input parameter: ``input`` in torch, but ``x`` in a Conv1D."""
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
    """Each pattern must match a layer that was called; a warning names other uncalled layers."""
    idle = [layer.name for layer in chosen if not layer.samples]
    reached = frozenset(layer.name for layer in chosen if layer.samples)
    matching = Patterns(patterns).found_in(reached) if idle else set()
    for at, pattern in enumerate(patterns if idle else ()):
        if at not in matching:
            name = next(name for name in idle if pattern.finds(name))
            raise ValueError(f"{name}: found no input in any batch, allowed is at least one")
    if idle:
        names = ", ".join(idle)
        warn_caller(f"{names}: left out, as no batch reaches these layers")


def _form(sample: torch.Tensor, codec: FixedPoint) -> torch.Tensor:
    """The power of two, and the minimum and maximum integer, on the device of the sample."""
    signed = bool((sample < 0).any())
    # The unsigned range is the upper half of a symmetric range with one more bit.
    bits = codec.bits if signed else codec.bits + 1
    exponent = power_of_two(sample, FixedPoint(bits, codec.step))
    low = -(1 << (bits - 1)) if signed else 0
    form = _sealed(exponent, low, (1 << (bits - 1)) - 1)
    return torch.tensor(form, dtype=torch.int32, device=sample.device)


def _sealed(*numbers: int) -> list[int]:
    """Append a checksum to numbers. It is odd and above 2**24, so no float32 average keeps it."""
    checksum = zlib.crc32(np.array(numbers, "<i4").tobytes()) >> 8
    return [*numbers, (1 << 26) + 2 * checksum + 1]


def _put(module: torch.nn.Module, rounding: FixedPointActivations) -> None:
    """Add a rounding to a layer, or update the one that it has."""
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
