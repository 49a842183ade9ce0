"""``diff A B``: shows which tensors differ, and by how much."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from .._base.arrays import as_float32, bytes_of
from .._base.messages import one_line
from .._file.tensor_file import TensorFile
from ..files import safe_open
from ..quantize.metrics import sqnr
from .arguments import add_limits, add_quiet, base_of
from .faults import about
from .progress import Progress
from .text import counted, print_json, say, table

HELP = "show which tensors of two files differ, and by how much"
_MAX_NAME = 100
_HEAD = ("tensor", "shape", "dtype", "change", "elements changed", "largest", "SQNR in dB")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="A", help="a file of any format, or a folder")
    parser.add_argument("other", metavar="B")
    parser.add_argument("--all", action="store_true", help="list tensors that are equal too")
    parser.add_argument("--base", metavar="FILE", help="the base that A or B was encoded against")
    add_quiet(parser)
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Print what differs."""
    base = base_of(options)
    with safe_open(options.input, backend="pread", limits=options.limits, base=base) as first:
        with about(options.other):
            second = safe_open(options.other, backend="pread", limits=options.limits, base=base)
        with second, about(options.other):
            sizes = Counter(first.directory.sizes()) + Counter(second.directory.sizes())
            with Progress("comparing", sizes.total(), options.quiet) as shown:
                found = compare(first, second, lambda name: shown.advance(sizes[name], name))
    changed = [row for row in found if row["change"] != "equal"]
    if options.json:
        rows = found if options.all else changed
        print_json({"a": options.input, "b": options.other, "equal": not changed, "tensors": rows})
        return 0
    rows = found if options.all else changed
    if rows:
        say(table(_HEAD, [_row(row) for row in rows], left=4))
    say(f"{counted(len(found), 'tensor')}, {len(found) - len(changed):,} equal")
    return 0


def compare(
    first: TensorFile, second: TensorFile, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Describe each tensor of two files, in the order of the first, by plain values."""
    found = []
    for name in dict.fromkeys([*first.offset_keys(), *second.offset_keys()]):
        found.append(_compared(name, first, second))
        progress(name)
    return found


def _compared(name: str, first: TensorFile, second: TensorFile) -> dict[str, Any]:
    if name not in first or name not in second:
        mine, change = (first, "only in A") if name in first else (second, "only in B")
        part = mine.get_slice(name)
        return _described(name, part.get_shape(), part.get_dtype(), change)
    (a, of_a), (b, of_b) = first.read_array(name), second.read_array(name)
    if a.shape != b.shape or of_a != of_b:
        found = _described(name, a.shape, of_a.name, "another shape or type")
        return found | {"other_shape": list(b.shape), "other_dtype": of_b.name}
    if np.array_equal(bytes_of(a), bytes_of(b)):
        return _described(name, a.shape, of_a.name, "equal")
    found = _described(name, a.shape, of_a.name, "values")
    bits = f"u{of_a.itemsize}"
    found["changed"] = int(np.count_nonzero(a.view(bits) != b.view(bits)))
    if of_a.is_float:
        x, y = as_float32(a, of_a), as_float32(b, of_b)
        found |= {"largest": float(np.max(np.abs(x - y), initial=0)), "sqnr_db": sqnr(x, y)}
    return found


def _described(name: str, shape: Any, dtype: str, change: str) -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "dtype": dtype, "change": change}


def _row(found: dict[str, Any]) -> list[str]:
    changed, largest, sqnr = (found.get(key) for key in ("changed", "largest", "sqnr_db"))
    return [
        one_line(found["name"], _MAX_NAME),
        "x".join(map(str, found["shape"])) or "scalar",
        found["dtype"],
        found["change"],
        "" if changed is None else f"{changed:,}",
        "" if largest is None else f"{largest:.3g}",
        "" if sqnr is None else f"{sqnr:.1f}",
    ]
