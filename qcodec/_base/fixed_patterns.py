"""Patterns of literal characters and dots: many of them are looked up instead of searched.

Programs write a rule for each tensor with the plain name as its pattern. The dots of the name then
stand for any character, and the pattern may be found anywhere in a name. All such patterns with as
many characters, and with dots in the same places, are the keys of one dictionary: a name is looked
up once for each place where they may begin, however many patterns there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

# Anchors, and between them literal characters, special ones and punctuation after a backslash, and
# dots that stand for any character. A NUL marks these dots below.
_FIXED = re.compile(r"(\^?)((?:[^\\^$*+?{}\[\]|()\0]|\\[^0-9A-Za-z\0])+)(\$|\\Z|)", re.DOTALL)
_DOT = "\0"
_ESCAPED_OR_DOT = re.compile(r"\\(.)|\.", re.DOTALL)
# Fewer patterns of one form are searched sooner than looked up.
_MANY = 32


class Form(NamedTuple):
    """What patterns have in common that are looked up together.

    Attributes
    ----------
    starts, ends : bool
        Whether the pattern is anchored at the start and at the end of a name.
    length : int
        Number of characters, dots included.
    literals : tuple of (int, int)
        The ranges of literal characters.
    """

    starts: bool
    ends: bool
    length: int
    literals: tuple[tuple[int, int], ...]

    def beginnings(self, name: str) -> Sequence[int]:
        """Return where the pattern may begin in a name."""
        room = len(name) - self.length
        if room < 0 or (room and self.starts and self.ends):
            return ()
        return (0,) if self.starts else (room,) if self.ends else range(room + 1)


def fixed(text: str) -> tuple[Form, str] | None:
    r"""Return the form and the literal characters of a pattern, or None if it has no such form.

    Examples
    --------
    >>> fixed(r"^a.b\.c$")
    (Form(starts=True, ends=True, length=5, literals=((0, 1), (2, 5))), 'ab.c')
    >>> fixed("a.*b") is None
    True
    """
    found = _FIXED.fullmatch(text)
    if found is None:
        return None
    starts, body, ends = found.groups()
    if "\\" in body:
        parts = _ESCAPED_OR_DOT.sub(lambda match: match[1] or _DOT, body).split(_DOT)
    else:
        parts = body.split(".")
    form = _form(bool(starts), bool(ends), tuple(map(len, parts)))
    return form, "".join(parts)


@lru_cache(maxsize=1024)
def _form(starts: bool, ends: bool, lengths: tuple[int, ...]) -> Form:
    """Return the form with literal parts of these lengths, one object for all its patterns."""
    ranges, end = [], -1
    for length in lengths:
        first, end = end + 1, end + 1 + length
        if length:
            ranges.append((first, end))
    return Form(starts, ends, end, tuple(ranges))


class FixedPatterns:
    """Patterns of few forms, by what is found at their literal characters.

    Names with line breaks are not for it: there a dot does not stand for any character, and ``$``
    does not stand for the end alone.

    Parameters
    ----------
    patterns : mapping of int to (Form, str)
        What `fixed` returned, by the pattern's place in a list. Patterns whose form only a few
        others have are left out.

    Attributes
    ----------
    places : frozenset of int
        The places of the patterns that are looked up.
    """

    def __init__(self, patterns: Mapping[int, tuple[Form, str]]) -> None:
        forms: dict[Form, dict[str, list[int]]] = {}
        for place, (form, literal) in patterns.items():
            forms.setdefault(form, {}).setdefault(literal, []).append(place)
        many = {form: known for form, known in forms.items() if len(known) >= _MANY}
        self.places = frozenset(_all(many.values()))
        # The first literal character of any of them tells most places apart.
        self._forms = [
            (form, known, frozenset(literal[:1] for literal in known))
            for form, known in many.items()
        ]

    def found(self, name: str) -> Iterator[int]:
        """Yield the places of the patterns that are found in a name, in no order."""
        for form, known, firsts in self._forms:
            literals = form.literals
            first = literals[0][0] if literals else 0
            for at in form.beginnings(name):
                if not literals or name[at + first] in firsts:
                    key = "".join([name[at + begin : at + end] for begin, end in literals])
                    yield from known.get(key, ())


def _all(forms: Iterable[Mapping[str, list[int]]]) -> Iterator[int]:
    return (place for known in forms for places in known.values() for place in places)
