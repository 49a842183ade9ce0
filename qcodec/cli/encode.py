"""``encode IN OUT``: encodes a model's tensors, each with the codec that the recipe gives it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .._file.endings import PACK, SAFETENSORS
from .._file.tensor_file import TensorFile
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
from .model import Model
from .output import add_force, checked_output

HELP = "encode a checkpoint: safetensors, PyTorch, NumPy, ONNX, GGUF, or a folder"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    names = ", ".join(READY_MADE)
    parser.add_argument("input", metavar="IN", help="a file, an index of shards, or a folder")
    parser.add_argument(
        "output", metavar="OUT", help="a .qc.safetensors file, or .qcodec for a pack"
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
    base = base_of(options)
    if base is not None:
        recipe = recipe.with_base(base)
    output = checked_output(options, ENDINGS, recipe.is_lossless)
    model = Model(options, lambda file, name: _value(file, name, recipe))
    with model:
        for at, fault in idle_rules(rules, model.tensors):
            raise UsageError(f"--tensor {options.tensor[at]!r}: {fault}")
        model.save(
            output, recipe, "encoding",
            profile=options.profile, effort=options.effort, threads=options.threads,
            element_checksums=options.element_checksums,
        )  # fmt: skip
    return 0


def _value(file: TensorFile, name: str, recipe: Recipe) -> Any:
    """Return what is encoded: codes stay as they are unless the recipe chooses others."""
    stored = file.directory.tensors[name]
    if stored.opaque:
        return file.read_ordinary(name)
    part = file.get_slice(name)
    codec = recipe.codec_for(name, tuple(part.get_shape()), file.element_type(name).name)
    is_kept = codec is None or codec.is_lossless
    return file.read_stored(name) if is_kept else file.read_ordinary(name)


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
