"""Trained ternary quantization: weights of three values, of which two are learned.

Zhu, Han, Mao and Dally 2016 (arXiv 1612.01064), sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..arrays import as_array
from ..codecs import TrainedTernary
from ..prunings import Density
from ..quantized import Groups, Quantized
from .layers import weight_places
from .tensors import Place, matching

#: What becomes zero: up to a part of the largest magnitude, or all but a share of the weights.
Zeros = TrainedTernary | Density

_AS_IN_THE_PAPER = TrainedTernary(0.05)


class TernaryWeights(torch.nn.Module):
    """A parametrization by latent weights: each stands for -Wn, 0 or +Wp.

    The latent weights are the parameter that was there; `positive` (Wp) and `negative` (Wn)
    are parameters beside it. Latent weights decide between the three values and move by the
    gradient of the value that they stand for, times Wp, 1 or Wn. The gradient of Wp is the
    sum over the weights that are Wp; that of Wn is *minus* the sum over those that are -Wn
    (the paper's equation 7 prints no minus, which would climb the loss).

    Parameters
    ----------
    weight : torch.Tensor
        Of a float type; Wp and Wn start as the mean magnitudes of the two sides.
    zeros : TrainedTernary or Density
        ``TrainedTernary(t)``: latent weights up to t of their largest magnitude are zero.
        ``Density(d)``: the same share is zero for ever; d of them, the largest, are not.

    Examples
    --------
    >>> import torch, qcodec
    >>> latent = torch.tensor([2.0, 4.0, 0.1, -1.0], requires_grad=True)
    >>> ternary = TernaryWeights(latent, qcodec.TrainedTernary(0.05))
    >>> weights = ternary(latent)
    >>> weights.tolist()
    [3.0, 3.0, 0.0, -1.0]
    >>> (weights * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    >>> ternary.positive.grad, ternary.negative.grad, latent.grad
    (tensor(11.), tensor(-1000.), tensor([   3.,   30.,  100., 1000.]))
    """

    def __init__(self, weight: torch.Tensor, zeros: Zeros) -> None:
        super().__init__()
        self.zeros = zeros
        weight = weight.detach()
        above, below = self._zones(weight)
        self.positive = torch.nn.Parameter(_mean(weight, above))
        self.negative = torch.nn.Parameter(_mean(-weight, below))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """The weights that the model sees."""
        above, below = self._zones(latent.detach())
        ternary: torch.Tensor = _Ternary.apply(latent, self.positive, self.negative, above, below)
        return ternary

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """What is assigned to the weight becomes the latent weight."""
        return weight

    def quantized(self, latent: torch.Tensor) -> Quantized:
        """The weights as they are stored: three values, bit for bit.

        Raises
        ------
        TypeError
            For float64, whose values no codebook holds.
        """
        above, below = self._zones(latent.detach())
        values = torch.stack([-self.negative, torch.zeros_like(self.positive), self.positive])
        book, element = as_array(values.detach())
        if element.name == "float64":
            raise TypeError("ternary weights: found float64, allowed float32, float16, bfloat16")
        codes = (1 + above.byte() - below.byte()).flatten()
        positions = torch.nonzero(codes != 1).flatten()
        return Quantized(
            tuple(latent.shape),
            element.name,
            "codebook",
            codes[positions].cpu().numpy(),
            positions.cpu().numpy(),
            2,
            Groups(book[None]),
            codebook_dtype=element.name,
        )

    def _zones(self, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where latent weights stand for Wp, and where for -Wn."""
        limit = _limit(latent.abs(), self.zeros)
        return latent > limit, latent < -limit


class _Ternary(torch.autograd.Function):
    """Three values in place of latent weights, with the gradients of trained quantization."""

    @staticmethod
    def forward(
        context: Any,
        latent: torch.Tensor,  # noqa: ARG004 (its gradient is what backward is about)
        positive: torch.Tensor,
        negative: torch.Tensor,
        above: torch.Tensor,
        below: torch.Tensor,
    ) -> torch.Tensor:
        context.save_for_backward(positive, negative, above, below)
        return torch.where(above, positive, torch.where(below, -negative, 0))

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[Any, ...]:  # type: ignore[override, unused-ignore]
        positive, negative, above, below = context.saved_tensors
        scale = torch.where(above, positive, torch.where(below, negative, 1))
        of_positive = torch.where(above, gradient, 0).sum()
        of_negative = -torch.where(below, gradient, 0).sum()
        return gradient * scale, of_positive, of_negative, None, None


def ternarize(
    model: torch.nn.Module, rules: Mapping[str, Zeros] | Zeros = _AS_IN_THE_PAPER
) -> None:
    """Train the weights of a model as three values from now on.

    The parameters stay the same objects, and two scales a tensor are added: make the
    optimizer after this, or add them to it. Behind a mask (`prune`), what is masked is zero.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor is parametrized by `TernaryWeights`.
    rules : mapping of str to TrainedTernary or Density, or one of them
        By regular expression, searched for in plain names. One alone is for the weights of
        all convolutions and dense layers but the first and the last, as in the paper; that is
        the default, with a threshold of 0.05.

    Raises
    ------
    TypeError
        If a rule is neither.
    ValueError
        If a rule finds no parameter, or nothing is between the first layer and the last.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import plain_tensors
    >>> model = torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(3)))
    >>> ternarize(model, qcodec.Density(0.5))
    >>> [len(tensor.unique()) for tensor in plain_tensors(model).values() if tensor.ndim == 2]
    [64, 3, 64]
    """
    for place, zeros in _chosen(model, rules):
        if not isinstance(zeros, Zeros):
            raise TypeError(
                f"{place.name!r}: found {type(zeros).__name__}, allowed TrainedTernary, Density"
            )
        weight = place.value
        place.register(TernaryWeights(weight, zeros).to(weight.device))


def _chosen(
    model: torch.nn.Module, rules: Mapping[str, Zeros] | Zeros
) -> list[tuple[Place, Zeros]]:
    if isinstance(rules, Mapping):
        return matching(model, rules)
    inner = weight_places(model)[1:-1]
    if not inner:
        raise ValueError("found no layer between the first and the last; rules can name others")
    return [(place, rules) for place in inner]


def _limit(magnitudes: torch.Tensor, zeros: Zeros) -> torch.Tensor:
    """The magnitude up to which latent weights are zero."""
    if isinstance(zeros, TrainedTernary):
        return magnitudes.max() * zeros.threshold
    absent = magnitudes.numel() - round(zeros.density * magnitudes.numel())
    if absent == 0:
        return magnitudes.new_zeros(())
    return magnitudes.flatten().kthvalue(absent).values


def _mean(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """The mean of some values, or 0 if they are none."""
    return torch.where(chosen, values, 0).sum() / chosen.sum().clamp(min=1)
