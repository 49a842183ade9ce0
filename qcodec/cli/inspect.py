"""``inspect FILE``: shows every tensor of a file, and how the file's bytes are used."""

from __future__ import annotations

import argparse
import math
from typing import Any

from .._base.messages import one_line
from .._file.directory import Stored
from .._file.tensor_file import TensorFile
from ..dtypes import BY_SAFETENSORS
from ..files import safe_open
from .arguments import add_limits
from .text import escape, print_json, say, table

HELP = "show the tensors of a file and how its bytes are used"
#: Longer names are shortened, because a column is as wide as its widest cell.
_MAX_NAME = 100
_HEAD = (
    "tensor", "shape", "dtype", "kind", "positions", "codings", "bytes", "bits/weight", "ratio",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="FILE")
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Print the file's tensors and totals."""
    with safe_open(options.input, limits=options.limits) as file:
        report = describe(file)
    if options.json:
        print_json({"file": options.input, **report})
    else:
        say(_text(report))
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
    found = _ordinary(stored) if stored.ordinary is not None else file.info(stored.name).as_dict()
    if stored.target != stored.name:
        found |= {"alias_of": stored.target, "bytes": 0, "bits_per_weight": 0.0, "sections": []}
    return {"name": stored.name, **found}


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
        "positions": "dense",
        "codings": [],
        "elements": elements,
        "dense_bytes": stored.size,
        "bytes": stored.size,
        "bits_per_weight": 8 * stored.size / elements if elements else 0.0,
    }


def _text(report: dict[str, Any]) -> str:
    rows = [_row(tensor) for tensor in report["tensors"]]
    rows += [_row(one | {"kind": "attached"}) for one in report["attached"]]
    for what in ("safetensors header", "pack table"):
        size = report[f"{what.replace(' ', '_')}_bytes"]
        if size:
            rows.append([f"({what})", *[""] * 5, f"{size:,}", "", ""])
    total = f"{report['bytes']:,}"
    elements = sum(tensor["elements"] for tensor in report["tensors"])
    bits = 8 * report["bytes"] / elements if elements else 0.0
    rows.append(["file", *[""] * 5, total, f"{bits:.2f}", f"{report['ratio']:.2f}"])
    return table(_HEAD, rows, left=6)


def _row(tensor: dict[str, Any]) -> list[str]:
    is_other = "alias_of" in tensor or "converted_from" in tensor
    ratio = "" if not tensor["bytes"] else f"{tensor['dense_bytes'] / tensor['bytes']:.2f}"
    return [
        one_line(tensor["name"], _MAX_NAME),
        one_line("x".join(map(str, tensor["shape"])), _MAX_NAME) or "scalar",
        escape(tensor["dtype"]),
        _kind(tensor),
        "" if is_other else tensor["positions"],
        "" if is_other else "+".join(tensor["codings"]),
        f"{tensor['bytes']:,}",
        "" if tensor["kind"] == "attached" else f"{tensor['bits_per_weight']:.2f}",
        ratio,
    ]


def _kind(tensor: dict[str, Any]) -> str:
    """Return how a tensor is stored; of another name and of a copy: of which."""
    if "alias_of" in tensor:
        return f"= {one_line(tensor['alias_of'], _MAX_NAME)}"
    if "converted_from" in tensor:
        return f"like {one_line(tensor['converted_from'], _MAX_NAME)}"
    return str(tensor["kind"])
