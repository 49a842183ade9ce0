"""The tables of docs/training.md, made from the tests' tables and from runs of the methods.

``python -m tests.torch.tables`` writes them into the document.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from qcodec import Codebook, Density, FixedPoint
from qcodec.torch import fix_points, share, share_latent, ternarize
from qcodec.torch.tensors import places
from tests.repository import ROOT
from tests.torch.methods import METHODS, Case, inputs_of, net, prepare
from tests.torch.situations import SITUATIONS
from tests.torch.uses import USES

DOCUMENT = ROOT / "docs" / "training.md"

#: The calls that make each kind of values from a plain net.
KINDS = {
    "free": lambda model: None,
    "latent": lambda model: share_latent(model, {"weight$": Codebook(2)}),
    "shared": lambda model: share(model, {"weight$": Codebook(2)}),
    "ternary": lambda model: ternarize(model, {"weight$": Density(0.5)}),
    "fixed": lambda model: fix_points(model, {"weight$": FixedPoint(4)}),
}


def values_table() -> Iterator[str]:
    """One line per method: the kind of values after it, for each kind before."""
    yield f"| method | {' | '.join(KINDS)} |"
    yield "|---" * (len(KINDS) + 1) + "|"
    for method in METHODS:
        yield f"| `{method}` | {' | '.join(_cell(method, kind) for kind in KINDS)} |"


def situations_table(rows) -> Iterator[str]:
    """One line per situation or use: the methods that refuse it, and the remedy."""
    yield "| situation | refused | instead |"
    yield "|---|---|---|"
    for row in rows:
        refused = [name for name in METHODS if name in row.refused]
        works = [name for name in METHODS if name not in row.refused]
        yield f"| {row.title} | {_names(refused, works)} | {row.instead or '-'} |"


def tables() -> dict[str, str]:
    """All tables by their names in the document."""
    found = {
        "values": values_table(),
        "situations": situations_table(SITUATIONS),
        "uses": situations_table(USES),
    }
    return {name: "\n".join(lines) for name, lines in found.items()}


def in_document(text: str) -> dict[str, str]:
    """The tables in the document, between their marks."""
    return {
        match[1]: match[2]
        for match in re.finditer(r"<!-- table: (\w+) -->\n\n(.*?)\n\n<!-- end -->", text, re.DOTALL)
    }


def _names(some: list[str], others: list[str]) -> str:
    if not some:
        return "-"
    if not others:
        return "all"
    if len(some) > len(others):
        return f"all but {_names(others, some)}"
    return ", ".join(f"`{name}`" for name in some)


def _cell(method: str, kind: str) -> str:
    """The kind of values after a method; + means a mask, * a new parameter."""
    case = Case(net(), inputs_of(5, 8), net, method=method, sharable="")
    KINDS[kind](case.model)
    (before,) = (place for place in places(case.model) if place.name == "2.weight")
    parameter = id(before.original)
    with tempfile.TemporaryDirectory() as folder:
        prepare(case, Path(folder))
        try:
            METHODS[method](case, Path(folder))
        except ValueError:
            return "refused"
    (place,) = (place for place in places(case.model) if place.name == "2.weight")
    found = "free"
    if place.compressed is not None:
        found = type(place.compressed.values).__name__.removesuffix("Values").lower()
        found = found.removesuffix("point") + ("+" if place.compressed.mask is not None else "")
    return found if id(place.original) == parameter else f"{found}*"


def main() -> None:
    """Write the tables into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, table in tables().items():
        mark = re.escape(f"<!-- table: {name} -->")
        text = re.sub(
            rf"({mark}\n\n).*?(\n*<!-- end -->)",
            lambda match, table=table: f"{match[1]}{table}\n\n<!-- end -->",
            text,
            flags=re.DOTALL,
        )
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
