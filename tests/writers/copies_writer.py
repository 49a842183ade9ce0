"""Positions form copies, written straight from section 6 of docs/format.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tests.writers.stream_writer import vu

DIRECTIONS, STEPS, SIGNS = 1, 2, 4

#: Symbols and width to a whole stream.
Coder = Callable[[Sequence[int], int], bytes]


@dataclass(frozen=True)
class Copy:
    """One copy; `number` is what stands for its distance, 0 for that of the copy before."""

    run: int
    length: int
    number: int
    mirrored: bool = False
    step: int = 0


@dataclass(frozen=True)
class Copies:
    """How the copies of a frame are chosen: by chance, from those that there are."""

    options: int = 0
    seed: int = 0
    #: Chance that an element begins a copy, if there is one.
    share: float = 1.0
    #: The longest copy.
    longest: int = 1 << 22


@dataclass(frozen=True)
class Chunk:
    """The copies of a chunk, which elements are stored, and the signs."""

    copies: list[Copy]
    stored: list[int]
    signs: list[int]


def choose(elements: Sequence[bytes] | Sequence[int], style: Copies) -> Chunk:
    """Copies of a chunk. `elements` are the codes, or the bytes of each element."""
    return _Chooser(elements, style).choose()


class _Chooser:
    def __init__(self, elements: Sequence[bytes] | Sequence[int], style: Copies) -> None:
        words = [e if isinstance(e, int) else int.from_bytes(e, "little") for e in elements]
        self.bits = 16 if not elements or isinstance(elements[0], int) else 8 * len(elements[0])
        self.words, self.style = words, style
        self.random = np.random.default_rng(style.seed)
        self.made = list(words)  # what the decoder has before it flips signs
        self.distance = self.axis = 0

    def choose(self) -> Chunk:
        """All copies of the chunk."""
        copies, stored, at, start = [], [], 0, 0
        while at < len(self.words):
            copy = self._copy(at) if at and self.random.random() < self.style.share else None
            if copy is None:
                stored.append(at)
                at += 1
                continue
            copies.append(replace(copy, run=at - start))
            at += copy.length
            start = at
        top = self.bits - 1
        flips = [(a ^ b) >> top for a, b in zip(self.words, self.made, strict=True)]
        signs = [
            sum(flip << bit for bit, flip in enumerate(flips[first : first + 8]))
            for first in range(0, len(flips), 8)
        ]
        return Chunk(copies, stored, signs)

    def _copy(self, at: int) -> Copy | None:
        sources = [at - self.distance] if self.distance else []
        sources += [self.axis - at] if self.axis else []
        sources += [int(i) for i in self.random.integers(0, at, 12)] + [at - 1]
        found = [self._copy_from(at, i, m) for i in sources for m in (False, True) if 0 <= i < at]
        best = max((copy for copy in found if copy), key=lambda copy: copy.length, default=None)
        if best is None:
            return None
        if self.random.random() < 0.2:  # copies may end anywhere
            best = replace(best, length=int(self.random.integers(1, best.length + 1)))
        distance, step = best.number, best.step
        for i in range(best.length):
            source = at - distance - i if best.mirrored else at - distance + i
            self.made[at + i] = (self.made[source] + step) % (1 << self.bits)
        return replace(best, number=self._number(at, distance, best.mirrored))

    def _number(self, at: int, distance: int, mirrored: bool) -> int:
        before = self.axis if mirrored else self.distance
        now = 2 * at - distance if mirrored else distance
        if mirrored:
            self.axis = now
        else:
            self.distance = now
        return 0 if now == before and self.random.random() < 0.9 else distance

    def _copy_from(self, at: int, source: int, mirrored: bool) -> Copy | None:
        """A copy, with its distance as its number."""
        options, whole = self.style.options, 1 << self.bits
        if mirrored and not options & DIRECTIONS:
            return None
        step = (self.words[at] - self.made[source]) % whole if options & STEPS else 0
        step -= whole if step >= whole // 2 else 0
        if abs(step) >= 1 << 22:
            return None
        made, length = self.made, 0
        flips = whole // 2 if options & SIGNS else 0
        fresh: list[int] = []
        while at + length < len(self.words) and length < self.style.longest:
            i = source - length if mirrored else source + length
            if i < 0:
                break
            word = ((made[i] if i < at else fresh[i - at]) + step) % whole
            if (word ^ self.words[at + length]) & ~flips:
                break
            fresh.append(word)
            length += 1
        return Copy(0, length, at - source, mirrored, step) if length else None


def symbol_of(number: int) -> tuple[int, int, int]:
    """The symbol of a number, its low bits, and how many these are."""
    if number < 64:
        return number, 0, 0
    low = number.bit_length() - 4
    return 64 + 8 * (low - 3) + (number >> low) % 8, number % (1 << low), low


def write_copies(
    copies: Sequence[Copy],
    stored: int,
    coder: Coder,
    *,
    options: int = 0,
    signs: Sequence[int] = (),
) -> bytes:
    """What a chunk has before its value streams."""
    columns: list[list[int]] = [[], [], [], []]
    low = taken = 0
    for copy in copies:
        step = 2 * copy.step if copy.step >= 0 else -2 * copy.step - 1
        for column, number in zip(
            columns, (copy.run, copy.length - 1, copy.number, step), strict=True
        ):
            symbol, bits, count = symbol_of(number)
            column.append(symbol)
            low |= bits << taken
            taken += count
    low_bytes = low.to_bytes((taken + 7) // 8, "little")
    runs, lengths, distances, steps = columns
    written = vu(stored) + bytes([options]) + vu(len(copies)) + vu(len(low_bytes))
    written += coder(runs, 8) + coder(lengths, 8) + coder(distances, 8)
    if options & DIRECTIONS:
        written += coder([int(copy.mirrored) for copy in copies], 1)
    if options & STEPS:
        written += coder(steps, 8)
    written += coder(list(low_bytes), 8)
    return written + (coder(list(signs), 8) if options & SIGNS else b"")
