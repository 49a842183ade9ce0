"""The tensors of a model by their plain names, whatever parametrizes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch.nn.utils import parametrize

_Rule = TypeVar("_Rule")
_NOT_COPIED = ("__dict__", "__weakref__")


@dataclass(frozen=True, eq=False)
class Place:
    """Where a model holds a tensor.

    Attributes
    ----------
    name : str
        As in the model's state dict before anything was parametrized: ``conv1.weight``.
    module : torch.nn.Module
    attribute : str
        The tensor's name in the module.
    """

    name: str
    module: torch.nn.Module
    attribute: str

    @property
    def value(self) -> torch.Tensor:
        """What the model computes with, detached: parametrizations are applied."""
        tensor: torch.Tensor = getattr(self.module, self.attribute).detach()
        return tensor

    @property
    def dtype(self) -> str:
        """The name of its element type, as recipes know it."""
        return str(self.original.dtype).removeprefix("torch.")

    @property
    def parametrizations(self) -> list[torch.nn.Module]:
        """What is registered for the tensor, in the order in which it is applied."""
        if not parametrize.is_parametrized(self.module, self.attribute):
            return []
        return list(self.module.parametrizations[self.attribute])

    @property
    def original(self) -> torch.nn.Parameter:
        """The parameter that an optimizer changes."""
        if not parametrize.is_parametrized(self.module, self.attribute):
            plain: torch.nn.Parameter = getattr(self.module, self.attribute)
            return plain
        original: torch.nn.Parameter = self.module.parametrizations[self.attribute].original
        return original

    @property
    def last_input(self) -> torch.Tensor:
        """What the last of the parametrizations is given, detached."""
        tensor: torch.Tensor = self.original.detach()
        with torch.no_grad():
            for parametrization in self.parametrizations[:-1]:
                tensor = parametrization(tensor)
        return tensor

    def register(self, parametrization: torch.nn.Module) -> None:
        """Parametrize the tensor, behind what parametrizes it already."""
        parametrize.register_parametrization(self.module, self.attribute, parametrization)

    def make_plain(self) -> None:
        """The tensor as it is, without its parametrizations; the parameter is the same object."""
        if parametrize.is_parametrized(self.module, self.attribute):
            _own_class(self.module)
            parametrize.remove_parametrizations(self.module, self.attribute)


def places(model: torch.nn.Module) -> Iterator[Place]:
    """Every parameter of a model and every buffer of its state dict, parametrized or not.

    Parameters
    ----------
    model : torch.nn.Module

    Yields
    ------
    Place
        A module that stands in the model twice is met under both names, as in a state dict.
        What belongs to parametrizations is not met by itself.
    """
    for path, module in model.named_modules(remove_duplicate=False):
        if "parametrizations" in path.split("."):
            continue
        for attribute in _attributes(module):
            yield Place(f"{path}.{attribute}" if path else attribute, module, attribute)


def once(model: torch.nn.Module) -> list[Place]:
    """The same, but for modules that stand in the model again: those only under a first name."""
    found: dict[tuple[torch.nn.Module, str], Place] = {}
    for place in places(model):
        found.setdefault((place.module, place.attribute), place)
    return list(found.values())


def plain_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What the state dict of the model would be if nothing in it were parametrized.

    Parameters
    ----------
    model : torch.nn.Module
        Masks of `torch.nn.utils.prune` are applied, too.

    Returns
    -------
    dict of str to torch.Tensor
        Detached.

    Examples
    --------
    >>> import torch
    >>> from torch.nn.utils.prune import l1_unstructured
    >>> model = l1_unstructured(torch.nn.Linear(4, 1), "weight", 3)
    >>> {name: int((tensor != 0).sum()) for name, tensor in plain_tensors(model).items()}
    {'bias': 1, 'weight': 1}
    """
    return {place.name: place.value for place in places(model)}


def matching(model: torch.nn.Module, rules: Mapping[str, _Rule]) -> list[tuple[Place, _Rule]]:
    """The parameters that rules are about, each with the first rule that finds its name.

    Parameters
    ----------
    model : torch.nn.Module
    rules : mapping of str
        Regular expressions, searched for anywhere in the plain name.

    Raises
    ------
    ValueError
        If a rule finds no parameter at all.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    >>> [(place.name, rule) for place, rule in matching(model, {"^1.*weight": 9})]
    [('1.weight', 9)]
    """
    parameters = [place for place in places(model) if _is_parameter(place)]
    unused = set(rules)
    found = []
    for place in parameters:
        patterns = [pattern for pattern in rules if re.search(pattern, place.name)]
        unused.difference_update(patterns)
        if patterns:
            found.append((place, rules[patterns[0]]))
    if unused:
        names = ", ".join(place.name for place in parameters)
        raise ValueError(f"no parameter matches {sorted(unused)}; there are {names}")
    return found


def _attributes(module: torch.nn.Module) -> list[str]:
    """Names of a module's own tensors, as users of the plain module know them."""
    masked = {name.removesuffix("_mask") for name in module._buffers if name.endswith("_mask")}
    pruned = [name for name in masked if f"{name}_orig" in module._parameters]
    hidden = {f"{name}_{part}" for name in pruned for part in ("orig", "mask")}
    buffers = module._buffers.keys() - module._non_persistent_buffers_set
    own = {**module._parameters, **{name: module._buffers[name] for name in buffers}}
    names = [name for name, tensor in own.items() if tensor is not None and name not in hidden]
    parametrized = list(module.parametrizations) if parametrize.is_parametrized(module) else []
    return sorted(names + pruned + parametrized)


def _own_class(module: torch.nn.Module) -> None:
    """A class for this module alone: torch removes properties from it that copies share."""
    shared = type(module)
    members = {name: of for name, of in vars(shared).items() if name not in _NOT_COPIED}
    module.__class__ = type(shared.__name__, shared.__bases__, members)


def _is_parameter(place: Place) -> bool:
    return bool(place.parametrizations) or isinstance(place.original, torch.nn.Parameter)
