"""Writes the facts of a file as one page: no network, no library, under a megabyte.

The page is `page/report.html`, with the styles and scripts beside it put into it. What comes from
the file reaches it as JSON only, and its scripts make text of it, never markup.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from .._base.messages import one_line
from .._io.atomic import replace_file
from .._io.source import PathLike
from .facts import FileFacts, TensorFacts
from .histogram import Histogram
from .purposes import PURPOSES

#: A page is never larger.
MAX_BYTES = 1_000_000
#: As many of the largest tensors have histograms, if there is room.
MAX_DETAILS = 200
_MAX_NAME = 160
_MAX_SHAPE = 60
_SCRIPTS = ("elements.js", "charts.js", "layer.js", "treemap.js", "table.js", "report.js")
_PLACE = re.compile(r"\{\{(\w+)\}\}")


class Curve(NamedTuple):
    """Sizes that were possible, and the one that was chosen.

    Attributes
    ----------
    points : sequence of (int, float)
        Bytes and SQNR in dB of each.
    chosen : int
        The index of the chosen one.
    """

    points: Sequence[tuple[int, float]]
    chosen: int


#: A curve, or its two values.
CurveLike = Curve | tuple[Sequence[tuple[int, float]], int]


def write_html(path: PathLike, facts: FileFacts, curve: CurveLike | None = None) -> int:
    """Write a page that shows a file.

    Parameters
    ----------
    path : path-like
        An existing file is replaced completely or not at all.
    facts : FileFacts
        Those of `gather`.
    curve : Curve or tuple, optional
        A rate-distortion curve, with the index of the chosen point.

    Returns
    -------
    int
        The length of the page in bytes, at most a million. The largest tensors have histograms;
        beyond about 6,000 tensors, the smallest ones share one row of the table.

    Raises
    ------
    ValueError
        If the chosen point is not on the curve.
    OSError
        If the file cannot be written.
    """
    return replace_file(path, [page(facts, curve).encode()])


def page(facts: FileFacts, given_curve: CurveLike | None = None) -> str:
    """Return the page that `write_html` writes."""
    curve = None if given_curve is None else Curve(*given_curve)
    if curve is not None and not 0 <= curve.chosen < len(curve.points):
        raise ValueError(
            f"chosen point {curve.chosen} of the curve, allowed are 0 to {len(curve.points) - 1}"
        )
    style = _text("report.css")
    script = "\n".join(_text(name) for name in _SCRIPTS)
    given = {
        "title": html.escape(one_line(facts.name, _MAX_NAME)),
        "policy": (
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
    }
    whole = _text("report.html")
    room = MAX_BYTES - len(whole) - sum(len(text.encode()) for text in given.values())
    given["data"] = _fitting(facts, curve, room)
    return _PLACE.sub(lambda match: given[match[1]], whole)


def _text(name: str) -> str:
    return (files(__package__) / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _fitting(facts: FileFacts, curve: Curve | None, room: int) -> str:
    """Return the data as JSON of at most `room` bytes: fewer details first, then fewer rows."""
    details, rows = MAX_DETAILS, len(facts.tensors)
    while True:
        text = _json(_data(facts, curve, details, rows))
        if len(text) <= room:
            return text
        if details > 0:
            details = details // 2 if details > 10 else 0
        else:
            rows = rows * 3 // 4


def _json(value: Any) -> str:
    """Return JSON in ASCII that can neither end a script element nor begin a comment in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(facts: FileFacts, curve: Curve | None, details: int, rows: int) -> dict[str, Any]:
    largest = sorted(range(len(facts.tensors)), key=lambda index: -facts.tensors[index].bytes)
    shown = sorted(largest[:rows])
    detailed = {
        place: _details(facts.tensors[index])
        for place, index in enumerate(shown)
        if index in set(largest[:details]) and facts.tensors[index].values is not None
    }
    left = [facts.tensors[index] for index in largest[rows:]]
    return {
        "file": one_line(facts.name, _MAX_NAME),
        "original": one_line(facts.original, _MAX_NAME),
        "bytes": facts.bytes,
        "dense": facts.dense_bytes,
        "elements": facts.elements,
        "sqnr": _rounded(facts.sqnr_db),
        "purposes": [*PURPOSES, "attached"],
        "parts": facts.parts,
        "stages": facts.stages,
        "tensors": [_row(facts.tensors[index]) for index in shown],
        "details": detailed,
        "rest": [len(left), sum(tensor.bytes for tensor in left)],
        "curve": None if curve is None else _curve(curve),
    }


def _row(tensor: TensorFacts) -> list[Any]:
    """Return a row of the table; `page/elements.js` names the columns."""
    return [
        one_line(tensor.name, _MAX_NAME),
        one_line("x".join(map(str, tensor.shape)), _MAX_SHAPE),
        one_line(tensor.dtype, _MAX_SHAPE),
        one_line(tensor.codec, _MAX_NAME),
        tensor.elements,
        tensor.bytes,
        _rounded(tensor.kept_percent),
        _rounded(tensor.entropy_bits),
        _rounded(tensor.code_bits),
        _rounded(tensor.sqnr_db),
        tensor.is_exact,
        one_line(tensor.note, _MAX_NAME),
    ]


def _details(tensor: TensorFacts) -> dict[str, Any]:
    codes = tensor.codes
    return {
        "values": _histogram(tensor.values),
        "original": _histogram(tensor.original),
        "codes": codes and {
            "values": codes.values and list(map(_rounded, codes.values)),
            "counts": codes.counts,
            "lengths": codes.lengths and list(map(_rounded, codes.lengths)),
            "coding": codes.coding.replace("_", " "),
        },
        "parts": tensor.parts,
        "stages": tensor.stages,
    }  # fmt: skip


def _histogram(one: Histogram | None) -> list[Any] | None:
    if one is None:
        return None
    low, high = _rounded(one.low), _rounded(one.high)
    return [low, high, one.counts, one.below + one.above, one.elements, one.is_sample]


def _curve(curve: Curve) -> dict[str, Any]:
    points = [[int(size), _rounded(float(ratio))] for size, ratio in curve.points]
    return {"points": points, "chosen": curve.chosen}


def _rounded(value: float | None) -> float | None:
    """Return six digits of a number; None for what JSON does not have."""
    if value is None or value != value or abs(value) == float("inf"):  # noqa: PLR0124 - NaN
        return None
    return float(f"{value:.6g}")
