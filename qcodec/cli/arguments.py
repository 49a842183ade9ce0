"""Arguments that several commands share."""

from __future__ import annotations

import argparse


class UsageError(Exception):
    """The command is wrong, not the data."""


def add_threads(parser: argparse.ArgumentParser) -> None:
    """``--threads N``."""
    parser.add_argument("--threads", type=_positive, default=1, metavar="N")


def add_base(parser: argparse.ArgumentParser, what: str) -> None:
    """``--base FILE``."""
    parser.add_argument("--base", metavar="FILE", help=what)


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"invalid value: {text!r}: allowed is a number from 1")
    return value
