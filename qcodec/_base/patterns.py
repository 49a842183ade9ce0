"""Regular expressions for tensor names; those that match a single name are looked up in a dict.

A recipe may have one rule per tensor of a model. If each rule were searched for in each
name, the work would grow with the square of the number of tensors. Patterns that are plain names
with unescaped dots are looked up too, if there are many (`FixedPatterns`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .fixed_patterns import FixedPatterns, fixed

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
    fixed : tuple or None
        The form and the literal characters of other patterns that may be looked up, as
        `fixed_patterns.fixed` returns them.

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

    __slots__ = ("_search", "fixed", "names", "text")

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"pattern={text!r}: allowed is a regular expression, a str")
        self.text = text
        self.names = _only_names(text)
        self.fixed = None if self.names else fixed(text)
        # Patterns that may be looked up are compiled only if they are searched for.
        self._search: Callable[[str], Any] | None = None
        if not self.names and not self.fixed:
            self._search = self._compiled()

    def _compiled(self) -> Callable[[str], Any]:
        try:
            # Compiled here, because recipes may have more rules than the cache of `re` holds.
            return re.compile(self.text).search
        except re.error as error:
            raise ValueError(f"{self.text!r} is not a regular expression: {error}") from None

    def finds(self, name: str) -> bool:
        """Whether the pattern is found in the name."""
        if self.names is not None:
            return name in self.names
        if self._search is None:
            self._search = self._compiled()
        return self._search(name) is not None

    def finds_any(self, names: frozenset[str]) -> bool:
        """Whether the pattern is found in any of the names."""
        if self.names is None:
            return any(map(self.finds, names))
        return not names.isdisjoint(self.names)


class Patterns:
    """An ordered list of patterns; returns the first one that finds a name.

    Looking for a name takes at most one search for each pattern without `Pattern.names`; those
    with names cost a single look-up together, and many that are names with dots one look-up for
    each place where they may begin.

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
        self._all = tuple(patterns)
        self._by_name: dict[str, int] = {}
        for place, pattern in enumerate(self._all):
            for name in pattern.names or ():
                self._by_name.setdefault(name, place)
        fixed_ones = {at: one.fixed for at, one in enumerate(self._all) if one.fixed}
        self._fixed = FixedPatterns(fixed_ones)
        self._searched = [
            at
            for at, pattern in enumerate(self._all)
            if pattern.names is None and at not in self._fixed.places
        ]

    def first(self, name: str) -> int | None:
        """Return the index of the first pattern that finds the name, or None."""
        if not self._all:
            return None
        looked_up = min(self._fixed_in(name), default=None)
        exact = self._by_name.get(name)
        if exact is not None and (looked_up is None or exact < looked_up):
            looked_up = exact
        for place in self._searched:
            if looked_up is not None and looked_up < place:
                break
            if self._all[place].finds(name):
                return place
        return looked_up

    def found_in(self, names: frozenset[str]) -> set[int]:
        """Return the indices of all patterns that find any of the names."""
        found = {place for name in names for place in self._fixed_in(name)}
        others = (at for at in range(len(self._all)) if at not in self._fixed.places)
        return found.union(at for at in others if self._all[at].finds_any(names))

    def _fixed_in(self, name: str) -> Iterator[int]:
        """Yield the indices of those that `FixedPatterns` holds and that find the name."""
        if "\n" in name:
            return (place for place in self._fixed.places if self._all[place].finds(name))
        return self._fixed.found(name)


def _only_names(text: str) -> tuple[str, ...] | None:
    literal = _LITERAL.fullmatch(text)
    if literal is None:
        return None
    name = _ESCAPED.sub(r"\1", literal[1])
    return (name,) if literal[2] == r"\Z" else (name, f"{name}\n")
