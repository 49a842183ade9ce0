"""``decode IN OUT``: writes all tensors as ordinary ones, for programs without qcodec."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .._base.messages import names_text
from .._file.container import Parts, safetensors_parts
from .._file.endings import NPZ, SAFETENSORS, is_npz_path
from .._file.tensor_file import TensorFile
from .._io.atomic import replace_file
from ..files import BASE_KEY, safe_open
from .arguments import add_base, add_limits, add_threads, base_of
from .faults import about
from .npz import npz_bytes
from .output import add_force, check_may_lose, checked_output, print_report
from .text import counted, warn

HELP = "decode all tensors into a .safetensors or .npz file"
ENDINGS = (SAFETENSORS, NPZ)
_DTYPES = ("float16", "bfloat16", "float32", "float64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN")
    parser.add_argument("output", metavar="OUT", help="a .safetensors or .npz file")
    parser.add_argument("--dtype", choices=_DTYPES, help="the type of all float tensors in OUT")
    add_base(parser, "the base that the file was encoded against")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Decode the file and report its size."""
    base = base_of(options)
    output = checked_output(options, ENDINGS, keeps_all=options.dtype is None)
    is_npz = is_npz_path(options.output)
    with safe_open(options.input, limits=options.limits, base=base) as file:
        metadata, before = file.metadata() or {}, file.source.size
        metadata.pop(BASE_KEY, None)  # the output needs no base
        lost = {"attached": file.attached(), "metadata": sorted(metadata) if is_npz else []}
        if any(lost.values()):
            check_may_lose(options, output)
        # What is read while the output is written must not be the output, nor a stream that gets a
        # part of the tensors before a fault is found.
        at_once = is_npz or output.is_stream or output.is_file(Path(options.input).stat())
        tensors = _decoded(file, options.dtype, options.threads, at_once)
        parts: Parts = [npz_bytes(tensors)] if is_npz else safetensors_parts(tensors, metadata)
        _warn_of_loss(options.output, lost)
        if not at_once:
            after = _written(options.output, parts)
    if at_once:
        after = _written(options.output, parts)
    report = {
        "output": options.output, "tensors": len(tensors), "bytes": after, "left_out": lost,
    }  # fmt: skip
    text = f"{options.output}: {counted(len(tensors), 'tensor')}, {after:,} bytes, from {before:,}"
    print_report(output, report, None if options.json else text)
    return 0


def _warn_of_loss(path: str, lost: Mapping[str, list[str]]) -> None:
    """Name what the output cannot hold."""
    ending = NPZ if is_npz_path(path) else SAFETENSORS
    for what, names in lost.items():
        if names:
            noun = "attached bytes" if what == "attached" else what
            warn(f"{path}: warning: {ending} cannot hold {noun}: left out {names_text(names)}")


def _written(path: str, parts: Parts) -> int:
    with about(path, (OSError,)):
        return replace_file(path, parts)


def _decoded(file: TensorFile, dtype: str | None, threads: int, at_once: bool) -> dict[str, Any]:
    """Return all tensors of a file, decoded at once, or the large ones when they are written."""
    file.check_total(dtype)
    read = file.read_ordinary if at_once else file.ordinary_on_demand
    return file.read_each(partial(read, dtype=dtype, threads=threads))
