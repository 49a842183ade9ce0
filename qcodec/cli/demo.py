"""``demo``: encodes, measures and decodes a small trained net."""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile

from .faults import about
from .text import say

HELP = "encode a small trained net, show its size and accuracy, and decode it again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("--keep", metavar="FOLDER", help="keep the encoded files in this folder")


def run(options: argparse.Namespace) -> int:
    """Run the demo, which is imported only here, because other commands do not need it."""
    from ..demo import main

    printed = io.StringIO()
    with about(options.keep or tempfile.gettempdir()), contextlib.redirect_stdout(printed):
        status: int = main(options.keep, as_json=options.json)
    say(printed.getvalue().removesuffix("\n"))
    return status
