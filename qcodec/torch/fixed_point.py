"""Fixed-point weights: multiples of a power of two, trained through the rounding.

Lin, Talathi and Annapureddy 2016 (Fixed point quantization of deep convolutional networks,
ICML), section 3; the gradient is the straight-through estimator (Bengio, Leonard and
Courville 2013, arXiv 1308.3432), clipped at the ends of the range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ..codecs import FixedPoint
from ..dtypes import element_type
from ..quantized import Groups, Quantized
from .layers import weight_places
from .tensors import Place, matching

# A power of two is one byte as an e8m0 scale: 2**(byte - 127).
_SCALE = element_type("float8_e8m0fnu")
_BIAS = 127


class FixedPointWeights(torch.nn.Module):
    """A parametrization that rounds weights to Qm.n; the unrounded ones are the parameter.

    Parameters
    ----------
    weight : torch.Tensor
        The step is chosen for it, and stays.
    codec : FixedPoint
        Bits, and the rule for the power of two; without groups.

    Examples
    --------
    >>> import torch, qcodec
    >>> weight = torch.tensor([-1.0, 0.3, 0.6, 3.0], requires_grad=True)
    >>> rounded = FixedPointWeights(weight[:3], qcodec.FixedPoint(3))(weight)
    >>> rounded.tolist()
    [-1.0, 0.25, 0.5, 0.75]
    >>> rounded.sum().backward()
    >>> weight.grad.tolist()
    [1.0, 1.0, 1.0, 0.0]
    """

    exponent: torch.Tensor

    def __init__(self, weight: torch.Tensor, codec: FixedPoint) -> None:
        super().__init__()
        self.register_buffer("exponent", torch.tensor(0))
        self.choose(weight, codec)

    def choose(self, weight: torch.Tensor, codec: FixedPoint) -> None:
        """Bits and step from now on; arguments as for the class."""
        self.bits = codec.bits
        self.exponent.fill_(power_of_two(weight, codec))

    def forward(self, original: torch.Tensor) -> torch.Tensor:
        """The weights that the model sees."""
        return rounded(original, self.exponent, *self._range)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """What is assigned to the weight becomes the parameter as it is."""
        return weight

    def quantized(self, original: torch.Tensor) -> Quantized:
        """The weights as they are stored: integers and the power of two, bit for bit."""
        low, high = self._range
        steps = _integers(original.detach(), self.exponent, low, high)
        codes = (steps - low).flatten().cpu().numpy()
        scale = np.array([int(self.exponent) + _BIAS], np.uint8).view(_SCALE.carrier)
        return Quantized(
            tuple(original.shape),
            str(original.dtype).removeprefix("torch."),
            "affine",
            codes.astype(np.uint8 if self.bits <= 8 else np.uint16),
            bits=self.bits,
            scale=Groups(scale),
            scale_dtype=_SCALE.name,
            zero_point=-low,
        )

    @property
    def _range(self) -> tuple[int, int]:
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1


class _Rounded(torch.autograd.Function):
    """Rounding to multiples of a power of two, with the clipped straight-through gradient."""

    @staticmethod
    def forward(
        context: Any, original: torch.Tensor, exponent: torch.Tensor, low: int, high: int
    ) -> torch.Tensor:
        steps = torch.ldexp(original.float(), -exponent)
        least, most = _ends(original.dtype, exponent, low, high)
        context.save_for_backward((steps >= least - 0.5) & (steps <= most + 0.5))
        whole = torch.ldexp(_integers(original, exponent, low, high), exponent)
        return whole.to(original.dtype)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[Any, ...]:  # type: ignore[override, unused-ignore]
        (reached,) = context.saved_tensors
        return torch.where(reached, gradient, 0), None, None, None


def rounded(original: torch.Tensor, exponent: torch.Tensor, low: int, high: int) -> torch.Tensor:
    """The nearest multiples of a power of two, from `low` to `high` times it.

    Multiples that the element type cannot hold are left out, as by `FixedPoint`.

    Parameters
    ----------
    original : torch.Tensor
        Of a float type. Its gradient is that of what is returned, and 0 where that is
        clipped.
    exponent : torch.Tensor of int
        One number: the power.
    low, high : int

    Examples
    --------
    >>> import torch
    >>> rounded(torch.tensor([0.3, -9.0]), torch.tensor(-2), -4, 3)
    tensor([ 0.2500, -1.0000])
    """
    whole: torch.Tensor = _Rounded.apply(original, exponent, low, high)
    return whole


def power_of_two(array: torch.Tensor, codec: FixedPoint) -> int:
    """The exponent of the step that a codec chooses for a tensor.

    Raises
    ------
    ValueError
        If the codec has groups, or a value is NaN or infinite.
    """
    if codec.per is not None or codec.group is not None:
        raise ValueError(f"fixed-point weights: found {codec}, allowed is one step a tensor")
    scale = codec.quantize(array.detach().cpu()).scale
    assert scale is not None
    return int(scale.values.view(np.uint8)[0]) - _BIAS


def fix_points(model: torch.nn.Module, rules: Mapping[str, FixedPoint] | FixedPoint) -> None:
    """Round the weights of a model to fixed point from now on, and train through the rounding.

    The parameters stay the same objects, so that an optimizer that has them goes on. Called
    again for a tensor, its step is chosen anew.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by `FixedPointWeights`.
    rules : mapping of str to FixedPoint, or FixedPoint
        By regular expression, searched for in plain names; one alone is for the weights of
        all convolutions and dense layers.

    Raises
    ------
    ValueError
        If a rule finds no parameter, has groups, or a weight is NaN or infinite.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(64, 64)
    >>> fix_points(model, qcodec.FixedPoint(bits=3))
    >>> len(model.weight.unique())
    8
    """
    for place, codec in _chosen(model, rules):
        last = place.parametrizations[-1] if place.parametrizations else None
        if isinstance(last, FixedPointWeights):
            last.choose(place.last_input, codec)
        else:
            weight = place.value
            place.register(FixedPointWeights(weight, codec).to(weight.device))


def _chosen(
    model: torch.nn.Module, rules: Mapping[str, FixedPoint] | FixedPoint
) -> list[tuple[Place, FixedPoint]]:
    if isinstance(rules, Mapping):
        return matching(model, rules)
    return [(place, rules) for place in weight_places(model)]


def _integers(original: torch.Tensor, exponent: torch.Tensor, low: int, high: int) -> torch.Tensor:
    """How many steps each element is, as float32; halves go to the even neighbour."""
    steps = torch.ldexp(original.float(), -exponent).round()
    least, most = _ends(original.dtype, exponent, low, high)
    return steps.clamp(least, most) + 0.0  # -0.0 becomes 0.0


def _ends(
    dtype: torch.dtype, exponent: torch.Tensor, low: int, high: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The least and the greatest number of steps: no further than the type's greatest number."""
    greatest = min(torch.finfo(dtype).max, torch.finfo(torch.float32).max)
    reach = torch.ldexp(torch.full_like(exponent, greatest, dtype=torch.float32), -exponent).floor()
    return (-reach).clamp(min=low), reach.clamp(max=high)
