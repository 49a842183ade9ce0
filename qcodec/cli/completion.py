"""``completion SHELL``: prints what makes a shell complete the commands and options."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from .faults import UsageError
from .text import say

HELP = "print completions for a shell, to be evaluated by it"
_SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("shell", choices=_SHELLS)


def run(options: argparse.Namespace) -> int:
    """Print the completions."""
    try:
        shtab: Any = importlib.import_module("shtab")
    except ImportError:
        raise UsageError("completion needs the package shtab: pip install 'qcodec[cli]'") from None
    from .main import whole_parser

    say(shtab.complete(whole_parser(), options.shell))
    return 0
