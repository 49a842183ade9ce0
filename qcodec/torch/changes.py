"""Plan, then commit: how a method changes the tensors of a model, all of them or none.

A method first computes a `Change` for each tensor; most errors are raised there. Then `commit`
checks the model as a whole, and changes it last, in steps that do not fail. A parameter whose
meaning changes becomes a new `torch.nn.Parameter`. The old one keeps its values, and an optimizer
that still holds it gets an error at its next step (`replaced.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils import parametrize

from ..errors import naming
from .compressed import Compressed, Free, Parametrization, Values
from .foreign import (
    check_memory,
    check_model,
    check_place,
    check_wrappers,
)
from .modes import forget_compiled_code
from .passes import finite, masked
from .replaced import mark_replaced
from .sharded import put, whole
from .tensors import Place, parameter_places

# Class members that type() creates itself.
_NOT_COPIED = ("__dict__", "__weakref__")


@dataclass(frozen=True, eq=False)
class Change:
    """A planned change of one tensor.

    Attributes
    ----------
    place : Place
    mask : torch.Tensor of bool, optional
        Weights that may be nonzero from now on. Masked weights stay masked. None: no change.
    values : Values, optional
        New values. None: no change.
    content : torch.Tensor, optional
        New content of the parameter. None: no change. With values of another kind it becomes a
        new parameter, because the shape or the meaning differs.
    """

    place: Place
    mask: torch.Tensor | None = None
    values: Values | None = None
    content: torch.Tensor | None = None

    @property
    def is_structural(self) -> bool:
        """Whether modules or parameters change, not only their contents."""
        before = self.place.compressed
        adds_mask = self.mask is not None and (before is None or before.mask is None)
        return adds_mask or self.has_other_values

    @property
    def is_new_parameter(self) -> bool:
        """Whether the parameter is replaced, because its meaning changes with the values."""
        return self.content is not None and self.has_other_values

    @property
    def has_other_values(self) -> bool:
        """Whether the module of values is replaced, not only its contents."""
        before = self.place.compressed
        return self.values is not None and not (
            before is not None and before.values.accepts(self.values)
        )

    @property
    def adds_or_drops_parameters(self) -> bool:
        """Whether an existing optimizer or wrapper would miss parameters."""
        before = self.place.compressed
        scales = [] if before is None else list(before.values.parameters())
        added = [] if self.values is None else list(self.values.parameters())
        return self.has_other_values and (self.is_new_parameter or bool(scales or added))


def check(model: torch.nn.Module, found: Sequence[Place]) -> None:
    """Raise ValueError if a method may not change these tensors. Called before any computation."""
    check_model(model)
    for place in found:
        check_place(place)
        if place.compressed is not None:
            with naming(place.name):
                place.compressed.check()
    check_memory(parameter_places(model), found)


def check_finite(name: str, weight: torch.Tensor) -> None:
    """Raise ValueError if a weight is NaN or infinite."""
    with naming(name):
        finite(weight)


def first_mask(place: Place) -> torch.Tensor | None:
    """The mask of a tensor. An embedding without a mask gets one that leaves out its padding row.

    Torch does not train that row, and it is zero unless user code changed it. Sharing or rounding
    could make it nonzero, and it would be trained.
    """
    compressed = place.compressed
    if compressed is not None and compressed.mask is not None:
        return compressed.mask
    for module, _ in place.homes:
        row = getattr(module, "padding_idx", None)
        if isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag) and row is not None:
            mask = torch.ones_like(place.value, dtype=torch.bool)
            mask[row] = place.value[row] != 0
            return None if bool(mask.all()) else mask
    return None


def weights_behind(place: Place) -> torch.Tensor:
    """The weights that a method quantizes: unrounded if the parameter holds them."""
    compressed = place.compressed
    if compressed is None or not compressed.values.holds_weights:
        return place.value
    return masked(whole(place.original.detach()), compressed.mask)


def content_of(place: Place) -> torch.Tensor | None:
    """New content with which the parameter holds `weights_behind`. None: it does already."""
    compressed = place.compressed
    return None if compressed is None or compressed.values.holds_weights else place.value


def commit(plan: Iterable[Change], method: str) -> None:
    """Compute all changes of a plan, and then make them.

    Parameters
    ----------
    plan : iterable of Change
        It is computed completely before any change. The caller's inference mode is switched off,
        because its tensors cannot be trained.
    method : str
        Name of the method, for the error of optimizers that hold a replaced parameter.

    Raises
    ------
    ValueError
        If the model is wrapped or sharded, and the wrapper would miss a change. Nothing is
        changed then.
    """
    with torch.inference_mode(False), torch.no_grad():
        changes = list(plan)
        structural = [one.place for one in changes if one.is_structural]
        check_wrappers(structural, [one.place for one in changes if one.adds_or_drops_parameters])
        for change in changes:
            _make(change, method)
    if structural:
        forget_compiled_code()


def make_plain(place: Place, content: torch.Tensor, method: str) -> None:
    """Put a plain tensor into a model, and remove the parametrization."""
    with torch.inference_mode(False), torch.no_grad():
        compressed, parameter = place.compressed, place.original
        if compressed is not None and not compressed.values.holds_weights:
            laid_out = torch.empty_like(place.value).copy_(content)
            parameter = _new_parameter(place, laid_out, method)
        else:
            put(content, parameter)
        if compressed is not None:
            for scale in compressed.values.parameters():
                mark_replaced(scale, place.name, method)
        for module, attribute in place.homes:
            if parametrize.is_parametrized(module, attribute):
                _own_class(module)
                parametrize.remove_parametrizations(module, attribute, leave_parametrized=False)
                setattr(module, attribute, parameter)


def _make(change: Change, method: str) -> None:
    place, before, structural = change.place, change.place.compressed, change.is_structural
    mask = None if before is None else before.mask
    if change.mask is not None and mask is not None:
        mask.logical_and_(change.mask.to(mask.device))
    elif change.mask is not None:
        first = first_mask(place)
        mask = torch.empty_like(place.value, dtype=torch.bool).copy_(change.mask)
        mask = mask if first is None else mask.logical_and_(first)
    parameter = place.original
    if change.content is not None and change.is_new_parameter:
        parameter = _new_parameter(place, change.content, method)
    elif change.content is not None:
        put(change.content, parameter)
    if change.has_other_values:
        parameter.grad = None  # the gradient belongs to the old weights
    values = _values_of(change, method).to(parameter.device)
    if mask is not None:
        values.restrict(mask)
    if before is None and not structural:
        return
    if before is None:
        _attach(place, Compressed(values, mask), parameter)
        return
    place.module.parametrizations[place.attribute].original = parameter
    before.values, before.mask = values, mask
    before.settle()


def _values_of(change: Change, method: str) -> Values:
    """The tensor's values after a change. Existing values are updated where they can be."""
    before = change.place.compressed
    if change.values is None:
        return Free() if before is None else before.values
    if before is not None:
        if before.values.accepts(change.values):
            before.values.take(change.values)
            return before.values
        for scale in before.values.parameters():
            mark_replaced(scale, change.place.name, method)
    return change.values


