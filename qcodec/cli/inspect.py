"""``inspect FILE``: shows every tensor of a file, and how the file's bytes are used."""

from __future__ import annotations

import argparse
import math
from typing import Any

from .._file.directory import Stored
from .._file.tensor_file import TensorFile
from .._io.source import Backend
from ..dtypes import BY_SAFETENSORS
from ..files import safe_open
from ..report.codec_text import codec_text
from . import looking
from .arguments import add_base, add_limits, add_quiet, base_of
from .tensor_table import text
from .text import escape, print_json, say

HELP = "show the tensors of a file and how its bytes are used"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="FILE", help="a file of any format, or a folder")
    looking.add_looking(parser)
    add_quiet(parser)
    add_base(parser, "the base that the file was encoded against, for options that decode it")
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Print the file's tensors and totals; write pictures and pages."""
    looking.check(options)
    base = base_of(options)
    # Mapped pages of tensors that are done would stay in memory.
    backend: Backend = "pread" if looking.decodes(options) else "mmap"
    with safe_open(options.input, backend=backend, limits=options.limits, base=base) as file:
        report = describe(file)
        facts = looking.facts_of(file, options)
    written = looking.write(facts, options)
    if options.json:
        more = {} if facts is None else {"facts": facts.as_dict(), "written": written}
        print_json({"file": options.input, **report, **more})
        return 0
    say(text(report, facts))
    for path, size in written.items():
        say(f"{escape(path)}: {size:,} bytes")
    return 0


def describe(file: TensorFile) -> dict[str, Any]:
    """Describe a file by plain values; ``bytes`` is the sum of the other byte counts."""
    directory = file.directory
    tensors = [_tensor(file, stored) for stored in directory.tensors.values()]
    attached = [{"name": name, **file.info(name).as_dict()} for name in directory.attached]
    dense = sum(one["dense_bytes"] for one in [*tensors, *attached])
    return {
        "tensors": tensors,
        "attached": attached,
        "safetensors_header_bytes": directory.header_bytes,
        "pack_table_bytes": directory.pack_table_bytes,
        "bytes": file.source.size,
        "dense_bytes": dense,
        "ratio": dense / file.source.size,
        "metadata": file.metadata() or {},
    }


def _tensor(file: TensorFile, stored: Stored) -> dict[str, Any]:
    if stored.converted_to:
        return {"name": stored.name, **_converted(file, stored)}
    found = _ordinary(stored) if stored.ordinary is not None else _encoded(file, stored)
    if stored.target != stored.name:
        found |= {"alias_of": stored.target, "bytes": 0, "bits_per_weight": 0.0, "sections": []}
    return {"name": stored.name, **found}


def _encoded(file: TensorFile, stored: Stored) -> dict[str, Any]:
    codec = codec_text(file.encoded(stored.name).frame, stored.part is not None)
    return {**file.info(stored.name).as_dict(), "codec": codec}


def _converted(file: TensorFile, stored: Stored) -> dict[str, Any]:
    """Describe a tensor that is stored as a copy of another one, perhaps in another type."""
    shape, element = file.get_slice(stored.name).get_shape(), file.element_type(stored.name)
    elements = math.prod(shape)
    return {
        "shape": shape,
        "dtype": element.name,
        "kind": "converted",
        "positions": "dense",
        "codings": [],
        "elements": elements,
        "dense_bytes": elements * element.itemsize,
        "bytes": 0,
        "bits_per_weight": 0.0,
        "sections": [],
        "converted_from": stored.target,
    }


def _ordinary(stored: Stored) -> dict[str, Any]:
    entry = stored.ordinary
    assert entry is not None
    elements = math.prod(entry.shape)
    known = BY_SAFETENSORS.get(entry.dtype)
    return {
        "shape": list(entry.shape),
        "dtype": known.name if known is not None else entry.dtype,
        "kind": "ordinary",
        "codec": "not encoded",
        "positions": "dense",
        "codings": [],
        "elements": elements,
        "dense_bytes": stored.size,
        "bytes": stored.size,
        "bits_per_weight": 8 * stored.size / elements if elements else 0.0,
    }
