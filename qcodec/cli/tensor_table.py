"""The tables of ``inspect``: plain and complete for pipes, with bars for terminals."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from .._base.messages import one_line
from .._frame.ids import FULL_POSITIONS
from ..report import FileFacts, TensorFacts
from .bars import coloured, drawn, has_blocks, line_width, shortened
from .text import escape, table

#: Longer names are shortened, because a column is as wide as its widest cell.
_MAX_NAME = 100
_HEAD = ("tensor", "shape", "dtype", "kind", "positions", "codings")
_NUMBERS = ("bytes", "bits/weight", "ratio")
_BAR, _SQNR_BAR = 14, 8
#: Columns are left out, in this order, until names have as much room as this.
_MIN_NAME = 22
_LEFT_OUT = tuple(
    frozenset(names)
    for names in (
        [],
        ["sqnr bar"],
        ["sqnr bar", "share"],
        ["sqnr bar", "codec"],
        ["sqnr bar", "share", "codec"],
    )
)
_MAX_CODEC = 30


def text(
    report: Mapping[str, Any], facts: FileFacts | None = None, file: TextIO | None = None
) -> str:
    """Return the table of a file.

    Parameters
    ----------
    report : mapping
        What `describe` of ``inspect`` returns.
    facts : FileFacts, optional
        If the tensors were decoded.
    file : file object, optional
        Where it is shown; the default is the standard output. On a terminal there are bars, and
        names are shortened so that lines fit.
    """
    file = sys.stdout if file is None else file
    known = {} if facts is None else {one.name: one for one in facts.tensors}
    compared = facts is not None and facts.original != ""
    if file is None or not file.isatty():
        return _for_pipes(report, known, compared)
    return coloured(_Bars(report, known, compared, has_blocks(file)).text(line_width()))


def _for_pipes(report: Mapping[str, Any], known: Mapping[str, TensorFacts], compared: bool) -> str:
    head = [*_HEAD, _share_title(known), *_NUMBERS, *(["SQNR in dB"] if compared else [])]
    rows = [_row(one, known.get(one["name"])) for one in report["tensors"]]
    rows += [_row(one | {"kind": "attached"}, None) for one in report["attached"]]
    for cells, one in zip(rows, report["tensors"], strict=False):
        cells += [sqnr_text(known.get(one["name"]))] if compared else []
    for name, size in _heads(report):
        rows.append([f"({name})", *[""] * 6, f"{size:,}", "", ""])
    rows.append(
        ["file", *[""] * 6, f"{report['bytes']:,}", _bits(report), f"{report['ratio']:.2f}"]
    )
    return table(head, [row + [""] * (len(head) - len(row)) for row in rows], left=6)


@dataclass(frozen=True)
class _Bars:
    """The table of a terminal."""

    report: Mapping[str, Any]
    known: Mapping[str, TensorFacts]
    compared: bool
    blocks: bool

    def text(self, width: int) -> str:
        """Return lines of at most `width` characters; what matters least is left out."""
        for left_out in _LEFT_OUT:
            found = self._with_room(width, left_out)
            if found is not None:
                return found
        raise AssertionError(f"no table of {width} characters")

    def _with_room(self, width: int, left_out: frozenset[str]) -> str | None:
        """Return the table without some columns; None if too little is left for names."""
        rows = self._rows()
        columns = [name for name in rows[0][1] if name not in left_out]
        cells = [[found.get(name, "") for name in columns] for _, found in rows]
        taken = sum(2 + max(map(len, column)) for column in zip(*cells, strict=True))
        names = [one_line(name, _MAX_NAME) for name, _ in rows]
        wanted = min(max(map(len, names)), _MIN_NAME)
        if width - taken < wanted and left_out != _LEFT_OUT[-1]:
            return None
        short = [shortened(name, max(width - taken, wanted)) for name in names]
        lines = [[name, *found] for name, found in zip(short, cells, strict=True)]
        return table(lines[0], lines[1:], left=1 if "codec" in left_out else 2)

    def _rows(self) -> list[tuple[str, dict[str, str]]]:
        """Return the head, then a row for each tensor and for what is not one, by column."""
        report, tensors = self.report, self.report["tensors"]
        most = max((one["bits_per_weight"] for one in tensors), default=0.0)
        best = max((facts.sqnr_db or 0.0 for facts in self.known.values()), default=0.0)
        head = {
            "codec": "stored as", "share": _share_title(self.known), "bytes": "bytes",
            "bits": "bits/w", "bar": f"0 to {most:.3g}".ljust(_BAR),
        }  # fmt: skip
        if self.compared:
            head |= {"sqnr": "SQNR dB", "sqnr bar": f"0 to {best:.3g}".ljust(_SQNR_BAR)}
        rows = [("tensor", head)]
        rows += [(one["name"], self._tensor(one, most, best)) for one in tensors]
        others = [(one["name"], "attached", one["bytes"]) for one in report["attached"]]
        others += [(f"({name})", "", size) for name, size in _heads(report)]
        rows += [(name, {"codec": codec, "bytes": f"{n:,}"}) for name, codec, n in others]
        ratio, size = f"{report['ratio']:.2f}x smaller", f"{report['bytes']:,}"
        rows.append(("file", {"codec": ratio, "bytes": size, "bits": _bits(report)}))
        return rows

    def _tensor(self, one: Mapping[str, Any], most: float, best: float) -> dict[str, str]:
        facts, bits = self.known.get(one["name"]), one["bits_per_weight"]
        codec = _kind(one) if _is_other(one) else one["codec"]
        cells = {"codec": one_line(codec, _MAX_CODEC), "bytes": f"{one['bytes']:,}"}
        if _is_other(one):
            return cells
        ratio = (facts.sqnr_db if facts else None) or 0.0
        return cells | {
            "share": kept_text(one, facts),
            "bits": f"{bits:.2f}",
            "bar": drawn(bits, most, _BAR, self.blocks).ljust(_BAR),
            "sqnr": sqnr_text(facts),
            "sqnr bar": drawn(ratio, best, _SQNR_BAR, self.blocks).ljust(_SQNR_BAR),
        }


def kept_text(one: Mapping[str, Any], facts: TensorFacts | None) -> str:
    """Return the share of weights that are not zero; from the head alone, of those stored."""
    if _is_other(one):
        return ""
    if facts is not None and facts.kept_percent is not None:
        return f"{facts.kept_percent:.1f}"
    if facts is not None or not one.get("elements") or "stored" not in one:
        return ""
    is_full = one["positions"] in FULL_POSITIONS
    return "100.0" if is_full else f"{100 * one['stored'] / one['elements']:.1f}"


def _share_title(known: Mapping[str, TensorFacts]) -> str:
    """Fillers are stored, and zeros may be; only decoded tensors say what is kept."""
    return "kept %" if known else "stored %"


def sqnr_text(facts: TensorFacts | None) -> str:
    """Return the error of a tensor against its original."""
    if facts is None or facts.is_exact is None:
        return ""
    if facts.is_exact:
        return "exact"
    return "" if facts.sqnr_db is None else f"{facts.sqnr_db:.1f}"


def _heads(report: Mapping[str, Any]) -> list[tuple[str, int]]:
    sizes = [
        ("safetensors header", report["safetensors_header_bytes"]),
        ("pack table", report["pack_table_bytes"]),
    ]
    return [(name, size) for name, size in sizes if size]


def _bits(report: Mapping[str, Any]) -> str:
    elements = sum(tensor["elements"] for tensor in report["tensors"])
    return f"{8 * report['bytes'] / elements if elements else 0.0:.2f}"


def _row(tensor: Mapping[str, Any], facts: TensorFacts | None) -> list[str]:
    is_other = _is_other(tensor)
    ratio = "" if not tensor["bytes"] else f"{tensor['dense_bytes'] / tensor['bytes']:.2f}"
    is_attached = tensor["kind"] == "attached"
    return [
        one_line(tensor["name"], _MAX_NAME),
        one_line("x".join(map(str, tensor["shape"])), _MAX_NAME) or "scalar",
        escape(tensor["dtype"]),
        _kind(tensor),
        "" if is_other else tensor["positions"],
        "" if is_other else "+".join(tensor["codings"]),
        "" if is_attached else kept_text(tensor, facts),
        f"{tensor['bytes']:,}",
        "" if is_attached else f"{tensor['bits_per_weight']:.2f}",
        ratio,
    ]


def _is_other(tensor: Mapping[str, Any]) -> bool:
    """Whether a tensor is another name or a copy of one."""
    return "alias_of" in tensor or "converted_from" in tensor


def _kind(tensor: Mapping[str, Any]) -> str:
    """Return how a tensor is stored; of another name and of a copy: of which."""
    if "alias_of" in tensor:
        return f"= {one_line(tensor['alias_of'], _MAX_NAME)}"
    if "converted_from" in tensor:
        return f"like {one_line(tensor['converted_from'], _MAX_NAME)}"
    return str(tensor["kind"])
