"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from typing import Any, NoReturn

from .._frame.ids import PROFILES
from ..files import safe_open
from ..limits import Limits
from .faults import UsageError, about
from .text import say

_SIZE = re.compile(r"(\d{1,18})(KiB|MiB|GiB|TiB)?")
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a wrong command as a `UsageError`."""

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`; argparse calls this for every wrong command."""
        raise UsageError(f"{message} (see: {self.prog} --help)")

    def print_help(self, file: Any = None) -> None:
        """Print the help; unlike argparse, report it if the output cannot be written."""
        say(self.format_help().removesuffix("\n"))


def add_threads(parser: argparse.ArgumentParser) -> None:
    """``--threads N``."""
    parser.add_argument(
        "--threads", type=_positive, default=1, metavar="N", help="number of threads; default: 1"
    )


def add_encoding(parser: argparse.ArgumentParser) -> None:
    """``--profile`` and ``--effort``."""
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default="balanced",
        help="what decoding may cost; default: balanced",
    )
    parser.add_argument(
        "--effort",
        metavar="1-9",
        type=int,
        choices=range(1, 10),
        default=5,
        help="how much to try for fewer bytes; 9 takes longest; default: 5",
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """``--dequantize`` and ``--skip-unreadable``."""
    parser.add_argument(
        "--dequantize", action="store_true", help="read Q8_0 and Q4_0 of GGUF as floats"
    )
    parser.add_argument(
        "--skip-unreadable",
        action="store_true",
        help="leave out tensors of kinds that qcodec does not read, such as sparse ones",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """``--quiet``."""
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def add_base(parser: argparse.ArgumentParser, what: str) -> None:
    """``--base FILE``."""
    parser.add_argument("--base", metavar="FILE", help=what)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """``--limits none|NAME=SIZE,...``."""
    names = ", ".join(field.name for field in fields(Limits))
    parser.add_argument(
        "--limits",
        type=_limits,
        default=Limits(),
        metavar="none|NAME=SIZE,...",
        help="change the limits on what a file may declare, such as max_tensor_bytes=64GiB; "
        f"'none' removes them, for files that you trust. Names: {names}",
    )


def _limits(text: str) -> Limits:
    if text == "none":
        return Limits.none()
    changed = {}
    names = {field.name for field in fields(Limits)}
    for item in text.split(","):
        name, _, size = item.partition("=")
        match = _SIZE.fullmatch(size)
        if name not in names or match is None:
            message = f"invalid value: {item!r}: allowed is none, or NAME=SIZE of "
            message += f"{', '.join(sorted(names))} and a number, with KiB, MiB, GiB or TiB"
            raise argparse.ArgumentTypeError(message)
        changed[name] = int(match[1]) * _UNITS[match[2]]
    return Limits(**changed)


def base_of(options: argparse.Namespace) -> str | None:
    """Return the path of ``--base`` after opening it once, so that its errors name it."""
    path: str | None = options.base
    if path is not None:
        with about(path):
            safe_open(path, limits=options.limits).close()
    return path


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"invalid value: {text!r}: allowed is a number from 1")
    return value
