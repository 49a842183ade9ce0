"""Draws the facts of a file as a picture for papers: bytes, bits per weight and SQNR by tensor."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .._base.messages import one_line
from .._io.atomic import replace_file
from .._io.source import PathLike
from .facts import FileFacts
from .purposes import PURPOSES

#: The pictures that can be written, by their endings.
ENDINGS = (".png", ".svg", ".pdf")

_MAX_ROWS = 40
_MAX_NAME = 44
# Okabe and Ito's colours: told apart by everybody.
_COLOURS = dict(zip(PURPOSES, ("#0072B2", "#E69F00", "#009E73", "#8A8A8A"), strict=True))
_STYLE = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "ytick.major.size": 0,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.hashsalt": "qcodec",  # the same bytes for the same facts
}
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))


class _Row(NamedTuple):
    """A line of the picture: a tensor, or all that have no line of their own."""

    name: str
    parts: dict[str, int]
    bits: float
    sqnr_db: float | None
    is_exact: bool


def write_plot(path: PathLike, facts: FileFacts) -> int:
    """Draw bytes by purpose, bits per weight and, if there was an original, SQNR.

    Parameters
    ----------
    path : path-like
        Ends in ``.png``, ``.svg`` or ``.pdf``.
    facts : FileFacts
        Those of `gather`. The 40 largest tensors have bars of their own.

    Returns
    -------
    int
        The length of the picture in bytes.

    Raises
    ------
    ImportError
        Without matplotlib: ``pip install 'qcodec[plot]'``.
    ValueError
        If the path has another ending.
    OSError
        If the file cannot be written.
    """
    ending = Path(os.fsdecode(path)).suffix.lower()
    if ending not in ENDINGS:
        found = ending or "no ending"
        raise ValueError(f"picture: found {found}, allowed are {', '.join(ENDINGS)}")
    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of letters that the font does not have
        figure = _figure(facts)
        metadata = {"CreationDate": None} if ending == ".pdf" else {"Date": None}
        figure.savefig(
            buffer, format=ending[1:], dpi=200, facecolor="white", bbox_inches="tight",
            metadata=None if ending == ".png" else metadata,
        )  # fmt: skip
    return replace_file(path, [buffer.getvalue()])


def _figure(facts: FileFacts) -> Any:
    from matplotlib.figure import Figure

    rows = _rows(facts)
    panels = 3 if facts.original else 2
    figure = Figure(figsize=(7.2, 1.3 + 0.2 * len(rows)), layout="constrained")
    every = figure.subplots(1, panels, sharey=True, width_ratios=(5, 3, 3)[:panels], squeeze=False)
    axes = every[0]
    _bytes(axes[0], rows)
    axes[1].barh(range(len(rows)), [row.bits for row in rows], color="#56B4E9", height=0.72)
    axes[1].set_title("bits per weight", loc="left")
    if facts.original:
        _sqnr(axes[2], rows)
    axes[0].set_yticks(range(len(rows)), [row.name for row in rows])
    for label in axes[0].get_yticklabels():
        label.set_parse_math(False)
    axes[0].set_ylim(len(rows) - 0.4, -0.6)
    for one in axes:
        if one.get_xlim()[0] >= 0:
            one.set_xlim(left=0)
    title = f"{one_line(facts.name, _MAX_NAME)}: {facts.bytes:,} bytes"
    if facts.dense_bytes and facts.bytes:
        title += f", {facts.dense_bytes / facts.bytes:.1f} times smaller than in memory"
    figure.suptitle(title, x=0.01, ha="left", fontsize=10).set_parse_math(False)
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower left", ncols=4, frameon=False)
    return figure


def _rows(facts: FileFacts) -> list[_Row]:
    stored = sorted((one for one in facts.tensors if one.bytes), key=lambda one: -one.bytes)
    shown = stored if len(stored) <= _MAX_ROWS else stored[: _MAX_ROWS - 1]
    rows = [
        _Row(
            _short(one.name), one.parts, one.bits_per_weight, one.sqnr_db, one.is_exact is True
        )
        for one in shown
    ]  # fmt: skip
    left = stored[len(shown) :]
    if left:
        parts = {purpose: sum(one.parts.get(purpose, 0) for one in left) for purpose in PURPOSES}
        bits = 8 * sum(one.bytes for one in left) / max(sum(one.elements for one in left), 1)
        rows.append(_Row(f"{len(left):,} smaller tensors", parts, bits, None, False))
    return rows


def _short(name: str) -> str:
    """Return the end of a name, which says more than its beginning."""
    whole = one_line(name, 4 * _MAX_NAME)
    return whole if len(whole) <= _MAX_NAME else f"…{whole[1 - _MAX_NAME :]}"


def _bytes(axes: Any, rows: Sequence[_Row]) -> None:
    greatest = max((sum(row.parts.values()) for row in rows), default=0)
    unit, name = next((one for one in _UNITS if greatest >= 2 * one[0]), _UNITS[-1])
    starts = [0.0] * len(rows)
    for purpose, colour in _COLOURS.items():
        widths = [row.parts.get(purpose, 0) / unit for row in rows]
        if any(widths):
            axes.barh(
                range(len(rows)), widths, left=starts, color=colour, label=purpose, height=0.72
            )
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
    axes.set_title(f"{name} in the file" if name != "bytes" else "bytes in the file", loc="left")


def _sqnr(axes: Any, rows: Sequence[_Row]) -> None:
    values = [row.sqnr_db or 0 for row in rows]
    axes.barh(range(len(rows)), values, color="#CC79A7", height=0.72)
    axes.set_title("SQNR, dB", loc="left")
    for place, row in enumerate(rows):
        if row.is_exact:
            axes.text(0, place, " exact", va="center", fontsize=7, color="#555555")
