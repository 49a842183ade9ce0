"""Bars on a terminal, and lines that fit into it."""

from __future__ import annotations

import os
import re
import shutil
from typing import TextIO

_WIDTHS = (80, 120)
_BLOCKS = " ▏▎▍▌▋▊▉█"
_NUMBER_AT_END = re.compile(r".*?(\d*)$")
_COLOUR, _PLAIN = "\x1b[36m", "\x1b[0m"


def line_width() -> int:
    """Return how long a line may be: as wide as the terminal, from 80 to 120."""
    return min(max(shutil.get_terminal_size().columns, _WIDTHS[0]), _WIDTHS[1])


def has_blocks(file: TextIO) -> bool:
    """Whether a terminal shows the blocks of which bars are made; otherwise they are ``#``."""
    try:
        _BLOCKS.encode(file.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return os.environ.get("TERM") != "dumb"


def drawn(value: float, greatest: float, width: int, blocks: bool) -> str:
    """Return a bar whose length is in proportion to a value, from 0 on.

    Examples
    --------
    >>> drawn(4, 8, 6, blocks=False), drawn(3, 8, 6, blocks=True), drawn(0, 8, 6, blocks=True)
    ('###', '██▎', '')
    """
    share = min(max(value / greatest, 0.0), 1.0) if greatest > 0 else 0.0
    if not blocks:
        return "#" * round(share * width)
    eighths = round(8 * share * width)
    return ("█" * (eighths // 8) + _BLOCKS[eighths % 8]).strip()


def coloured(lines: str) -> str:
    """Colour bars, if colours are wanted: https://no-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return lines
    return re.sub(f"[{_BLOCKS[1:]}]+", lambda bar: f"{_COLOUR}{bar[0]}{_PLAIN}", lines)


def shortened(name: str, width: int) -> str:
    """Shorten a name from its beginning, which says least: words become letters and numbers.

    Examples
    --------
    >>> shortened("encoder.layer.0.attention.output.dense.weight", 32)
    'e.l.0.attent.output.dense.weight'
    >>> shortened("embeddings.position.weight", 20)
    'embe.position.weight'
    >>> shortened("layer1.0.conv12.weight", 18)
    'l1.0.conv12.weight'
    >>> shortened("a_name_without_dots", 10)
    '..out_dots'
    """
    parts = name.split(".")
    for place in range(len(parts) - 1):
        if len(".".join(parts)) <= width:
            break
        word, number = parts[place][:1], _NUMBER_AT_END.sub(r"\1", parts[place][1:])
        room = width - len(".".join([*parts[:place], word + number, *parts[place + 1 :]]))
        parts[place] = parts[place][: 1 + max(room, 0)] + number
    found = ".".join(parts)
    return found if len(found) <= width else f"..{found[2 - width :]}"
