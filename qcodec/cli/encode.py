"""``encode IN OUT``: encodes a model's tensors, each with the codec that the recipe gives it."""

from __future__ import annotations

import argparse
from pathlib import Path

from .._file.endings import PACK, SAFETENSORS
from ..checkpoints import encode_checkpoint
from ..files import safe_open
from ..recipes import READY_MADE, Recipe, Rule, idle_rules, parse_rule
from .arguments import (
    add_base,
    add_encoding,
    add_limits,
    add_quiet,
    add_reading,
    add_threads,
    base_of,
)
from .faults import REPORTED, UsageError, line_of
from .folders import add_folders, convert, is_folder
from .model import Model
from .output import add_force, checked_output

HELP = "encode a checkpoint: safetensors, PyTorch, NumPy, ONNX, GGUF, or a folder"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    names = ", ".join(READY_MADE)
    parser.add_argument("input", metavar="IN", help="a file, an index of shards, or a folder")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="a .qc.safetensors file, .qcodec for a pack, or a folder if IN is one",
    )
    parser.add_argument(
        "--recipe",
        metavar="FILE|NAME",
        default="lossless",
        help=f"a TOML file, or one of {names}; default: lossless",
    )
    parser.add_argument(
        "--tensor",
        metavar="REGEX=CODEC(ARGUMENTS)",
        action="append",
        default=[],
        help="a rule that precedes the recipe's, such as 'attn=codebook(bits=4)' or '^head=keep'; "
        "arguments are TOML or a JSON object; may be repeated",
    )
    add_encoding(parser)
    add_folders(parser)
    parser.add_argument(
        "--element-checksums",
        action="store_true",
        help="also store a checksum of the decoded elements, which verify checks",
    )
    add_reading(parser)
    add_quiet(parser)
    add_base(parser, "store lossless tensors as differences from the tensors of this file")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Encode the file and report its size."""
    rules = _rules(options.tensor)
    recipe = _recipe(options.recipe).with_rules(rules)
    if is_folder(options):
        return _encode_folder(options, recipe, rules)
    base = base_of(options)
    if base is not None:
        recipe = recipe.with_base(base)
    output = checked_output(options, ENDINGS, recipe.is_lossless)
    with Model(options, recipe) as model:
        for at, fault in idle_rules(rules, model.tensors):
            raise UsageError(f"--tensor {options.tensor[at]!r}: {fault}")
        model.save(
            output, "encoding",
            profile=options.profile, effort=options.effort, threads=options.threads,
            element_checksums=options.element_checksums,
        )  # fmt: skip
    return 0


def _encode_folder(options: argparse.Namespace, recipe: Recipe, rules: list[Rule]) -> int:
    with safe_open(options.input, backend="pread", limits=options.limits) as file:
        for at, fault in idle_rules(rules, file.keys()):
            raise UsageError(f"--tensor {options.tensor[at]!r}: {fault}")
    return convert(
        options, encode_checkpoint, "encoding",
        recipe=recipe, profile=options.profile, effort=options.effort,
        element_checksums=options.element_checksums, skip_unreadable=options.skip_unreadable,
    )  # fmt: skip


def _rules(texts: list[str]) -> list[Rule]:
    try:
        return [parse_rule(text) for text in texts]
    except (TypeError, ValueError) as error:
        raise UsageError(f"--tensor {error}") from error


def _recipe(source: str) -> Recipe:
    if source in READY_MADE:
        return READY_MADE[source]
    try:
        return Recipe.from_toml(Path(source))
    except FileNotFoundError:
        names = ", ".join(READY_MADE)
        raise UsageError(f"--recipe {source}: no such file, and not one of {names}") from None
    except REPORTED as error:
        raise UsageError(line_of(error, f"--recipe {source}")) from error
