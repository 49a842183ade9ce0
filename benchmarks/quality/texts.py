"""Public text that every Python has: the docstrings of its standard library."""

from __future__ import annotations

import functools
import re
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

_SHORTEST, _LONGEST = 5, 40  # words of a sentence


def standard_library() -> Path:
    """The folder of the standard library."""
    return Path(sysconfig.get_paths()["stdlib"])


def docstrings(folder: Path) -> Iterator[str]:
    """Every text in three quotes of the modules at the top of a folder, in order."""
    for path in sorted(folder.glob("*.py")):
        yield from re.findall(r'"""(.*?)"""', path.read_text("utf-8"), re.DOTALL)


def sentences_of(texts: Iterable[str]) -> list[str]:
    """The sentences of 5 to 40 words, each once: from a capital letter to a full stop."""
    found: dict[str, None] = {}
    for text in texts:
        for paragraph in re.split(r"\n\s*\n", text):
            for sentence in re.split(r"(?<=[.!?])\s+", " ".join(paragraph.split())):
                words = sentence.split()
                whole = re.fullmatch(r"[A-Z][\x20-\x7e]*[.!?]", sentence)
                if whole and _SHORTEST <= len(words) <= _LONGEST:
                    found[sentence] = None
    return list(found)


def spread(items: list[str], count: int) -> list[str]:
    """This many of them, at equal distances.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    if len(items) < count:
        raise ValueError(f"{len(items)} texts were found, needed are {count}")
    return [items[place * len(items) // count] for place in range(count)]


@functools.cache
def sentences(count: int) -> list[str]:
    """Sentences of the standard library's docstrings."""
    return spread(sentences_of(docstrings(standard_library())), count)
