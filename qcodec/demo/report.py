"""The results of the demo, as plain values and as text; every byte of the files is in a row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import safe_open
from ..report import STAGES as _COLUMNS
from ..report import gather
from .stages import STAGES, Tensors


def tensor_rows(original: Path, folder: Path) -> list[dict[str, Any]]:
    """Return one row per tensor, by name: its bytes after each stage, and the error of its values.

    The bytes are computed from the last file alone; `head_bytes` and the lengths of the stages'
    own files tell whether they are right.

    Parameters
    ----------
    original : pathlib.Path
        The file of the network before encoding.
    folder : pathlib.Path
        The folder of the stages' files.
    """
    facts = gather(STAGES[-1].path(folder), original)
    return [
        {
            "tensor": tensor.name,
            "elements": tensor.elements,
            "kept_percent": tensor.kept_percent,
            "sqnr_db": tensor.sqnr_db,
            "bytes": tensor.stages,
        }
        for tensor in sorted(facts.tensors, key=lambda tensor: tensor.name)
    ]


def head_bytes(original: Path, tensors: Tensors, folder: Path) -> dict[str, int]:
    """Return the bytes of each file that belong to no tensor: names, offsets, checksums."""
    data = sum(array.nbytes for array in tensors.values())
    heads = {"float": original.stat().st_size - data}
    for stage in STAGES:
        with safe_open(stage.path(folder)) as file:
            heads[stage.name] = file.directory.pack_table_bytes
    return heads


def totals(rows: list[dict[str, Any]], heads: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of the columns."""
    return {name: heads[name] + sum(row["bytes"][name] for row in rows) for name in _COLUMNS}


def as_text(report: Mapping[str, Any]) -> str:
    """Format the table of tensors, and the totals."""
    sizes, rows = report["files"], report["tensors"]
    elements = sum(row["elements"] for row in rows)
    lines = [_line("", "kept %", _COLUMNS, "bits/weight", "SQNR dB")]
    lines += [_tensor_line(row) for row in rows]
    lines.append(_line("names, checksums", "", _bytes(report["head_bytes"]), "", ""))
    bits = f"{8 * sizes['coded'] / elements:.3f}"
    lines.append(_line("file", "", _bytes(sizes), bits, ""))
    ratios = ["", *(f"{sizes['float'] / sizes[stage.name]:.1f}x" for stage in STAGES)]
    lines.append(_line("smaller by", "", ratios, "", ""))
    before, after = report["accuracy_before"], report["accuracy_after"]
    equal = "bit-equal to" if report["bit_equal"] else "NOT EQUAL to"
    return "\n".join(
        [
            *lines,
            "",
            f"accuracy on {report['test_images']} test images: "
            f"{before:.2f} % as float32, {after:.2f} % decoded from the smallest file",
            f"decoded again, the weights of all {len(STAGES)} files are {equal} the quantized ones",
        ]
    )


def _tensor_line(row: Mapping[str, Any]) -> str:
    bits = f"{8 * row['bytes']['coded'] / row['elements']:.3f}"
    noise = "exact" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f}"
    kept = f"{row['kept_percent']:.1f}"
    return _line(row["tensor"], kept, _bytes(row["bytes"]), bits, noise)


def _bytes(sizes: Mapping[str, int]) -> list[str]:
    return [f"{sizes[name]:,}" for name in _COLUMNS]


def _line(name: str, kept: str, sizes: Any, bits: str, noise: str) -> str:
    columns = "".join(f"{size:>11}" for size in sizes)
    return f"{name:<16} {kept:>6}{columns} {bits:>12} {noise:>8}".rstrip()
