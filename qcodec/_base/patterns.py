"""Regular expressions for tensor names; those that match a single name are looked up in a dict.

A recipe may have one rule per tensor of a model. If each rule were searched for in each
name, the work would grow with the square of the number of tensors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# "^", literal characters (special ones and punctuation after a backslash), "$" or "\Z".
_LITERAL = re.compile(r"\^((?:[^\\.^$*+?{}\[\]|()]|\\[^0-9A-Za-z])*)(\$|\\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def exactly(name: str) -> str:
    r"""Return the pattern that finds this name only, for rules and mappings of patterns.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        Ends with ``\Z``, because ``$`` would also find the name with a line break after it.

    Examples
    --------
    >>> print(exactly("fc.weight"))
    ^fc\.weight\Z
    """
    return rf"^{re.escape(name)}\Z"


class Pattern:
    r"""A regular expression, searched for anywhere in a name.

    Parameters
    ----------
    text : str

    Attributes
    ----------
    text : str
    names : tuple of str or None
        The only names that it finds, if it consists of ``^``, literal text, and ``$`` or
        ``\Z``; such a pattern is looked up, not compiled. None for all other patterns.

    Raises
    ------
    TypeError
        If the text is not a str.
    ValueError
        If it is not a regular expression.

    Examples
    --------
    >>> Pattern(exactly("fc.weight")).names, Pattern("^fc").names
    (('fc.weight',), None)
    """

    __slots__ = ("_search", "names", "text")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"pattern={text!r}: allowed is a regular expression, a str")
        self.text = text
        self.names = _only_names(text)
        if self.names is not None:
            return
        try:
            # Compiled here, because recipes may have more rules than the cache of `re` holds.
            self._search = re.compile(text).search
        except re.error as error:
            raise ValueError(f"{text!r} is not a regular expression: {error}") from None

    def finds(self, name: str) -> bool:
        """Whether the pattern is found in the name."""
        return self._search(name) is not None if self.names is None else name in self.names

    def finds_any(self, names: frozenset[str]) -> bool:
        """Whether the pattern is found in any of the names."""
        if self.names is None:
            return any(map(self._search, names))
        return not names.isdisjoint(self.names)


class Patterns:
    """An ordered list of patterns; returns the first one that finds a name.

    Looking for a name takes at most one search for each pattern without `Pattern.names`; those
    with names cost a single look-up together.

    Parameters
    ----------
    patterns : iterable of Pattern

    Examples
    --------
    >>> patterns = Patterns(map(Pattern, ["^fc", exactly("head.bias"), "bias"]))
    >>> [patterns.first(name) for name in ("fc.bias", "head.bias", "norm.bias", "norm.weight")]
    [0, 1, 2, None]
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._searched: list[tuple[int, Pattern]] = []
        self._by_name: dict[str, int] = {}
        for place, pattern in enumerate(patterns):
            if pattern.names is None:
                self._searched.append((place, pattern))
            for name in pattern.names or ():
                self._by_name.setdefault(name, place)

    def first(self, name: str) -> int | None:
        """Return the index of the first pattern that finds the name, or None."""
        looked_up = self._by_name.get(name)
        for place, pattern in self._searched:
            if looked_up is not None and looked_up < place:
                break
            if pattern.finds(name):
                return place
        return looked_up


def _only_names(text: str) -> tuple[str, ...] | None:
    literal = _LITERAL.fullmatch(text)
    if literal is None:
        return None
    name = _ESCAPED.sub(r"\1", literal[1])
    return (name,) if literal[2] == r"\Z" else (name, f"{name}\n")
