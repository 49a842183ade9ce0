"""Section 7.5: Huffman and tANS on 128 lanes.

All lanes read from one sequence of 16-bit words. A lane appends the next word to its buffer when
its turn comes and fewer than 16 bits are left, so the order of the words follows from the symbols
alone, and no lane needs to know where its bits are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .conventions import Reader, Unsupported, require

LANES = 128
GROUP = 32
TURN = 256


@dataclass
class Head:
    """The first fields of a body, which describe the code."""

    low_bits: int
    has_escape: bool
    states: int  # tANS; Huffman: 0
    counts: list[int]  # Huffman: codes of each length; tANS: states of each class
    values: list[int]

    @property
    def classes(self) -> int:
        """The number of classes, the escape included."""
        return len(self.values) + self.has_escape


def check_first_byte(body: bytes, is_tans: bool) -> None:
    """Check the first byte of a body."""
    require(body, "a lanes stream has no first byte")
    states = body[0] >> 4
    if body[0] & 7 > 4 or states > (3 if is_tans else 0):
        raise Unsupported(f"lanes: first byte {body[0]} is reserved")


def _head(reader: Reader, width: int, is_tans: bool) -> Head:
    first = reader.u8("first byte")
    low_bits, has_escape = first & 7, bool(first & 8)
    states = 32 << (first >> 4) if is_tans else 0
    require(low_bits < width, "more low bits than symbols have")
    require(not (low_bits and has_escape), "low bits and an escape")
    classes = reader.u8("classes") + 1
    require(classes <= 32, "too many classes")
    require(classes > has_escape, "no class but the escape")
    counts = list(reader.take(classes if is_tans else 7, "counts"))
    if is_tans:
        require(min(counts) > 0, "a class without a state")
        require(sum(counts) == states, "the counts are not the states")
    else:
        require(sum(counts) == classes, "the lengths are not those of the classes")
        kraft = sum(count << (7 - length) for length, count in enumerate(counts, 1))
        require(kraft == 1 << 7, "the code is not complete")
    values = list(reader.take(classes - has_escape, "values"))
    require(all(value < 1 << (width - low_bits) for value in values), "a value is too large")
    return Head(low_bits, has_escape, states, counts, values)


class Lane:
    """A buffer of bits, and the state of tANS."""

    def __init__(self) -> None:
        self.bits: list[int] = []
        self.state = 0

    def append(self, word: int) -> None:
        """Append a word, most significant bit first."""
        self.bits += [word >> place & 1 for place in range(15, -1, -1)]

    def read(self, count: int) -> int:
        """Take the next bits; the first one is the most significant."""
        value = 0
        for _ in range(count):
            value = 2 * value + self.bits.pop(0)
        return value


class HuffmanCode:
    """Coding 4: classes have canonical Huffman codes."""

    def __init__(self, head: Head) -> None:
        self.class_of: dict[tuple[int, int], int] = {}
        code = previous = 0
        lengths = [length for length, n in enumerate(head.counts, 1) for _ in range(n)]
        for index, length in enumerate(lengths):
            code = (code + (index > 0)) << (length - previous)
            self.class_of[length, code] = index
            previous = length

    def begin(self, lane: Lane) -> None:
        """A lane has no state but its bits."""

    def decode(self, lane: Lane) -> int:
        """Decode the next class."""
        length = code = 0
        while (length, code) not in self.class_of:
            code = 2 * code + lane.read(1)
            length += 1
        return self.class_of[length, code]


class TansCode:
    """Coding 5: each state stands for a class and says which states may follow."""

    def __init__(self, head: Head) -> None:
        states = head.states
        self.log = states.bit_length() - 1
        self.class_of = [0] * states
        place = 0
        for index, count in enumerate(head.counts):
            for _ in range(count):
                self.class_of[place] = index
                place = (place + states // 2 + states // 8 + 3) % states
        x = list(head.counts)
        self.bits, self.base = [], []
        for index in self.class_of:
            bits = self.log - (x[index].bit_length() - 1)
            self.bits.append(bits)
            self.base.append((x[index] << bits) - states)
            x[index] += 1

    def begin(self, lane: Lane) -> None:
        """A lane begins with its state."""
        lane.state = lane.read(self.log)

    def decode(self, lane: Lane) -> int:
        """Take the class of the state, then read the next state."""
        state = lane.state
        lane.state = self.base[state] + lane.read(self.bits[state])
        return self.class_of[state]


def _classes(words: list[int], count: int, code: HuffmanCode | TansCode) -> list[int]:
    """Decode the classes of all turns, padding included."""
    stream = iter(words)
    lanes = [Lane() for _ in range(LANES if count else 0)]
    for lane in lanes:
        _refill(lane, stream)
        code.begin(lane)
    classes: list[int] = []
    for _ in range(-(-count // TURN)):
        for first in range(0, LANES, GROUP):
            group = lanes[first : first + GROUP]
            for lane in group:
                if len(lane.bits) < 16:
                    _refill(lane, stream)
            for lane in group:
                classes += [code.decode(lane), code.decode(lane)]
    require(next(stream, None) is None, "words after the last symbol")
    require(not any(any(lane.bits) for lane in lanes), "bits after the last symbol")
    require(not any(lane.state for lane in lanes), "states after the last symbol")
    return classes


def _refill(lane: Lane, words: Iterator[int]) -> None:
    word = next(words, -1)
    require(word >= 0, "words end before their symbols")
    lane.append(word)


def _low_bits(planes: bytes, low_bits: int, index: int) -> int:
    block = planes[8 * low_bits * (index // 64) :]
    value = 0
    for bit in range(low_bits):
        plane = int.from_bytes(block[8 * bit : 8 * bit + 8], "little")
        value |= (plane >> index % 64 & 1) << bit
    return value


def _decode(body: bytes, count: int, width: int, is_tans: bool) -> list[int]:
    check_first_byte(body, is_tans)
    reader = Reader(body, length_is_known=True)
    head = _head(reader, width, is_tans)
    word_count = reader.vu("words")
    escapes = reader.vu("escapes") if head.has_escape else 0
    blocks = -(-count // 64)
    planes = reader.take(8 * head.low_bits * blocks, "low bits")
    data = reader.take(2 * word_count, "words")
    words = [int.from_bytes(data[i : i + 2], "little") for i in range(0, len(data), 2)]
    literals = reader.take(escapes, "literals")
    require(reader.left == 0, "a lanes stream is longer than its parts")
    for index in range(count, 64 * blocks):
        require(_low_bits(planes, head.low_bits, index) == 0, "low bits after the last symbol")
    classes = _classes(words, count, TansCode(head) if is_tans else HuffmanCode(head))
    padding = {index for index, value in enumerate(head.values) if value == head.values[0]}
    require(padding.issuperset(classes[count:]), "padding is not the value of class 0")
    return _symbols(classes[:count], head, planes, literals, width)


def _symbols(
    classes: list[int], head: Head, planes: bytes, literals: bytes, width: int
) -> list[int]:
    escapes = iter(literals)
    symbols = []
    for index, found in enumerate(classes):
        if found == len(head.values):
            literal = next(escapes, -1)
            require(literal >= 0, "too few literals")
            require(literal < 1 << width, "a literal is too large")
            symbols.append(literal)
        else:
            low = _low_bits(planes, head.low_bits, index)
            symbols.append(head.values[found] << head.low_bits | low)
    require(next(escapes, None) is None, "literals after the last symbol")
    return symbols


def lanes_huffman(body: bytes, count: int, width: int) -> list[int]:
    """Coding 4."""
    return _decode(body, count, width, is_tans=False)


def lanes_tans(body: bytes, count: int, width: int) -> list[int]:
    """Coding 5. With one class, the first states are the only bits that are read.

    >>> head = bytes([0, 0, 32, 9])  # 32 states, one class with all of them, its value
    >>> lanes_tans(head + bytes([128, 2]) + bytes(512), 3, 4)
    [9, 9, 9]
    """
    return _decode(body, count, width, is_tans=True)
