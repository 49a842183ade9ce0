"""Sections of documents that recipes and benchmarks write."""

from __future__ import annotations

import re
from pathlib import Path

from qcodec._io.atomic import replace_file


def rewrite(document: Path, tables: dict[str, str]) -> None:
    """Rewrite the text between ``<!-- name -->`` and ``<!-- /name -->``.

    Raises
    ------
    ValueError
        If the document does not have the markers of each section exactly once.
    """
    text = document.read_text("utf-8")
    for name, table in tables.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, count = re.subn(
            pattern, lambda match, table=table: match[1] + table + "\n" + match[2], text, flags=re.S
        )
        if count != 1:
            raise ValueError(f"{document}: found <!-- {name} --> {count} times, allowed is once")
    replace_file(document, [text.encode("utf-8")])
