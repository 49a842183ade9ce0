"""The tensors of a model by their plain names, parametrized or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.nn.utils import parametrize

from .._base.messages import quoted
from .._base.patterns import Patterns
from ..errors import naming
from .compressed import Compressed, Parametrization
from .hooked import hooked
from .rules import agreed, check_unused, patterns_of
from .sharded import is_sharded, reshard, whole

_Rule = TypeVar("_Rule")
# Modules that only wrap a model. Their prefixes are not part of plain names.
_WRAPPERS = (torch.nn.parallel.DistributedDataParallel, torch.nn.DataParallel)
_COMPILED = "_orig_mod"


@dataclass(frozen=True, eq=False)
class Place:
    """A tensor of a model, and the modules that hold it.

    Attributes
    ----------
    names : tuple of str
        Plain names, as in the state dict before any parametrization: ``conv1.weight``. Tied
        tensors are one place with several names.
    homes : tuple of (torch.nn.Module, str)
        The modules that hold it, each with the attribute.
    """

    names: tuple[str, ...]
    homes: tuple[tuple[torch.nn.Module, str], ...]

    @property
    def name(self) -> str:
        """The first of its names."""
        return self.names[0]

    @property
    def module(self) -> torch.nn.Module:
        """The first module that holds it."""
        return self.homes[0][0]

    @property
    def attribute(self) -> str:
        """Its name in that module."""
        return self.homes[0][1]

    @property
    def value(self) -> torch.Tensor:
        """The tensor that the model computes with, detached; gathered if it is sharded."""
        with torch.no_grad():
            return seen(self).detach()

    @property
    def dtype(self) -> str:
        """The name of its element type, as in recipes."""
        return str(self.original.dtype).removeprefix("torch.")

    @property
    def parametrizations(self) -> list[torch.nn.Module]:
        """The parametrizations of the tensor, in the order of application."""
        if not parametrize.is_parametrized(self.module, self.attribute):
            return []
        return list(self.module.parametrizations[self.attribute])

    @property
    def compressed(self) -> Compressed | None:
        """The parametrization by qcodec if it is the only one, else None."""
        if not parametrize.is_parametrized(self.module, self.attribute):
            return None
        found = self.module.parametrizations[self.attribute]
        return found[0] if isinstance(found, Parametrization) and len(found) == 1 else None

    @property
    def original(self) -> torch.Tensor:
        """The parameter that an optimizer changes, or the buffer."""
        module, attribute = self.homes[0]
        if parametrize.is_parametrized(module, attribute):
            found = module.parametrizations[attribute]
            original: torch.Tensor = getattr(found, "original" if found.is_tensor else "original0")
            return original
        return _own(module)[attribute]

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """Everything that an optimizer may change: the parameter, trained scales, norms."""
        module, attribute = self.homes[0]
        if parametrize.is_parametrized(module, attribute):
            return list(module.parametrizations[attribute].parameters())
        hook = hooked(module).get(attribute)
        parts = [self.original] if hook is None else [getattr(module, part) for part in hook.parts]
        return [part for part in parts if isinstance(part, torch.nn.Parameter)]

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter, not a buffer."""
        return isinstance(self.original, torch.nn.Parameter)


def seen(place: Place) -> torch.Tensor:
    """The weights that the model computes with, attached to the graph of gradients."""
    module, attribute = place.homes[0]
    compressed, original = place.compressed, place.original
    if compressed is not None:
        with naming(place.name), gathered(compressed):
            weights: torch.Tensor = compressed(whole(original))
        return weights
    if parametrize.is_parametrized(module, attribute):
        with _at_rest(module.parametrizations[attribute]):
            return whole(getattr(module, attribute))
    hook = hooked(module).get(attribute)
    return whole(original) if hook is None else whole(hook.compute())


@contextmanager
def gathered(compressed: Compressed) -> Iterator[None]:
    """Gather sharded trained scales within this context; gradients reach them."""
    held = compressed.values._parameters
    sharded = {name: scale for name, scale in held.items() if is_sharded(scale)}
    try:
        held.update((name, whole(scale)) for name, scale in sharded.items())
        yield
    finally:
        held.update(sharded)


