"""Pruning by ADMM: weights are drawn towards the nearest sparse ones, instead of cut off.

Zhang, Ye, Zhang, Tang, Wen, Fardad and Wang 2018 (arXiv 1804.03294), sections 3 and 4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from ..codecs import Codec
from ..prunings import Density, NOfM, Pruning
from .pruning import prune
from .tensors import Place, matching, seen

#: What a tensor shall be: so sparse, of so many weights, or what a codec can say.
Constraint = Density | NOfM | Codec | int


class Admm:
    """The alternating direction method of multipliers, for weights W near a set they shall be in.

    It minimises f(W) + g(Z) with W = Z, where g is 0 for a Z that keeps to the constraint. W
    descends f + sum rho/2 * ||W - Z + U||^2 (`penalty`); now and then (`update`) Z becomes the
    projection of W + U, and U grows by W - Z. It starts at Z = projection of W, U = 0.

    Parameters
    ----------
    model : torch.nn.Module
        Not changed, until `prune`. Weights that are masked already stay zero.
    constraints : mapping of str to Density, NOfM, int or Codec
        By regular expression, searched for in plain names; the first that matches. Of a number
        of weights or a density the largest magnitudes are kept, which is the exact projection.
        A codec's is what it decodes to: with ``Sparse(Codebook(4), Density(0.1))`` weights are
        drawn to few shared values, and with a ``rate`` to those that take few bits, too.
    rho : float or mapping of str to float
        The penalty's weight, for all or by regular expression; `grow` changes it.

    Raises
    ------
    ValueError
        If a pattern finds no parameter, a tensor has no rho, or a rho is not positive.

    Examples
    --------
    >>> import torch, qcodec
    >>> model = torch.nn.Linear(3, 1, bias=False)
    >>> target = torch.tensor([[1.0, -3.0, 0.5]])
    >>> admm = Admm(model, {"weight": 1}, rho=1.0)
    >>> optimizer = torch.optim.SGD(model.parameters(), 0.2)
    >>> for step in range(200):
    ...     optimizer.zero_grad()
    ...     loss = (model.weight - target).square().sum() / 2 + admm.penalty()
    ...     loss.backward()
    ...     optimizer.step()
    ...     if step % 5 == 4:
    ...         admm.update()
    >>> admm.residual()["weight"] < 1e-3
    True
    >>> admm.prune()
    >>> model.weight.round(decimals=3).tolist()
    [[0.0, -3.0, 0.0]]
    """

    def __init__(
        self,
        model: torch.nn.Module,
        constraints: Mapping[str, Constraint],
        rho: float | Mapping[str, float] = 1e-4,
    ) -> None:
        self.model = model
        found = matching(model, constraints)
        self.rho = {place.name: _rho_of(place.name, rho) for place, _ in found}
        self._parts = {place.name: _Part(place, constraint) for place, constraint in found}

    def penalty(self) -> torch.Tensor:
        """The sum of rho/2 * ||W - Z + U||^2 over all tensors, to be added to the loss."""
        terms = [
            self.rho[name] / 2 * (seen(part.place) - part.z + part.u).square().sum()
            for name, part in self._parts.items()
        ]
        return torch.stack(terms).sum()

    def update(self) -> None:
        """Z becomes the projection of W + U, and then U grows by W - Z."""
        for part in self._parts.values():
            weight = part.place.value
            part.z = part.projection(weight + part.u)
            part.u = part.u + weight - part.z

    def grow(self, factor: float) -> None:
        """Multiply every rho; U is divided by it, so that the multipliers rho * U stay.

        A small rho leaves the loss in charge at first, a large one ends with W near Z in fewer
        updates than one rho for all (Boyd and others 2011, section 3.4.1).
        """
        for name, part in self._parts.items():
            self.rho[name] *= factor
            part.u = part.u / factor

    def residual(self) -> dict[str, float]:
        """How far each tensor is from its Z: ||W - Z|| / ||W||, by plain name."""
        found = {}
        for name, part in self._parts.items():
            weight = part.place.value
            length = float(weight.norm())
            found[name] = float((weight - part.z).norm()) / length if length else 0.0
        return found

    def prune(self) -> None:
        """Mask what the projection of the weights leaves out, as `qcodec.torch.prune` does."""
        rules: dict[str, Pruning] = {}
        for name, part in self._parts.items():
            kept = part.projection(part.place.value) != 0
            rules[f"^{re.escape(name)}$"] = _Chosen(kept)
        prune(self.model, rules)

    def state_dict(self) -> dict[str, Any]:
        """Z, U and rho of each tensor."""
        return {
            name: {"z": part.z, "u": part.u, "rho": self.rho[name]}
            for name, part in self._parts.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        if state.keys() != self._parts.keys():
            raise ValueError(f"found {sorted(state)}, allowed {sorted(self._parts)}")
        for name, part in self._parts.items():
            device = part.z.device
            part.z, part.u = state[name]["z"].to(device), state[name]["u"].to(device)
            self.rho[name] = float(state[name]["rho"])


class _Part:
    """One tensor W with its Z and U."""

    def __init__(self, place: Place, constraint: Constraint) -> None:
        self.place = place
        self.constraint = constraint
        weight = place.value
        if isinstance(constraint, int):
            if not 0 <= constraint <= weight.numel():
                raise ValueError(
                    f"{place.name!r}: found {constraint} weights to keep, "
                    f"allowed are 0 to {weight.numel()}"
                )
            self.constraint = Density(constraint / max(weight.numel(), 1))
        self.z = self.projection(weight)
        self.u = torch.zeros_like(weight)

    def projection(self, value: torch.Tensor) -> torch.Tensor:
        """The tensor of the constraint's set that is nearest, at least nearly."""
        if isinstance(self.constraint, Codec):
            decoded = self.constraint.quantize(value.cpu()).dequantize()
            return torch.from_numpy(decoded).to(value)
        assert isinstance(self.constraint, Pruning)
        mask = torch.from_numpy(self.constraint.mask(value.cpu()))
        return torch.where(mask.to(value.device), value, 0)


@dataclass(frozen=True)
class _Chosen(Pruning):
    """A pruning that was chosen already."""

    codec_id: ClassVar[str] = "chosen"
    kept: torch.Tensor

    def mask(self, array: Any) -> Any:
        return self.kept.cpu().numpy()


def _rho_of(name: str, rho: float | Mapping[str, float]) -> float:
    if isinstance(rho, Mapping):
        found = [value for pattern, value in rho.items() if re.search(pattern, name)]
        if not found:
            raise ValueError(f"{name!r}: no rho for it in {dict(rho)}")
        rho = found[0]
    if not rho > 0:
        raise ValueError(f"{name!r}: found rho={rho}, allowed is more than 0")
    return float(rho)
