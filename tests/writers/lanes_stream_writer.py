"""Codings 4 and 5, written straight from section 7.5 of docs/format.md, with any code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

LANES, GROUP, TURN = 128, 32, 256


@dataclass(frozen=True)
class LanesCode:
    """What the head of a body says.

    `counts` are the codes of each length 1 to 7, or with `states` the states of each class.
    """

    values: tuple[int, ...]
    counts: tuple[int, ...]
    low_bits: int = 0
    has_escape: bool = False
    states: int = 0

    @property
    def escape(self) -> int:
        """The class of symbols that have none."""
        return len(self.values)

    def class_of(self, symbol: int) -> int:
        value = symbol >> self.low_bits
        return self.values.index(value) if value in self.values else self.escape

    def head(self) -> bytes:
        states = self.states.bit_length() - 6 if self.states else 0
        classes = len(self.values) + self.has_escape
        first = self.low_bits | self.has_escape << 3 | states << 4
        return bytes([first, classes - 1, *self.counts, *self.values])


def plain_code(
    symbols: Sequence[int], width: int, is_tans: bool, escape: bool = False
) -> LanesCode:
    """A code that holds these symbols: level, with low bits or an escape where it must."""
    maximum = 16 if is_tans else 32
    low_bits = 0
    while low_bits < min(4, width - 1) and len({s >> low_bits for s in symbols}) > maximum:
        low_bits += 1
    values = sorted({s >> low_bits for s in symbols} | {0})
    if not is_tans and len(values) < 2:
        values.append(1)
    has_escape = len(values) > maximum or (escape and low_bits == 0 and len(values) > 2)
    if has_escape:
        low_bits = 0
        values = sorted(set(symbols) | {0})[: min(maximum - 1, max(len(set(symbols)) - 1, 1))]
    classes = len(values) + has_escape
    if is_tans:
        counts = [1] * classes
        counts[0] += 64 - classes
        return LanesCode(tuple(values), tuple(counts), low_bits, has_escape, 64)
    longest = max((classes - 1).bit_length(), 1)
    short = (1 << longest) - classes
    counts = [0] * 7
    counts[longest - 1] = classes - short
    if short:
        counts[longest - 2] = short
    return LanesCode(tuple(values), tuple(counts), low_bits, has_escape)


@cache
def huffman_codes(code: LanesCode) -> list[list[int]]:
    """The bits of every class."""
    codes: list[list[int]] = []
    value = previous = 0
    for length in [n for n, count in enumerate(code.counts, 1) for _ in range(count)]:
        value = (value + bool(codes)) << (length - previous)
        codes.append([value >> place & 1 for place in range(length - 1, -1, -1)])
        previous = length
    return codes


def huffman_lane(code: LanesCode, classes: Sequence[int]) -> tuple[list[int], list[int]]:
    """(bits, bits of each symbol) of one lane."""
    codes = huffman_codes(code)
    bits = [bit for index in classes for bit in codes[index]]
    return bits, [len(codes[index]) for index in classes]


def tans_tables(code: LanesCode) -> tuple[list[int], list[int], list[int]]:
    """(class, bits, base) of every state."""
    states = code.states
    class_of, place = [0] * states, 0
    for index, count in enumerate(code.counts):
        for _ in range(count):
            class_of[place] = index
            place = (place + states // 2 + states // 8 + 3) % states
    x, bits, base = list(code.counts), [], []
    for index in class_of:
        bits.append(states.bit_length() - x[index].bit_length())
        base.append((x[index] << bits[-1]) - states)
        x[index] += 1
    return class_of, bits, base


@cache
def tans_steps(code: LanesCode) -> dict[tuple[int, int], tuple[int, int, int]]:
    """By class and the state after it: (state before it, its bits, their number)."""
    return {
        (index, base + value): (state, value, bits)
        for state, (index, bits, base) in enumerate(zip(*tans_tables(code), strict=True))
        for value in range(1 << bits)
    }


def tans_lane(code: LanesCode, classes: Sequence[int]) -> tuple[list[int], list[int]]:
    """(bits, bits of each symbol) of one lane, which begins with its state."""
    steps = tans_steps(code)
    state, pieces = 0, []
    for index in reversed(classes):
        state, value, bits = steps[index, state]
        pieces.append((value, bits))
    pieces = [(state, code.states.bit_length() - 1), *reversed(pieces)]
    written = [value >> place & 1 for value, n in pieces for place in range(n - 1, -1, -1)]
    return written, [n for _, n in pieces[1:]]


def lanes_words(code: LanesCode, classes: Sequence[int]) -> list[int]:
    """The words, in the order in which the decoder takes them."""
    if not classes:
        return []
    write = tans_lane if code.states else huffman_lane
    lanes = []
    for lane in range(LANES):
        own = [classes[at + k] for at in range(2 * lane, len(classes), TURN) for k in (0, 1)]
        lanes.append(write(code, own))
    taken = [0] * LANES  # words
    used = [code.states.bit_length() - 1 if code.states else 0] * LANES  # bits
    words: list[int] = []

    def take(lane: int) -> None:
        bits = lanes[lane][0][16 * taken[lane] : 16 * taken[lane] + 16]
        words.append(int("".join(map(str, bits)).ljust(16, "0"), 2))
        taken[lane] += 1

    for lane in range(LANES):
        take(lane)
    for turn in range(len(classes) // TURN):
        for lane in range(LANES):
            if 16 * taken[lane] - used[lane] < 16:
                take(lane)
            used[lane] += sum(lanes[lane][1][2 * turn : 2 * turn + 2])
    return words


def lanes_parts(symbols: Sequence[int], code: LanesCode) -> tuple[bytes, list[int], bytes]:
    """(low bits, words, literals)."""
    classes = [code.class_of(symbol) for symbol in symbols]
    padding = -len(classes) % TURN
    low = b""
    for block in range(0, len(symbols), 64):
        for bit in range(code.low_bits):
            part = symbols[block : block + 64]
            low += sum((s >> bit & 1) << i for i, s in enumerate(part)).to_bytes(8, "little")
    literals = bytes(s for s, index in zip(symbols, classes, strict=True) if index == code.escape)
    return low, lanes_words(code, classes + [0] * padding), literals


def lanes_body(symbols: Sequence[int], code: LanesCode) -> bytes:
    """7.5."""
    low, words, literals = lanes_parts(symbols, code)
    return assemble(code, low, words, literals)


def assemble(code: LanesCode, low: bytes, words: Sequence[int], literals: bytes) -> bytes:
    """A body of its parts, whatever they are."""
    body = code.head() + _vu(len(words))
    if code.has_escape:
        body += _vu(len(literals))
    return body + low + b"".join(word.to_bytes(2, "little") for word in words) + literals


def _vu(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