def _new_parameter(place: Place, content: torch.Tensor, method: str) -> torch.nn.Parameter:
    original = place.original
    mark_replaced(original, place.name, method)
    content = content.to(original.device, original.dtype, copy=True)
    return torch.nn.Parameter(content, requires_grad=original.requires_grad)


def _attach(place: Place, compressed: Compressed, parameter: torch.Tensor) -> None:
    """Parametrize a tensor with one list in every module that holds it.

    Torch's registration gets a placeholder, so its ``set_`` never touches the parameter, and the
    gradient hooks of DistributedDataParallel survive.
    """
    assert isinstance(parameter, torch.nn.Parameter)
    listed = Parametrization(compressed, parameter)
    for module, attribute in place.homes:
        module._parameters[attribute] = torch.nn.Parameter(
            torch.empty(0, dtype=parameter.dtype, device=parameter.device)
        )
        parametrize.register_parametrization(module, attribute, torch.nn.Identity(), unsafe=True)
        module.parametrizations[attribute] = listed
        _shorten(type(module), attribute)


def _shorten(kind: type, attribute: str) -> None:
    """Make a module's property return its weights in three steps instead of torch's nine calls."""
    by_torch = vars(kind)[attribute]

    def weights(module: torch.nn.Module) -> torch.Tensor:
        if parametrize._cache_enabled:  # inside torch.nn.utils.parametrize.cached()
            cached: torch.Tensor = by_torch.fget(module)
            return cached
        listed: Any = module._modules["parametrizations"]
        found: torch.Tensor = listed._modules[attribute].forward()
        return found

    setattr(kind, attribute, property(weights, by_torch.fset))


def _own_class(module: torch.nn.Module) -> None:
    """Give a module its own class: torch deletes properties from it, and copies would share it."""
    shared = type(module)
    members = {name: of for name, of in vars(shared).items() if name not in _NOT_COPIED}
    module.__class__ = type(shared.__name__, shared.__bases__, members)
