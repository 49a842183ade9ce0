"""``encode IN OUT``: encodes a model's tensors, each with the codec that the recipe gives it."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Collection
from typing import Any

from .._file.endings import PACK, SAFETENSORS
from ..checkpoints import encode_checkpoint
from ..files import safe_open
from ..recipes import Recipe, Rule, idle_rules, parse_rule
from ..report import Curve
from ..summary import Summary
from .arguments import (
    add_base,
    add_encoding,
    add_limits,
    add_quiet,
    add_reading,
    add_threads,
    base_of,
)
from .choosing import (
    add_choosing,
    curve_text,
    has_target,
    named_recipe,
    point_at_target,
)
from .faults import UsageError
from .folders import add_folders, convert, is_folder
from .looking import check_page, write_page_of_output
from .model import Model
from .output import add_force, checked_output
from .text import say

HELP = "encode a checkpoint: safetensors, PyTorch, NumPy, ONNX, GGUF, or a folder"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)

# What the metadata of a folder's file takes at most, if it has none of its own.
_METADATA_BYTES = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN", help="a file, an index of shards, or a folder")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="a .qc.safetensors file, .qcodec for a pack, or a folder if IN is one",
    )
    add_choosing(parser)
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
    parser.add_argument(
        "--html", metavar="PAGE", help="write a report of OUT beside IN as one page, .html"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the size of OUT, and write nothing"
    )
    add_reading(parser)
    add_quiet(parser)
    add_base(parser, "store lossless tensors as differences from the tensors of this file")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Encode the file and report its size."""
    if options.calibrate is not None and not has_target(options):
        raise UsageError("--calibrate: needs --target-size, --target-bpw or --target-sqnr")
    check_page(options)
    if options.html is not None and options.dry_run:
        raise UsageError("--html: a dry run writes nothing")
    rules = _rules(options.tensor)
    recipe = named_recipe(options).with_rules(rules)
    settings = {
        "profile": options.profile, "effort": options.effort, "dry_run": options.dry_run,
        "element_checksums": options.element_checksums,
    }  # fmt: skip
    if is_folder(options):
        with safe_open(options.input, backend="pread", limits=options.limits) as file:
            _check_rules(options, rules, file.keys())
        recipe, curve = _at_target(options, recipe, _METADATA_BYTES, layout="entries")
        status = convert(
            options, encode_checkpoint, "encoding", recipe=recipe, summary=Summary(),
            skip_unreadable=options.skip_unreadable, **settings,
        )  # fmt: skip
        write_page_of_output(options, curve)
        return status
    base = base_of(options)
    if base is not None:
        recipe = recipe.with_base(base)
    keeps_all = recipe.is_lossless and not has_target(options)
    output = checked_output(options, ENDINGS, keeps_all or options.dry_run)
    if options.html is not None and output.is_stream:
        raise UsageError(f"--html: {options.output} is a stream, which cannot be read again")
    with Model(options, recipe) as model:
        _check_rules(options, rules, model.tensors)
        beside = model.bytes_beside() if has_target(options) else 0
    recipe, curve = _at_target(options, recipe, beside)
    with Model(options, recipe) as model:
        model.save(output, "encoding", threads=options.threads, **settings)
    write_page_of_output(options, curve)
    return 0


def _check_rules(options: argparse.Namespace, rules: list[Rule], names: Collection[str]) -> None:
    for at, fault in idle_rules(rules, names):
        raise UsageError(f"--tensor {options.tensor[at]!r}: {fault}")


def _at_target(
    options: argparse.Namespace, recipe: Recipe, beside: int = 0, **saving: Any
) -> tuple[Recipe, Curve | None]:
    """Return the recipe that reaches the wanted size or error, if one is wanted, and its curve."""
    if not has_target(options):
        return recipe, None
    with safe_open(
        options.input, backend="pread", limits=options.limits, dequantize=options.dequantize
    ) as file:
        point = point_at_target(
            options, file, recipe, beside, profile=options.profile, effort=options.effort, **saving
        )
    if not options.json and not options.quiet:
        say(curve_text(point, beside), sys.stderr)
    points = sorted({*point.tried, (point.bytes, point.sqnr)})
    points = [(size + beside, sqnr) for size, sqnr in points if math.isfinite(sqnr)]
    chosen = (point.bytes + beside, point.sqnr)
    return point.recipe, Curve(points, points.index(chosen)) if chosen in points else None


def _rules(texts: list[str]) -> list[Rule]:
    try:
        return [parse_rule(text) for text in texts]
    except (TypeError, ValueError) as error:
        raise UsageError(f"--tensor {error}") from error
