"""Trained ternary quantization: weights have three values, and two of them are learned.

Zhu, Han, Mao and Dally 2016 (arXiv 1612.01064), sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from .._base.arrays import as_array
from ..codecs import TrainedTernary
from ..codecs.pruning import Density
from ..quantized import Groups, Quantized
from .assignments import check_type
from .changes import Change, check, check_finite, commit, content_of, first_mask, weights_behind
from .compressed import Values
from .layers import weight_places
from .passes import as_integers, finite, is_traced, laid_out, masked
from .rules import check_rule
from .settings import check_settings
from .sharded import whole
from .tensors import Place, matching

#: Which weights become zero: by a threshold relative to the largest magnitude, or by a density.
Zeros = TrainedTernary | Density

_AS_IN_THE_PAPER = TrainedTernary(0.05)


class TernaryValues(Values):
    """Ternary values -Wn, 0 and +Wp; the parameter is the latent weights.

    `positive` (Wp) and `negative` (Wn) are additional parameters of one element each. Each latent
    weight selects one of the three values. Its gradient is that of the selected value, times Wp,
    1 or Wn. The gradient of Wp is the sum over the weights that are Wp. The gradient of Wn is
    *minus* the sum over the weights that are -Wn; equation 7 of the paper lacks the minus, and
    would increase the loss.

    Parameters
    ----------
    weight : torch.Tensor
        Of a float type. Wp and Wn start as the mean magnitudes of the positive and the negative
        weights that are not zero.
    zeros : TrainedTernary or Density
        ``TrainedTernary(t)``: latent weights up to t times the largest magnitude are zero.
        ``Density(d)``: the fraction d of largest magnitude is nonzero, at every step.
    mask : torch.Tensor of bool, optional
        False for masked weights.

    Examples
    --------
    >>> import torch, qcodec
    >>> latent = torch.tensor([2.0, 4.0, 0.1, -1.0], requires_grad=True)
    >>> ternary = TernaryValues(latent, qcodec.TrainedTernary(0.05))
    >>> weights = ternary(latent, None)
    >>> weights.tolist()
    [3.0, 3.0, 0.0, -1.0]
    >>> (weights * torch.tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    >>> ternary.positive.grad, ternary.negative.grad, latent.grad
    (tensor([11.]), tensor([-1000.]), tensor([   3.,   30.,  100., 1000.]))
    """

    rule: torch.Tensor
    holds_weights = False

    def __init__(
        self, weight: torch.Tensor, zeros: Zeros, mask: torch.Tensor | None = None
    ) -> None:
        super().__init__()
        self.zeros = zeros
        self.register_buffer("rule", _as_integers(zeros).to(weight.device))
        weight = masked(weight.detach(), mask)
        above, below = self._zones(weight)
        self.positive = torch.nn.Parameter(_mean(weight, above))
        self.negative = torch.nn.Parameter(_mean(-weight, below))

    def forward(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Returns the ternary weights."""
        latent = masked(original, mask)
        fixed = latent.detach()
        codes = self._codes(fixed)
        positive, negative = self._parameters["positive"], self._parameters["negative"]
        zero, one = torch.zeros_like(positive), torch.ones_like(positive)
        values = torch.cat([zero, -negative, positive])
        moved_by = torch.cat([one, negative, positive]).detach()
        moves = (latent - fixed).flatten() * moved_by.index_select(0, codes)
        return laid_out(values.index_select(0, codes) + moves, latent)

    def quantized(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> Quantized:
        """Returns the weights as stored: three values, bit for bit."""
        above, below = self._zones(finite(masked(original, mask)))
        codes = (1 + above.byte() - below.byte()).flatten()  # in the order of the values
        values = torch.cat([-self.negative, torch.zeros_like(self.positive), self.positive])
        book, element = as_array(values.detach() + 0.0)  # -0.0 becomes 0.0, as in `forward`
        positions = torch.nonzero(codes != 1).flatten()
        return Quantized(
            tuple(original.shape),
            element.name,
            "codebook",
            codes[positions].cpu().numpy(),
            positions.cpu().numpy(),
            2,
            Groups(book[None]),
            codebook_dtype=element.name,
        )

    def kept(self, original: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor | None:
        """Returns the weights that are nonzero now."""
        return (self._codes(masked(original, mask)) != 0).view_as(original)

    def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
        check_settings(self.rule, state, f"{prefix}rule", rest[-1])
        super()._load_from_state_dict(state, prefix, *rest)

    def _codes(self, latent: torch.Tensor) -> torch.Tensor:
        """Flat indices: 0, 1 and 2 for the values 0, -Wn and Wp."""
        above, below = self._zones(latent)
        return torch.add(as_integers(below), as_integers(above), alpha=2).flatten().int()

    def _zones(self, latent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where latent weights select Wp, and where they select -Wn."""
        if latent.nbytes == 0:  # torch.jit would trace numel()
            return latent > 0, latent < 0
        if isinstance(self.zeros, TrainedTernary):
            low, high = latent.aminmax()
            limit = torch.maximum(-low, high) * self.zeros.threshold
            return latent > limit, latent < -limit
        chosen = _largest(latent, self.zeros)
        return chosen & (latent > 0), chosen & (latent < 0)


def ternarize(
    model: torch.nn.Module, rules: Mapping[str, Zeros] | Zeros = _AS_IN_THE_PAPER
) -> None:
    """Train the weights of a model as three values from now on.

    Two scales per tensor become new parameters: make the optimizer after this call, or add them
    to it. The other parameters stay the same objects; only shared tensors get new ones. Masked
    weights (`prune`) are zero.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place: each tensor gets `TernaryValues`.
    rules : mapping of str to TrainedTernary or Density, or one of them
        Keys are regular expressions that are searched for in plain names. A single rule applies
        to the weights of all convolutions, dense layers and attentions except the first and the
        last, as in the paper. The default is such a rule, with a threshold of 0.05.

    Raises
    ------
    TypeError
        If a rule is of another type, or a tensor is not float32, float16 or bfloat16.
    ValueError
        If a rule matches no parameter, there is no layer between the first and the last, a
        weight is NaN or infinite, or `docs/training.md` lists a tensor as refused. Nothing is
        changed then.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import plain_tensors
    >>> model = torch.nn.Sequential(*(torch.nn.Linear(8, 8) for _ in range(3)))
    >>> ternarize(model, qcodec.Density(0.5))
    >>> [len(tensor.unique()) for tensor in plain_tensors(model).values() if tensor.ndim == 2]
    [64, 3, 64]
    """
    chosen = _chosen(model, rules)
    for place, zeros in chosen:
        check_rule(place.name, zeros, TrainedTernary, Density)
        check_type(place)
    check(model, [place for place, _ in chosen])
    commit((_planned(place, zeros) for place, zeros in chosen), "ternarize")


def _planned(place: Place, zeros: Zeros) -> Change:
    compressed, mask = place.compressed, first_mask(place)
    ternary = compressed is not None and isinstance(compressed.values, TernaryValues)
    # A second call starts from the latent weights, not from the three values.
    weight = whole(place.original.detach()) if ternary else weights_behind(place)
    check_finite(place.name, masked(weight, mask))
    values = TernaryValues(weight, zeros, mask)
    for scale in values.parameters():
        scale.requires_grad_(place.original.requires_grad)
    return Change(place, mask, values, None if ternary else content_of(place))


def _chosen(
    model: torch.nn.Module, rules: Mapping[str, Zeros] | Zeros
) -> list[tuple[Place, Zeros]]:
    if isinstance(rules, Mapping):
        return matching(model, rules)
    inner = weight_places(model)[1:-1]
    if not inner:
        raise ValueError("found no layer between the first and the last; rules can name others")
    return [(place, rules) for place in inner]


def _largest(latent: torch.Tensor, density: Density) -> torch.Tensor:
    """Where the largest weights are; of equal weights the first, as `Density` chooses."""
    count = round(density.density * (latent.nbytes // latent.element_size()))
    if latent.device.type == "cpu" and not is_traced():
        try:
            # Nine times as fast. It takes a copy (`abs`), because FSDP2 resizes the memory of
            # weights, and torch forbids that after NumPy has used it.
            return torch.from_numpy(density.mask(latent.abs()))
        except (RuntimeError, TypeError, ValueError):  # no values (torch.func), or NaN
            pass
    if count == 0:
        return torch.zeros_like(latent, dtype=torch.bool)
    magnitudes = latent.abs().flatten()
    limit = magnitudes.topk(count).values[-1]  # ONNX has no kthvalue
    above, equal = magnitudes > limit, magnitudes == limit
    first = equal & (equal.cumsum(0) <= count - above.sum())
    return (above | first).view_as(latent)


def _mean(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """The mean of the chosen values, as one element; 0 if there are none."""
    total = masked(values.double(), chosen).sum()
    return (total / chosen.sum().clamp(min=1)).to(values.dtype).reshape(1)


def _as_integers(zeros: Zeros) -> torch.Tensor:
    """The kind of rule and the bits of its number, as integers that no dtype change rounds."""
    number = zeros.density if isinstance(zeros, Density) else zeros.threshold
    bits = int(np.float64(number).view(np.int64))
    return torch.tensor([int(isinstance(zeros, Density)), bits])
