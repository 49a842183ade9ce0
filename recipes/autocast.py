"""Half the time for training, where a processor multiplies bfloat16."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def in_bfloat16(model: torch.nn.Module, is_wanted: bool) -> AbstractContextManager[object]:
    """A context in which convolutions and matrices are multiplied in bfloat16, if that is wanted.

    For training: what is measured for a result is not computed so.

    Parameters
    ----------
    model : torch.nn.Module
        Its device is what the context is for.
    is_wanted : bool
    """
    if not is_wanted:
        return nullcontext()
    device = next(model.parameters()).device.type
    # Weights that change must not be taken from a cache.
    return torch.autocast(device, torch.bfloat16, cache_enabled=False)
