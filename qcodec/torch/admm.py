"""Pruning by ADMM: weights are drawn towards the nearest sparse weights before they are cut.

Zhang, Ye, Zhang, Tang, Wen, Fardad and Wang 2018 (arXiv 1804.03294), sections 3 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from .._base.arrays import to_torch
from .._base.checks import check_number
from .._base.patterns import Patterns, exactly
from ..codecs import Codec
from ..codecs.pruning import Density, NOfM, Pruning
from ..dtypes import element_type
from ..errors import naming
from .changes import check
from .pruning import prune
from .rules import check_rule, patterns_of
from .tensors import Place, matching, seen

#: A density, N of M, a number of weights, or the tensors that a codec can represent.
Constraint = Density | NOfM | Codec | int


class Admm:
    """The alternating direction method of multipliers: draws weights W to a set of constraints.

    It minimises f(W) + g(Z) subject to W = Z. Here f is the loss, and g is 0 where Z satisfies
    the constraint and infinite elsewhere. W descends f + sum rho/2 * ||W - Z + U||^2 (`penalty`).
    From time to time (`update`), Z becomes the projection of W + U, and then U grows by W - Z.
    The start is Z = projection of W, U = 0. Each method changes all tensors or, if it raises,
    none.

    Parameters
    ----------
    model : torch.nn.Module
        Only `prune` changes it. Weights that are already masked stay zero.
    constraints : mapping of str to Density, NOfM, int or Codec
        Keys are regular expressions that are searched for in plain names; the first match
        applies. A number of weights or a density keeps the largest magnitudes, which is the
        exact projection. A codec projects by encoding and decoding:
        ``Sparse(Codebook(4), Density(0.1))`` draws weights to few shared values, and a ``rate``
        draws them to values that take few bits.
    rho : float or mapping of str to float
        The weight of the penalty, for all tensors or by regular expression. `grow` changes it.

    Raises
    ------
    TypeError
        If a constraint has another type, or a rho is not a number.
    ValueError
        If there is no constraint, a pattern matches no parameter, a tensor has no rho, a rho is
        not positive and finite, or a weight is NaN or infinite (also from `update`, `prune`).

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
        found = matching(model, constraints)
        for place, constraint in found:
            check_rule(place.name, constraint, Density, NOfM, Codec, int)
        check(model, [place for place, _ in found])
        self.model = model
        self.rho = _rhos([place.name for place, _ in found], rho)
        with torch.inference_mode(False):  # tensors of inference mode cannot be part of a loss
            self._parts = {place.name: _Part(place, constraint) for place, constraint in found}

    def penalty(self) -> torch.Tensor:
        """The sum of rho/2 * ||W - Z + U||^2 over all tensors; add it to the loss."""
        terms = [
            self.rho[name] / 2 * _squares(seen(part.place) - part.z + part.u)
            for name, part in self._parts.items()
        ]
        return torch.stack(terms).sum()

    def update(self) -> None:
        """Set Z to the projection of W + U, and then add W - Z to U."""
        with torch.inference_mode(False):
            updated = {name: part.updated() for name, part in self._parts.items()}
        for name, part in self._parts.items():
            part.z, part.u = updated[name]

    def grow(self, factor: float) -> None:
        """Multiply every rho by a factor, and divide U by it: the multipliers rho * U stay.

        A small rho lets the loss decide at first, and a large one draws W close to Z at the
        end. That takes fewer updates than a constant rho (Boyd and others 2011, section 3.4.1).

        Raises
        ------
        TypeError, ValueError
            If the factor is not a number above 0, a rho would become 0 or infinite, or U would
            become infinite.
        """
        check_number("factor", factor, 0)
        grown = {name: _checked_rho(name, rho * factor) for name, rho in self.rho.items()}
        with torch.inference_mode(False):
            divided = {name: part.u / factor for name, part in self._parts.items()}
        for name, u in divided.items():
            if not bool(u.isfinite().all()):
                raise ValueError(
                    f"{name!r}: found factor={factor}, allowed is one that leaves U finite"
                )
        self.rho = grown
        for name, part in self._parts.items():
            part.u = divided[name]

    def residual(self) -> dict[str, float]:
        """The distance of each tensor from its Z, ||W - Z|| / ||W||, by plain name."""
        found = {}
        for name, part in self._parts.items():
            weight = part.weight.double()  # squares of float16 values may overflow
            length = float(weight.norm())
            found[name] = float((weight - part.z).norm()) / length if length else 0.0
        return found

    def prune(self) -> None:
        """Mask the weights that their projection sets to zero, as `qcodec.torch.prune` does."""
        rules: dict[str, Pruning] = {}
        for name, part in self._parts.items():
            kept = part.projection(part.weight) != 0
            rules[exactly(name)] = _Chosen(kept)
        prune(self.model, rules)

    def state_dict(self) -> dict[str, Any]:
        """Z, U and rho of each tensor."""
        return {
            name: {"z": part.z, "u": part.u, "rho": self.rho[name]}
            for name, part in self._parts.items()
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state_dict` returned.

        Raises
        ------
        TypeError, ValueError
            If the state does not fit these tensors. Nothing has changed then.
        """
        if state.keys() != self._parts.keys():
            raise ValueError(f"found {sorted(state)}, allowed {sorted(self._parts)}")
        loaded = {name: part.checked(state[name]) for name, part in self._parts.items()}
        for name, part in self._parts.items():
            part.z, part.u, self.rho[name] = loaded[name]


class _Part:
    """One tensor W with its Z and U. Z and U are replaced, never changed in place."""

    def __init__(self, place: Place, constraint: Constraint) -> None:
        self.place = place
        self.constraint = constraint
        weight = self.weight
        if isinstance(constraint, int):
            if not 0 <= constraint <= weight.numel():
                raise ValueError(
                    f"{place.name!r}: found {constraint} weights to keep, "
                    f"allowed are 0 to {weight.numel()}"
                )
            self.constraint = Density(constraint / max(weight.numel(), 1))
        self.z = self.projection(weight)
        self.u = torch.zeros_like(weight)

    @property
    def weight(self) -> torch.Tensor:
        """W, detached."""
        return self.place.value

    def updated(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The next Z and U."""
        weight = self.weight
        z = self.projection(weight + self.u)
        return z, self.u + weight - z

    def projection(self, value: torch.Tensor) -> torch.Tensor:
        """The tensor nearest to `value` that satisfies the constraint; approximate for codecs."""
        with naming(self.place.name):
            if isinstance(self.constraint, Codec):
                quantized = self.constraint.quantize(value.cpu())
                decoded = to_torch(quantized.dequantize(), element_type(quantized.dtype))
                return decoded.to(value, copy=True)  # Lossless returns the weights' own memory
            assert isinstance(self.constraint, Pruning)
            mask = torch.from_numpy(self.constraint.mask(value.cpu()))
            return torch.where(mask.to(value.device), value, 0)

    def checked(self, state: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor, float]:
        """Z, U and rho of a state, with this tensor's type and device."""
        name = self.place.name
        if not {"z", "u", "rho"} <= state.keys():
            raise ValueError(f"{name!r}: found {sorted(state)}, allowed are rho, u and z")
        for key in ("z", "u"):
            shape, wanted = tuple(getattr(state[key], "shape", ())), tuple(self.z.shape)
            if shape != wanted:
                raise ValueError(f"{name!r}: found {key} of shape {shape}, allowed is {wanted}")
        rho = _checked_rho(name, float(state["rho"]))
        return state["z"].to(self.z), state["u"].to(self.z), rho


@dataclass(frozen=True)
class _Chosen(Pruning):
    """A pruning with a fixed mask."""

    codec_id: ClassVar[str] = "chosen"
    kept: torch.Tensor

    def mask(self, array: Any) -> Any:
        return self.kept.cpu().numpy()


def _rhos(names: Sequence[str], rho: float | Mapping[str, float]) -> dict[str, float]:
    """The rho of each tensor, by its name."""
    if not isinstance(rho, Mapping):
        return {name: _checked_rho(name, rho) for name in names}
    first, values = Patterns(patterns_of(rho)).first, list(rho.values())
    found = {}
    for name in names:
        at = first(name)
        if at is None:
            raise ValueError(f"{name!r}: no rho for it in {dict(rho)}")
        found[name] = _checked_rho(name, values[at])
    return found


def _checked_rho(name: str, rho: float) -> float:
    if not isinstance(rho, int | float) or isinstance(rho, bool):
        raise TypeError(f"{name!r}: found rho={rho!r}, allowed is a number")
    if not 0 < rho < math.inf:
        raise ValueError(f"{name!r}: found rho={rho}, allowed is more than 0, and finite")
    return float(rho)


def _squares(tensor: torch.Tensor) -> torch.Tensor:
    """The sum of squares, at least in float32: float16 overflows early."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32)).square().sum()
