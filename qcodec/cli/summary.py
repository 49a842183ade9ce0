"""What ``encode`` did to the weights, as text and as plain values."""

from __future__ import annotations

import math
from typing import Any

from .._base.messages import one_line
from ..codecs.rules import codec_text
from ..summary import Summary, TensorSummary, sqnr_of
from .text import table

_MAX_NAME = 48
_HEAD = ("quantized", "tensors", "weights", "SQNR dB", "lowest")


def summary_text(summary: Summary) -> str:
    """Return a table of the quantized tensors by kind; empty if there are none.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> summary = Summary()
    >>> tensors = {"fc.weight": np.random.default_rng(0).normal(size=(64, 64)), "b": np.ones(4)}
    >>> data = qcodec.save(tensors, recipe=qcodec.Codebook(bits=4), summary=summary)
    >>> print(summary_text(summary))
    quantized     tensors  weights  SQNR dB  lowest
    matrices            1    4,096     20.5    20.5  fc.weight
    kept exactly        1        4
    """
    if not summary.quantized:
        return ""
    rows = [_row(kind, some) for kind, some in summary.by_kind().items()]
    exact = [one for one in summary.tensors if one.is_exact]
    if exact:
        rows.append(["kept exactly", f"{len(exact):,}", _elements(exact), "", ""])
    lines = table(_HEAD, rows).splitlines()
    lowest = [_lowest(some).name for some in summary.by_kind().values()]
    for number, name in enumerate(lowest, 1):  # the first line is the head
        lines[number] += f"  {one_line(name, _MAX_NAME)}"
    return "\n".join(lines)


def summary_fields(summary: Summary) -> list[dict[str, Any]]:
    """Return what was done to each tensor as plain values."""
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "elements": one.elements,
            "codec": None if one.codec is None else codec_text(one.codec),
            "exact": one.is_exact,
            "sqnr": one.sqnr if math.isfinite(one.sqnr) else None,
        }
        for one in summary.tensors
    ]


def _row(kind: str, tensors: list[TensorSummary]) -> list[str]:
    lowest = _lowest(tensors).sqnr
    return [
        kind, f"{len(tensors):,}", _elements(tensors), f"{sqnr_of(tensors):.1f}", f"{lowest:.1f}",
    ]  # fmt: skip


def _lowest(tensors: list[TensorSummary]) -> TensorSummary:
    return min(tensors, key=lambda one: one.sqnr)


def _elements(tensors: list[TensorSummary]) -> str:
    return f"{sum(one.elements for one in tensors):,}"
