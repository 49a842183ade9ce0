"""``decode IN OUT``: writes all tensors as ordinary ones, for programs without qcodec."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .._base.messages import names_text
from .._file.container import safetensors_parts
from .._file.endings import NPZ, SAFETENSORS, is_npz_path
from .._file.tensor_file import TensorFile
from .._io.atomic import replace_file
from .._io.later import Later, Part
from ..files import BASE_KEY, safe_open
from .arguments import add_base, add_limits, add_threads, base_of
from .faults import about
from .npz import npz_parts
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
        tensors = _decoded(file, options.dtype, options.threads)
        parts: Iterable[Part]
        parts = npz_parts(tensors) if is_npz else safetensors_parts(tensors, metadata)
        _warn_of_loss(options.output, lost)
        if output.is_stream:
            _check(file)
        # Windows replaces no file that is open.
        first_closed = sys.platform == "win32" and output.is_file(Path(options.input).stat())
        if first_closed:
            parts = [_read(part) for part in parts]
        else:
            after = _written(options.output, parts)
    if first_closed:
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


def _written(path: str, parts: Iterable[Part]) -> int:
    with about(path, (OSError,)):
        return replace_file(path, parts)


def _check(file: TensorFile) -> None:
    """Raise the first fault of a tensor: a stream gets all tensors, or nothing."""
    for name, fault in file.faults().items():
        if name in file:
            raise fault


def _read(part: Part) -> bytes:
    return b"".join(part.pieces()) if isinstance(part, Later) else bytes(part)


def _decoded(file: TensorFile, dtype: str | None, threads: int) -> dict[str, Any]:
    """Return all tensors of a file, the large ones to be decoded when they are written."""
    file.check_total(dtype)
    return file.read_each(partial(file.ordinary_on_demand, dtype=dtype, threads=threads))
