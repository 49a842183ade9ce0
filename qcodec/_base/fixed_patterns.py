"""Patterns of literal characters and dots: many of them are looked up instead of searched.

Programs write a rule for each tensor with the plain name as its pattern. The dots of the name then
stand for any character, and the pattern may be found anywhere in a name. All such patterns with as
many characters, and with dots in the same places, are the keys of one dictionary: a name is looked
up once for each place where they may begin, however many patterns there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

# Anchors, and between them literal characters, special ones and punctuation after a backslash, and
# dots that stand for any character.
_FIXED = re.compile(r"(\^?)((?:[^\\^$*+?{}\[\]|()]|\\[^0-9A-Za-z])+)(\$|\\Z|)", re.DOTALL)
_CHARACTER = re.compile(r"\\?(.)", re.DOTALL)
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

    def keys(self, name: str) -> Iterator[str]:
        """Yield the literal characters of each place of a name where the pattern may be found."""
        room = len(name) - self.length
        if room < 0 or (room and self.starts and self.ends):
            return
        places = (0,) if self.starts else (room,) if self.ends else range(room + 1)
        for at in places:
            yield "".join([name[at + first : at + end] for first, end in self.literals])


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
    characters = [(match[1], match[0] != ".") for match in _CHARACTER.finditer(found[2])]
    literal = "".join(character for character, is_literal in characters if is_literal)
    ranges: list[tuple[int, int]] = []
    for at, (_, is_literal) in enumerate(characters):
        if is_literal and ranges and ranges[-1][1] == at:
            ranges[-1] = ranges[-1][0], at + 1
        elif is_literal:
            ranges.append((at, at + 1))
    return Form(bool(found[1]), bool(found[3]), len(characters), tuple(ranges)), literal


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
        self._forms = {form: known for form, known in forms.items() if len(known) >= _MANY}
        self.places = frozenset(_all(self._forms.values()))

    def found(self, name: str) -> Iterator[int]:
        """Yield the places of the patterns that are found in a name, in no order."""
        for form, known in self._forms.items():
            for key in form.keys(name):
                yield from known.get(key, ())


def _all(forms: Iterable[Mapping[str, list[int]]]) -> Iterator[int]:
    return (place for known in forms for places in known.values() for place in places)
