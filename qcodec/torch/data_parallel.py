"""DistributedDataParallel: which parameters it holds, and the buffers that it must send."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import torch

_OURS = f"{__package__}."  # methods choose the buffers of modules of this package


def held_by_wrapper(parameters: Iterable[torch.Tensor]) -> torch.Tensor | None:
    """The first parameter whose gradients a DistributedDataParallel averages, or None.

    Neither a model nor a parameter says that it is wrapped, because the hooks are in C++. So this
    searches all objects of the process for wrappers, which takes about a tenth of a second.
    """
    wanted = {id(parameter): parameter for parameter in parameters}
    if not _wrapper_of(wanted):
        return None
    gc.collect()  # an unused wrapper is part of a cycle, and may not have been collected yet
    wrapper = _wrapper_of(wanted)
    held = set() if wrapper is None else {id(one) for one in wrapper.module.parameters()}
    return next((its for number, its in wanted.items() if number in held), None)


def send_chosen(wrapper: Any, name: str, model: Any) -> None:
    """Send the first process's masks, codes and steps when a DistributedDataParallel is made.

    The wrapper sends the parameters of the first process to all, but sends no buffers with
    ``broadcast_buffers=False``. Masks, codes and steps must fit the parameters. Torch calls this
    function for each module that becomes part of another.

    Raises
    ------
    ValueError
        In all processes, if they applied different methods.
    """
    if name != "module" or not isinstance(wrapper, torch.nn.parallel.DistributedDataParallel):
        return
    buffers, kinds = [], []
    for path, module in model.named_modules():
        if type(module).__module__.startswith(_OURS):
            kinds.append((path, type(module).__name__))
            buffers.extend(module.buffers(recurse=False))
    _send(wrapper.process_group, buffers, kinds)


def send_steps(model: torch.nn.Module, steps: Mapping[str, torch.Tensor]) -> None:
    """Send the first process's steps to all, if a DistributedDataParallel holds the model.

    Each process chose steps by inputs of its own.

    Raises
    ------
    ValueError
        In all processes, if they fixed different layers.
    """
    wrapper = _wrapper_of({id(parameter) for parameter in model.parameters()})
    if wrapper is not None:
        _send(wrapper.process_group, list(steps.values()), list(steps))


def _send(group: Any, tensors: Sequence[torch.Tensor], kinds: Sequence[Any]) -> None:
    """Overwrite tensors with those of the first process of a group."""
    if not tensors:
        return
    forms = [(tensor.shape, tensor.dtype) for tensor in tensors]
    number = torch.tensor([zlib.crc32(repr((kinds, forms)).encode())], device=tensors[0].device)
    numbers = [torch.zeros_like(number) for _ in range(torch.distributed.get_world_size(group))]
    torch.distributed.all_gather(numbers, number, group)
    if any(int(other) != int(number) for other in numbers):
        raise ValueError(
            "DistributedDataParallel: found processes whose models were compressed by different "
            "methods, allowed are the same methods in all"
        )
    first = torch.distributed.get_global_rank(group, 0)
    for tensor in tensors:
        torch.distributed.broadcast(tensor, first, group)


def _wrapper_of(wanted: Collection[int]) -> Any:
    """A wrapper in this process that holds one of the parameters with these ids, or None."""
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not wanted or not several:
        return None
    kinds = _kinds(torch.nn.parallel.DistributedDataParallel)
    # type(), not isinstance: a dead proxy raises there. A set, because there are many objects.
    for one in [one for one in gc.get_objects() if type(one) in kinds]:
        if any(id(parameter) in wanted for parameter in one.module.parameters()):
            return one
    return None


def _kinds(kind: type) -> set[type]:
    """A class and all its subclasses."""
    heirs: list[type] = kind.__subclasses__()
    return {kind}.union(*(_kinds(heir) for heir in heirs))
