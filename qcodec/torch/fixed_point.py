"""Fixed-point weights: multiples of a power of two, trained through the rounding.

Lin, Talathi and Annapureddy 2016 (Fixed point quantization of deep convolutional networks,
ICML), section 3; the gradient is the straight-through estimator (Bengio, Leonard and
Courville 2013, arXiv 1308.3432), clipped at the ends of the range.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from ..codecs import FixedPoint
from ..dtypes import element_type
from ..errors import naming
from ..quantized import Groups, Quantized
from .changes import Change, check, commit, content_of, first_mask, weights_behind
from .compressed import Values
from .known import Known
from .layers import weight_places
from .passes import finite, is_traced, masked, passed
from .rules import check_rule
from .settings import check_settings
from .tensors import Place, matching

# A power of two is one byte as an e8m0 scale: 2**(byte - 127).
_SCALE = element_type("float8_e8m0fnu")
_BIAS = 127


class FixedPointValues(Values):
    """Weights rounded to Qm.n. The parameter is the unrounded weights.

    Parameters
    ----------
    weight : torch.Tensor
        The step is chosen for these weights, and does not change afterwards.
    codec : FixedPoint
        Number of bits, and the rule for the power of two; without groups.

    Examples
    --------
    >>> import torch, qcodec
    >>> weight = torch.tensor([-1.0, 0.3, 0.6, 3.0], requires_grad=True)
    >>> rounded = FixedPointValues(weight[:3], qcodec.FixedPoint(3))(weight, None)
    >>> rounded.tolist()
    [-1.0, 0.25, 0.5, 0.75]
    >>> rounded.sum().backward()
    >>> weight.grad.tolist()
    [1.0, 1.0, 1.0, 0.0]
    """

    exponent: torch.Tensor
    width: torch.Tensor

    def __init__(self, weight: torch.Tensor, codec: FixedPoint) -> None:
        super().__init__()
        self.bits = codec.bits
        device = weight.device
        self.register_buffer("width", torch.tensor([self.bits], device=device))
        power = power_of_two(weight, codec)
        self.register_buffer("exponent", torch.tensor(power, device=device))
        self._known: Known[Grid] = Known()

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the rounded weights."""
        return on_grid(masked(original, mask), self._grid(original.dtype))

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the weights as stored: integers and the power of two, bit for bit."""
        low, _ = self._range
        steps = _steps(finite(masked(original, mask)), self._grid(original.dtype))
        codes = (steps - low).flatten().cpu().numpy()
        positions = None if mask is None else torch.nonzero(mask.flatten()).flatten().cpu().numpy()
        scale = np.array([int(self.exponent) + _BIAS], np.uint8).view(_SCALE.carrier)
        return Quantized(
            tuple(original.shape),
            str(original.dtype).removeprefix("torch."),
            "affine",
            (codes if positions is None else codes[positions]).astype(
                np.uint8 if self.bits <= 8 else np.uint16
            ),
            positions,
            bits=self.bits,
            scale=Groups(scale),
            scale_dtype=_SCALE.name,
            zero_point=-low,
        )

    def accepts(self, other: Values) -> bool:
        """Whether the other values are fixed-point too; their bits and step can be copied."""
        return isinstance(other, FixedPointValues)

    def take(self, other: Values) -> None:
        """Copy the bits and the step of other values."""
        assert isinstance(other, FixedPointValues)
        self.bits = other.bits
        self.width.copy_(other.width)
        self.exponent.copy_(other.exponent)

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        check_settings(self.width, state, f"{prefix}width", rest[-1])
        super()._load_from_state_dict(state, prefix, *rest)

    @property
    def _range(self) -> tuple[int, int]:
        return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1

    def _grid(self, dtype: torch.dtype) -> Grid:
        """The grid as plain numbers, read from the buffer only after changes; tensors if traced."""
        exponent = self.exponent
        tensors = partial(grid_of, exponent, *self._range, dtype)
        if is_traced():
            return tensors()
        try:
            return self._known.read(
                exponent, (dtype, self.bits), lambda: Grid(*(float(one) for one in tensors()))
            )
        except RuntimeError:  # a tensor of torch.func, which has no value
            return tensors()


class Grid(NamedTuple):
    """A range of multiples of a power of two, as numbers or as tensors of one element.

    Attributes
    ----------
    steps : float or torch.Tensor
        Steps per 1: the inverse of the step.
    step : float or torch.Tensor
    min, max : float or torch.Tensor
        The range, in steps.
    """

    steps: float | torch.Tensor
    step: float | torch.Tensor
    min: float | torch.Tensor
    max: float | torch.Tensor


def grid_of(
    exponent: torch.Tensor,
    low: int | torch.Tensor,
    high: int | torch.Tensor,
    dtype: torch.dtype,
) -> Grid:
    """The multiples of ``2**exponent`` from `low` to `high` steps that an element type can hold."""
    largest = min(torch.finfo(dtype).max, torch.finfo(torch.float32).max)
    one = torch.ones_like(exponent, dtype=torch.float32)
    reach = torch.ldexp(one * largest, -exponent).floor()
    steps, step = torch.ldexp(one, -exponent), torch.ldexp(one, exponent)
    return Grid(steps, step, (-reach).clamp(min=low), reach.clamp(max=high))


def rounded(
    original: torch.Tensor,
    exponent: torch.Tensor,
    low: int | torch.Tensor,
    high: int | torch.Tensor,
) -> torch.Tensor:
    """Round to the nearest multiples of a power of two, from `low` to `high` steps.

    Multiples that the element type cannot hold are left out, as in `FixedPoint`.

    Parameters
    ----------
    original : torch.Tensor
        Of a float type. It gets the gradient of the rounded values, and 0 where they are
        clipped.
    exponent : torch.Tensor of int
        The exponent of the power, one number.
    low, high : int or torch.Tensor of int
        The range, in steps.

    Examples
    --------
    >>> import torch
    >>> rounded(torch.tensor([0.3, -9.0]), torch.tensor(-2), -4, 3)
    tensor([ 0.2500, -1.0000])
    """
    return on_grid(original, grid_of(exponent, low, high, original.dtype))


def on_grid(original: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Round to the nearest points of a grid, with the gradient of `rounded`."""
    steps = original.detach().float() * grid.steps
    # Values up to half a step beyond the ends round to the ends without clipping.
    reached = steps == steps.clamp(grid.min - 0.5, grid.max + 0.5)
    points = steps.round().clamp(grid.min, grid.max) * grid.step
    return passed(points.to(original.dtype), original, reached)


