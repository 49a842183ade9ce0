"""Tensors computed by torch's hooks: its pruning, and its old weight_norm and spectral_norm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm


@dataclass(frozen=True)
class Hooked:
    """A tensor that a hook of torch computes from other tensors before each pass.

    Attributes
    ----------
    parts : tuple of str
        The attributes that the module holds instead of the tensor.
    original : str
        The part that is the tensor before masks and norms.
    compute : callable
        Returns the tensor; has no side effects.
    remedy : str
        The name of the hook, and how to remove it.
    """

    parts: tuple[str, ...]
    original: str
    compute: Callable[[], torch.Tensor]
    remedy: str


def hooked(module: torch.nn.Module) -> dict[str, Hooked]:
    """The tensors that torch's pruning, weight_norm and spectral_norm compute, by attribute."""
    found = {}
    parts: tuple[str, ...]
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            parts = (f"{hook.name}_g", f"{hook.name}_v")
            compute = partial(hook.compute_weight, module)
            remedy = "weight_norm; remove it first (torch.nn.utils.remove_weight_norm)"
            found[hook.name] = Hooked(parts, parts[1], compute, remedy)
        elif isinstance(hook, SpectralNorm):
            parts = (f"{hook.name}_orig", f"{hook.name}_u", f"{hook.name}_v")
            compute = partial(hook.compute_weight, module, do_power_iteration=False)
            remedy = "spectral_norm; remove it first (torch.nn.utils.remove_spectral_norm)"
            found[hook.name] = Hooked(parts, parts[0], compute, remedy)
    for original in module._parameters:
        attribute = original.removesuffix("_orig")
        mask = f"{attribute}_mask"
        if attribute != original and mask in module._buffers:
            compute = partial(_product, module, original, mask)
            remedy = "torch.nn.utils.prune; make its mask permanent first (its `remove`)"
            found[attribute] = Hooked((original, mask), original, compute, remedy)
    return found


def _product(module: torch.nn.Module, original: str, mask: str) -> torch.Tensor:
    product: torch.Tensor = getattr(module, original) * getattr(module, mask)
    return product