def places(model: torch.nn.Module) -> list[Place]:
    """Every parameter of a model and every buffer of its state dict, parametrized or not.

    Parameters
    ----------
    model : torch.nn.Module
        Names are those of the model inside `torch.compile` and DistributedDataParallel.

    Returns
    -------
    list of Place
        A tensor with several homes (tied weights, a module that the model holds twice) is
        listed once, with all its names. Tensors of parametrizations are not listed.
    """
    model = unwrapped(model)
    reshard(model)
    names: dict[int, list[str]] = {}
    homes: dict[int, list[tuple[torch.nn.Module, str]]] = {}
    for name, module, attribute, key in _held(model):
        names.setdefault(key, []).append(name)
        home, known = (module, attribute), homes.setdefault(key, [])
        if not any(module is other and attribute == its for other, its in known):
            known.append(home)
    return [Place(tuple(its), tuple(homes[key])) for key, its in names.items()]


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The model inside its wrappers.

    Raises
    ------
    TypeError
        If it is not a module.
    """
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"model: found {type(model).__name__}, allowed is a torch.nn.Module")
    while True:
        if isinstance(model, _WRAPPERS):
            model = model.module
        elif _COMPILED in model._modules:
            model = model._modules[_COMPILED]
        else:
            return model


def plain_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state dict that the model would have without parametrizations.

    Parameters
    ----------
    model : torch.nn.Module
        Masks of `torch.nn.utils.prune`, weight_norm and spectral_norm are applied too.

    Returns
    -------
    dict of str to torch.Tensor
        Detached. A tied tensor is listed under each of its names.

    Examples
    --------
    >>> import torch
    >>> from torch.nn.utils.prune import l1_unstructured
    >>> model = l1_unstructured(torch.nn.Linear(4, 1), "weight", 3)
    >>> {name: int((tensor != 0).sum()) for name, tensor in plain_tensors(model).items()}
    {'bias': 1, 'weight': 1}
    """
    found = [(place.names, place.value) for place in places(model)]
    return {name: value for names, value in found for name in names}


def parameter_places(model: torch.nn.Module) -> list[Place]:
    """The parameters of a model, without buffers."""
    return [place for place in places(model) if place.is_parameter]


def names_of(found: Iterable[Place]) -> list[str]:
    """All names of all given places."""
    return [name for place in found for name in place.names]


def matching(model: torch.nn.Module, rules: Mapping[str, _Rule]) -> list[tuple[Place, _Rule]]:
    """The parameters that rules match, each with the first rule that matches its name.

    Parameters
    ----------
    model : torch.nn.Module
    rules : mapping of str
        Keys are regular expressions that are searched for anywhere in plain names.

    Raises
    ------
    TypeError
        If `rules` is not a mapping.
    ValueError
        If there is no rule, a key is not a regular expression or matches no parameter, or two
        names of one tied parameter get different rules.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    >>> [(place.name, rule) for place, rule in matching(model, {"^1.*weight": 9})]
    [('1.weight', 9)]
    """
    patterns = patterns_of(rules)
    parameters = parameter_places(model)
    first, values = Patterns(patterns).first, list(rules.values())
    found = []
    for place in parameters:
        matches = {name: first(name) for name in place.names}
        by_name = {name: values[at] for name, at in matches.items() if at is not None}
        if by_name:
            found.append((place, agreed(by_name)))
    check_unused(patterns, names_of(parameters))
    return found


@contextmanager
def _at_rest(parametrization: torch.nn.Module) -> Iterator[None]:
    """Put a foreign parametrization into evaluation mode: training changes spectral_norm."""
    training = [module for module in parametrization.modules() if module.training]
    try:
        for module in training:
            module.training = False
        yield
    finally:
        for module in training:
            module.training = True


def _held(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Module, str, int]]:
    """Name, module and attribute of every tensor, and a key that tied tensors share."""
    for path, module in model.named_modules(remove_duplicate=False):
        parts = path.split(".")
        if "parametrizations" in parts:
            continue
        prefix = "".join(f"{part}." for part in parts if part and part != _COMPILED)
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(
                f"module {quoted(path)}: found {type(module).__name__} of torch.jit, allowed is "
                "the module that it was made from"
            )
        held: dict[str, Any] = dict(_own(module))
        if parametrize.is_parametrized(module):
            held.update(module.parametrizations.items())
        for attribute in sorted(held):
            if torch.nn.parameter.is_lazy(held[attribute]):
                raise ValueError(
                    f"tensor {quoted(prefix + attribute)}: found no shape yet (a lazy layer), "
                    "allowed is a model that was called before"
                )
            yield f"{prefix}{attribute}", module, attribute, id(held[attribute])


def _own(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A module's own tensors, by their names in the module without hooks."""
    buffers = module._buffers.keys() - module._non_persistent_buffers_set
    own = {**module._parameters, **{name: module._buffers[name] for name in buffers}}
    for attribute, hook in hooked(module).items():
        own[attribute] = own[hook.original]
        for part in hook.parts:
            own.pop(part, None)
    return {name: tensor for name, tensor in own.items() if tensor is not None}
