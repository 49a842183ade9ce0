"""``transcode IN OUT``: changes container, profile and effort; codes stay as they are."""

from __future__ import annotations

import argparse

from .._file.endings import PACK, SAFETENSORS
from ..recipes import Recipe
from .arguments import (
    add_base,
    add_encoding,
    add_limits,
    add_quiet,
    add_reading,
    add_threads,
    base_of,
)
from .model import Model
from .output import add_force, checked_output

HELP = "write a file in another container or profile, with the same codes"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN", help="an encoded file, or any that encode takes")
    parser.add_argument(
        "output", metavar="OUT", help="a .qc.safetensors file, or .qcodec for a pack"
    )
    add_encoding(parser)
    add_reading(parser)
    add_quiet(parser)
    add_base(parser, "the base that IN was encoded against, from which OUT will be free")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file and report its size."""
    base = base_of(options)
    output = checked_output(options, ENDINGS, keeps_all=True)
    with Model(options, Recipe(), base) as model:
        model.save(
            output, "transcoding",
            profile=options.profile, effort=options.effort, threads=options.threads,
        )  # fmt: skip
    return 0
