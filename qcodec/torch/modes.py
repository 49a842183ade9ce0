"""The state that a method meets and leaves: modes of modules, compiled code."""

from __future__ import annotations

import sys

import torch


def forget_compiled_code() -> None:
    """Let compiled models be compiled anew: torch guards neither hooks nor parametrizations."""
    if "torch._dynamo" in sys.modules:
        torch.compiler.reset()
