"""What the bytes of a frame are for, in four words that a reader knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .._frame.inspection import Section

#: In the order in which they are shown.
PURPOSES = ("values", "positions", "parameters", "names, heads, checksums")

_POSITIONS = {"gaps", "mask", "row counts"}
_PARAMETERS = {"codebook", "scales", "zero points"}


def purpose_of(section: Section) -> str:
    """Return what a section is for.

    Examples
    --------
    >>> purpose_of(Section("gaps", "huffman", 9)), purpose_of(Section("head", "", 17))
    ('positions', 'names, heads, checksums')
    """
    if section.name in _POSITIONS:
        return "positions"
    if section.name in _PARAMETERS:
        return "parameters"
    return "values" if section.coding else "names, heads, checksums"


def by_purpose(sections: Iterable[Section]) -> dict[str, int]:
    """Return the bytes of sections by purpose, without purposes that have none."""
    found: Counter[str] = Counter()
    for section in sections:
        found[purpose_of(section)] += section.bytes
    return {purpose: found[purpose] for purpose in PURPOSES if found[purpose]}
