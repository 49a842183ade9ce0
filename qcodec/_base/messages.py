"""Makes untrusted text safe for messages: short, on one line, without control characters.

Names, element types and metadata come from files, which may be hostile: a name may be a
hundred megabytes long, or contain control sequences for the terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Length limits of a message, and of a quoted name or a path in it, in characters.
MAX_MESSAGE = 400
MAX_QUOTED = 72
_MAX_DIMS = 8
_MAX_NAMES = 3


def escape(text: str) -> str:
    r"""Escape control characters.

    Examples
    --------
    >>> escape("fc\x1b[2J\u202e")
    'fc\\x1b[2J\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def one_line(text: str, length: int = MAX_MESSAGE) -> str:
    r"""Put text on one line of at most `length` characters; the middle of long text is left out.

    Examples
    --------
    >>> one_line("two\nlines"), one_line("x" * 1000, 15)
    ('two\\nlines', 'xxxxx ... xxxxx')
    """
    # Slicing before escaping limits the cost.
    whole = escape(text[: length + 1])
    if len(text) <= length and len(whole) <= length:
        return whole
    mark = " ... "
    tail = (length - len(mark)) // 2
    head = length - len(mark) - tail
    return escape(text[:head])[:head] + mark + escape(text[-tail:])[-tail:]


def quoted(text: str) -> str:
    """Put a name in quotation marks; a long one is shortened.

    Examples
    --------
    >>> print(quoted("conv1.weight"))
    'conv1.weight'
    >>> quoted("x" * 90_000_000)[-26:]
    "x' (90,000,000 characters)"
    """
    if len(text) <= MAX_QUOTED and len(repr(text)) <= MAX_QUOTED + 2:
        return repr(text)
    return f"'{one_line(text, MAX_QUOTED)}' ({len(text):,} characters)"


def shape_text(shape: Sequence[int]) -> str:
    """Write a shape as a list; of a long one only the first dimensions are shown.

    Examples
    --------
    >>> shape_text((64, 3, 3)), shape_text([1] * 65)
    ('[64, 3, 3]', '[1, 1, 1, 1, 1, 1, 1, 1, ...] (65 dimensions)')
    """
    dims = ", ".join(map(str, shape[:_MAX_DIMS]))
    return f"[{dims}]" if len(shape) <= _MAX_DIMS else f"[{dims}, ...] ({len(shape)} dimensions)"


def names_text(names: Iterable[str]) -> str:
    """Write names as a list; of a long one only the first names are shown.

    Examples
    --------
    >>> names_text(["fc.bias", "fc.weight"]), names_text("abcdefg")
    ("'fc.bias', 'fc.weight'", "'a', 'b', 'c' and 4 more")
    """
    found = list(names)
    shown = ", ".join(map(quoted, found[:_MAX_NAMES]))
    more = len(found) - _MAX_NAMES
    return f"{shown} and {more:,} more" if more > 0 else shown or "none"
