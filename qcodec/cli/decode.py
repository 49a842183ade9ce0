"""``decode IN OUT``: all tensors as ordinary ones, for programs that know nothing of qcodec."""

from __future__ import annotations

import argparse

from ..atomic import replace_file
from ..container import Opaque, Ordinary, safetensors_parts
from ..files import BASE_KEY, safe_open
from ..tensor_file import TensorFile
from .arguments import add_base, add_limits, add_threads, base_of
from .faults import about
from .npz import SUFFIX, npz_bytes
from .text import counted, escape, print_json, say

HELP = "decode all tensors into a .safetensors or .npz file"
_DTYPES = ("float16", "bfloat16", "float32", "float64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN")
    parser.add_argument("output", metavar="OUT", help="a .safetensors or .npz file")
    parser.add_argument("--dtype", choices=_DTYPES, help="for all float tensors")
    add_base(parser, "what the file was encoded against")
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Decode the file and say how large it became."""
    with safe_open(options.input, limits=options.limits, base=base_of(options)) as file:
        tensors = _decoded(file, options.dtype, options.threads)
        metadata, before = file.metadata() or {}, file.source.size
    metadata.pop(BASE_KEY, None)  # what is written needs none
    is_npz = options.output.endswith(SUFFIX)
    parts = [npz_bytes(tensors)] if is_npz else safetensors_parts(tensors, metadata)
    with about(options.output):
        after = replace_file(options.output, parts)
    if options.json:
        print_json({"output": options.output, "tensors": len(tensors), "bytes": after})
    else:
        what = counted(len(tensors), "tensor")
        say(escape(f"{options.output}: {what}, {after:,} bytes, from {before:,}"))
    return 0


def _decoded(file: TensorFile, dtype: str | None, threads: int) -> dict[str, Ordinary | Opaque]:
    """All tensors of a file; what was stored once is one array."""
    file.check_total(dtype)
    tensors: dict[str, Ordinary | Opaque] = {}
    for name, stored in file.directory.tensors.items():
        if stored.target in tensors:
            tensors[name] = tensors[stored.target]
        else:
            tensors[name] = file.read_ordinary(name, dtype=dtype, threads=threads)
    return tensors
