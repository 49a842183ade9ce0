"""``transcode IN OUT``: changes container, profile and effort; codes stay as they are."""

from __future__ import annotations

import argparse

from .._file.endings import PACK, SAFETENSORS
from ..checkpoints import encode_checkpoint
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
from .folders import add_folders, convert, is_folder
from .model import Model
from .output import add_force, checked_output

HELP = "write a file in another container or profile, with the same codes"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN", help="an encoded file, or any that encode takes")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="a .qc.safetensors file, .qcodec for a pack, or a folder if IN is one",
    )
    add_encoding(parser)
    add_folders(parser)
    add_reading(parser)
    add_quiet(parser)
    add_base(parser, "the base that IN was encoded against, from which OUT will be free")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Write the file and report its size."""
    if is_folder(options):
        return convert(
            options, encode_checkpoint, "transcoding",
            recipe=Recipe(), profile=options.profile, effort=options.effort,
            skip_unreadable=options.skip_unreadable,
        )  # fmt: skip
    base = base_of(options)
    output = checked_output(options, ENDINGS, keeps_all=True)
    with Model(options, Recipe(), base) as model:
        model.save(
            output, "transcoding",
            profile=options.profile, effort=options.effort, threads=options.threads,
        )  # fmt: skip
    return 0
