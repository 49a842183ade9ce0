"""DistributedDataParallel: what it holds, and what it should send."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterable
from typing import Any

import torch

from .compressed import Compressed


def held_by_wrapper(parameters: Iterable[torch.Tensor]) -> torch.Tensor | None:
    """The first of some parameters whose gradients a DistributedDataParallel averages, if any.

    Neither a model nor a parameter says that it is wrapped: the hooks are in C++. So the wrappers
    of this process are looked for, which takes about a tenth of a second.
    """
    wanted = {id(parameter): parameter for parameter in parameters}
    several = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not wanted or not several or not _held() & wanted.keys():
        return None
    gc.collect()  # a wrapper that was dropped is in a cycle, and may still have been there
    held = _held()
    return next((its for number, its in wanted.items() if number in held), None)


def send_masks(wrapper: Any, name: str, model: Any) -> None:
    """Give all processes the masks and codes of the first, as DistributedDataParallel is made.

    It sends the first's parameters to all, but no buffers with ``broadcast_buffers=False``. Masks
    and codes are chosen by the parameters and belong to them. Torch calls this for each module
    that becomes part of another.

    Raises
    ------
    ValueError
        In all processes, if they have applied different methods.
    """
    if name != "module" or not isinstance(wrapper, torch.nn.parallel.DistributedDataParallel):
        return
    found = {path: one for path, one in model.named_modules() if isinstance(one, Compressed)}
    if not found:
        return
    buffers = [(path, *its) for path, one in found.items() for its in one.named_buffers()]
    group, device = wrapper.process_group, next(model.parameters()).device
    forms = [(*names, buffer.shape, buffer.dtype) for *names, buffer in buffers]
    kinds = [(path, type(one.values).__name__) for path, one in found.items()]
    number = torch.tensor([zlib.crc32(repr((kinds, forms)).encode())], device=device)
    numbers = [torch.zeros_like(number) for _ in range(torch.distributed.get_world_size(group))]
    torch.distributed.all_gather(numbers, number, group)
    if any(int(other) != int(number) for other in numbers):
        raise ValueError(
            "DistributedDataParallel: found processes whose models were compressed by different "
            "methods, allowed is the same in all"
        )
    first = torch.distributed.get_global_rank(group, 0)
    for *_, buffer in buffers:
        torch.distributed.broadcast(buffer, first, group)


def _held() -> set[int]:
    """Ids of all parameters that wrappers hold."""
    kinds = _kinds(torch.nn.parallel.DistributedDataParallel)
    # By type(), as a dead proxy has no class to ask for, and in a set, as they are many.
    wrappers = [one for one in gc.get_objects() if type(one) in kinds]
    return {id(parameter) for one in wrappers for parameter in one.module.parameters()}


def _kinds(kind: type) -> set[type]:
    """A class and all that inherit from it."""
    heirs: list[type] = kind.__subclasses__()
    return {kind}.union(*(_kinds(heir) for heir in heirs))
