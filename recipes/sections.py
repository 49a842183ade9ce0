"""Sections of a document that programs write: recipes theirs, and benchmarks theirs."""

from __future__ import annotations

import re
from pathlib import Path

from qcodec._io.atomic import replace_file


def rewrite(document: Path, tables: dict[str, str]) -> None:
    """Rewrite what stands between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises
    ------
    ValueError
        If the document lacks the markers of a table.
    """
    text = document.read_text("utf-8")
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(
            pattern, lambda match, table=table: match[1] + table + "\n" + match[2], text, flags=re.S
        )
        if count != 1:
            raise ValueError(f"{document}: <!-- {name} --> stands there {count} times, not once")
    replace_file(document, [text.encode("utf-8")])
