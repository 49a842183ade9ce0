"""Settings of values in state dicts: those of another model are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def check_settings(
    own: torch.Tensor, state: Mapping[str, Any], key: str, errors: list[str]
) -> None:
    """Tell `torch.nn.Module.load_state_dict` if a state was made with other settings.

    Parameters
    ----------
    own : torch.Tensor of int
        The settings that the model was made with.
    state : mapping of str to torch.Tensor
    key : str
        Where they are in it.
    errors : list of str
        Of ``load_state_dict``, which raises RuntimeError if any are added.
    """
    found = state.get(key)
    if isinstance(found, torch.Tensor) and not own.is_meta and found.tolist() != own.tolist():
        errors.append(
            f"{key}: found settings {found.tolist()}, allowed {own.tolist()}: the state is of a "
            "model that was quantized with other bits or zeros"
        )
