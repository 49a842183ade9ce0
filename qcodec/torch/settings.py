"""Settings of values in state dicts: other settings than the model's are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


def check_settings(
    own: torch.Tensor, state: Mapping[str, Any], key: str, errors: list[str]
) -> None:
    """Report an error to `torch.nn.Module.load_state_dict` if a state has other settings.

    Parameters
    ----------
    own : torch.Tensor of int
        The settings that the model was made with.
    state : mapping of str to torch.Tensor
    key : str
        The key of the settings in `state`.
    errors : list of str
        The list of ``load_state_dict``, which raises RuntimeError if it is not empty.
    """
    found = state.get(key)
    if isinstance(found, torch.Tensor) and not own.is_meta and found.tolist() != own.tolist():
        errors.append(
            f"{key}: found settings {found.tolist()}, allowed {own.tolist()}: the state is from a "
            "model that was quantized with other bits or zeros"
        )
