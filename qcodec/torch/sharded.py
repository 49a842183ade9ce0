"""Sharded parameters (FSDP2, DTensor), of which each process holds a part."""

from __future__ import annotations

import sys
from typing import Any

import torch

from .._base.messages import quoted


def is_sharded(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a DTensor, of which each process holds a part."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """Returns a tensor itself, or gathers a sharded one (a DTensor) from all processes."""
    full: torch.Tensor = tensor.full_tensor() if is_sharded(tensor) else tensor
    return full


def put(content: torch.Tensor, tensor: torch.Tensor) -> None:
    """Copy a tensor into another one, which may be sharded."""
    if is_sharded(tensor) and not is_sharded(content):
        from torch.distributed.tensor import distribute_tensor

        content = content.to(tensor.device, tensor.dtype)
        content = distribute_tensor(content, tensor.device_mesh, tensor.placements)
    tensor.copy_(content)


def reshard(model: torch.nn.Module) -> None:
    """Make FSDP2 reshard parameters that a forward pass has left gathered.

    Writes into gathered parameters would be lost, because their memory is freed, and their dtype
    may differ. No process waits for another.

    Raises
    ------
    ValueError
        If the model uses FSDP1, whose parameters have lost their shapes.
    """
    sharding: Any = sys.modules.get("torch.distributed.fsdp")
    if sharding is None:
        return
    sharded: Any = getattr(sharding, "FSDPModule", ())
    for name, module in model.named_modules():
        if isinstance(module, sharding.FullyShardedDataParallel):
            raise ValueError(
                f"module {quoted(name)}: found FullyShardedDataParallel, which flattens "
                "parameters; use torch.distributed.fsdp.fully_shard"
            )
        if isinstance(module, sharded):
            module.reshard()
