"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from ..files import safe_open
from .faults import UsageError, about
from .text import say


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with a command, and where to read how it is used."""

    def error(self, message: str) -> NoReturn:
        """What argparse calls for every wrong command."""
        raise UsageError(f"{message} (see: {self.prog} --help)")

    def print_help(self, file: Any = None) -> None:
        """What ``--help`` calls; argparse would say nothing of an error."""
        say(self.format_help().removesuffix("\n"))


def add_threads(parser: argparse.ArgumentParser) -> None:
    """``--threads N``."""
    parser.add_argument("--threads", type=_positive, default=1, metavar="N")


def add_base(parser: argparse.ArgumentParser, what: str) -> None:
    """``--base FILE``."""
    parser.add_argument("--base", metavar="FILE", help=what)


def base_of(options: argparse.Namespace) -> str | None:
    """What ``--base`` names, which can be opened: what is wrong with it is said of it."""
    path: str | None = options.base
    if path is not None:
        with about(path):
            safe_open(path).close()
    return path


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"invalid value: {text!r}: allowed is a number from 1")
    return value