def power_of_two(array: torch.Tensor, codec: FixedPoint) -> int:
    """The exponent of the step that a codec chooses for a tensor.

    Raises
    ------
    ValueError
        If the codec has groups, or a value is NaN or infinite.
    """
    if codec.per is not None or codec.group is not None:
        raise ValueError(f"fixed-point weights: found {codec}, allowed is one step per tensor")
    scale = codec.quantize(array.detach().cpu()).scale
    assert scale is not None
    return int(scale.values.view(np.uint8)[0]) - _BIAS


def fix_points(model: torch.nn.Module, rules: Mapping[str, FixedPoint] | FixedPoint) -> None:
    """Round the weights of a model to fixed point from now on, and train through the rounding.

    The parameters stay the same objects, so an existing optimizer continues to work; only shared
    and ternary weights become new parameters. A second call for a tensor chooses its step again,
    for its unrounded weights.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor gets `FixedPointValues`.
    rules : mapping of str to FixedPoint, or FixedPoint
        Keys are regular expressions that are searched for in plain names. A single codec applies
        to the weights of all convolutions, dense layers and attentions.

    Raises
    ------
    TypeError
        If a rule is not a `FixedPoint`, or a tensor's type cannot be quantized.
    ValueError
        If a rule matches no parameter or has groups, a weight is NaN or infinite, or
        `docs/training.md` lists a tensor as refused. Nothing is changed then.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(64, 64)
    >>> fix_points(model, qcodec.FixedPoint(bits=3))
    >>> len(model.weight.unique())
    8
    """
    chosen = _chosen(model, rules)
    for place, codec in chosen:
        check_rule(place.name, codec, FixedPoint)
    check(model, [place for place, _ in chosen])
    commit((_planned(place, codec) for place, codec in chosen), "fix_points")


def _planned(place: Place, codec: FixedPoint) -> Change:
    with naming(place.name):
        values = FixedPointValues(weights_behind(place), codec)
    return Change(place, first_mask(place), values, content_of(place))


def _chosen(
    model: torch.nn.Module, rules: Mapping[str, FixedPoint] | FixedPoint
) -> list[tuple[Place, FixedPoint]]:
    if isinstance(rules, Mapping):
        return matching(model, rules)
    return [(place, rules) for place in weight_places(model)]


def _steps(original: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Each element in steps, rounded half to even, as float32."""
    return (original.float() * grid.steps).round().clamp(grid.min, grid.max) + 0.0
