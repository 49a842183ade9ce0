"""Other libraries' changes to models: which of them are refused, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils import parametrize

from .._base.messages import quoted
from .compressed import Compressed, Parametrization
from .data_parallel import held_by_wrapper, send_chosen
from .hooked import hooked
from .sharded import is_sharded
from .tensors import Place

_hooks: list[Any] = []


def check_model(model: torch.nn.Module) -> None:
    """Raise ValueError if the model has unmerged adapters (LoRA)."""
    for name, module in model.named_modules():
        if is_adapter(module):
            raise ValueError(
                f"{quoted(name)}: found an adapter ({type(module).__name__} of peft), whose share "
                "of the weights would be lost; merge it first (merge_and_unload)"
            )


def check_place(place: Place) -> None:
    """Raise ValueError if no method may change the tensor; the message says what to do."""
    why = _reason(place) or _untrainable(place)
    if why:
        raise ValueError(f"tensor {quoted(place.name)}: found {why}")


def check_loadable(place: Place) -> None:
    """Raise ValueError if the tensor cannot be replaced by a plain tensor."""
    why = _reason(place)
    if why:
        raise ValueError(f"tensor {quoted(place.name)}: found {why}")


def check_memory(parameters: Sequence[Place], found: Sequence[Place]) -> None:
    """Raise ValueError if one of the tensors found shares its memory with another parameter."""
    wanted = {id(place.original) for place in found}
    by_address: dict[int, Place] = {}
    for place in parameters:
        original = place.original
        if is_sharded(original) or original.is_meta or original.numel() == 0:
            continue
        other = by_address.setdefault(original.data_ptr(), place)
        if other is not place and wanted & {id(original), id(other.original)}:
            raise ValueError(
                f"tensors {quoted(other.name)} and {quoted(place.name)}: found two parameters in "
                "one memory, allowed is one parameter under both names (tied)"
            )


def check_wrappers(structural: Sequence[Place], replaced: Sequence[Place]) -> None:
    """Raise ValueError if the model is sharded or wrapped, and a change would go unnoticed.

    Parameters
    ----------
    structural : sequence of Place
        Tensors whose modules or parameters change.
    replaced : sequence of Place
        Tensors whose parameters, or all of whose buffers, are added, replaced or removed.
    """
    for place in structural:
        if is_sharded(place.original):
            raise ValueError(
                f"tensor {quoted(place.name)}: found a sharded parameter (DTensor), whose shards "
                "would not see the change; call the method before fully_shard"
            )
    names = {id(its): place.name for place in replaced for its in place.parameters}
    held = held_by_wrapper(its for place in replaced for its in place.parameters)
    if held is not None:
        raise ValueError(
            f"tensor {quoted(names[id(held)])}: found a model inside DistributedDataParallel, "
            "which would not see that parameters are replaced; call the method first"
        )


def is_adapter(module: torch.nn.Module) -> bool:
    """Whether a module is an adapter layer of peft."""
    return any(
        kind.__name__ == "BaseTunerLayer" and kind.__module__.startswith("peft.")
        for kind in type(module).__mro__
    )


def watch_wrappers() -> None:
    """Watch for wrappers around models from now on. Called when `qcodec.torch` is imported.

    Adapters (LoRA) around compressed weights are refused: merging an adapter writes into the
    computed weight, and the change would be silently lost. When a DistributedDataParallel is
    made, all processes get equal masks. No process misses this exchange, because unpickling
    compressed weights imports this package.
    """
    if not _hooks:
        register = torch.nn.modules.module.register_module_module_registration_hook
        _hooks.extend(register(one) for one in (_refuse_adapter, send_chosen))


def _refuse_adapter(parent: torch.nn.Module, name: str, module: Any) -> None:  # noqa: ARG001
    if isinstance(module, torch.nn.Module) and is_adapter(parent):
        for part in module.modules():
            if isinstance(part, Compressed):
                raise ValueError(
                    "an adapter (LoRA) around compressed weights would be lost when it is merged: "
                    "export the model, load it into a plain one, and adapt that"
                )


def _reason(place: Place) -> str:
    original = place.original
    for module, attribute in place.homes:
        if parametrize.is_parametrized(module, attribute) and place.compressed is None:
            found = module.parametrizations[attribute]
            others = [type(one).__name__ for one in found if not isinstance(one, Compressed)]
            last = " after qcodec's" if isinstance(found, Parametrization) else ""
            return (
                f"the parametrization {', '.join(others)}{last}; remove it first "
                "(torch.nn.utils.parametrize.remove_parametrizations)"
            )
        hook = hooked(module).get(attribute)
        if hook is not None:
            return f"a hook of {hook.remedy}"
    if original.is_meta:
        return "a tensor on the meta device, which has no values; load them first"
    if original.is_inference():
        return "a tensor made in inference mode, which cannot be trained; clone it first"
    return ""


def _untrainable(place: Place) -> str:
    for module, _ in place.homes:
        if getattr(module, "sparse", False) and isinstance(
            module, torch.nn.Embedding | torch.nn.EmbeddingBag
        ):
            return "an embedding with sparse=True, whose gradients do not pass; set sparse=False"
    return ""
