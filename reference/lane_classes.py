"""Section 7.5: a lane, and the two ways in which it decodes a class."""

from __future__ import annotations

from typing import Protocol

from .conventions import Reader, require

WORD_BITS = 16
LONGEST_CODE = 7


class Lane:
    """A buffer of bits, which is read from its most significant bit; and the state of coding 5."""

    def __init__(self) -> None:
        self.buffer = 0
        self.size = 0
        self.state = 0

    def append(self, word: int) -> None:
        """Append a word after the bits that are left."""
        self.buffer = (self.buffer << WORD_BITS) | word
        self.size += WORD_BITS

    def read(self, count: int) -> int:
        """The next bits as a number, whose most significant bit is the first one."""
        self.size -= count
        value = self.buffer >> self.size
        self.buffer &= (1 << self.size) - 1
        return value


class Classes(Protocol):
    """How a lane decodes a class."""

    log2_states: int

    def decode(self, lane: Lane) -> int:
        """The next class of a lane."""


class HuffmanClasses:
    """Coding 4: canonical Huffman codes, given by the number of codes of each length."""

    log2_states = 0

    def __init__(self, reader: Reader, classes: int) -> None:
        numbers = [reader.u8("number of codes") for _ in range(LONGEST_CODE)]
        require(sum(numbers) == classes, "the numbers of codes do not add up to the classes")
        # As the code is complete, the canonical codes fill the table of all 7-bit strings in their
        # order.
        self.table: list[tuple[int, int]] = []
        next_class = 0
        for length, number in enumerate(numbers, 1):
            for _ in range(number):
                self.table += [(next_class, length)] * (1 << (LONGEST_CODE - length))
                next_class += 1
        require(len(self.table) == 1 << LONGEST_CODE, "the code lengths are no complete code")

    def decode(self, lane: Lane) -> int:
        """The next class of a lane."""
        # The buffer has at least 16 bits at the beginning of a turn, and a turn takes at most 14.
        window = lane.buffer >> (lane.size - LONGEST_CODE)
        which, length = self.table[window]
        lane.read(length)
        return which


class TansClasses:
    """Coding 5: a state names a class, and the bits that are read name the next state."""

    def __init__(self, reader: Reader, classes: int, log2_states: int) -> None:
        self.log2_states = log2_states
        states = 1 << log2_states
        x = [reader.u8("states of a class") for _ in range(classes)]
        require(min(x) >= 1 and sum(x) == states, "the states of the classes do not add up")
        self.class_of = [0] * states
        p = 0
        for which, number in enumerate(x):
            for _ in range(number):
                self.class_of[p] = which
                p = (p + states // 2 + states // 8 + 3) % states
        self.bits: list[int] = []
        self.baseline: list[int] = []
        for which in self.class_of:
            bits = log2_states - (x[which].bit_length() - 1)
            self.bits.append(bits)
            self.baseline.append((x[which] << bits) - states)
            x[which] += 1

    def decode(self, lane: Lane) -> int:
        """The next class of a lane, which changes its state."""
        state = lane.state
        lane.state = self.baseline[state] + lane.read(self.bits[state])
        return self.class_of[state]
