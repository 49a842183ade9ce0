"""A GPU's decoder of lanes, as a model: one warp of 32 threads decodes one stream.

Every array of 32 numbers is a register, with one number per thread. Threads tell each other only
what `ballot` and a count of bits can tell, in words that all threads then have. Thread l decodes
lane l of each of the four lane groups. Tables are in shared memory: 256 bytes for Huffman's, 768
for tANS's. What a warp reads at once are words that follow each other, and so is what it writes.
"""

from __future__ import annotations

import numpy as np

from reference.conventions import Reader, require

THREADS, GROUPS, TURN = 32, 4, 256
LANE = np.arange(THREADS, dtype=np.uint32)
LANES_BELOW = (np.uint32(1) << LANE) - np.uint32(1)


def ballot(predicate: np.ndarray) -> np.uint32:
    """One bit of every thread, in a word that all threads get."""
    return np.uint32(sum(1 << lane for lane in range(THREADS) if predicate[lane]))


def popcount(word: np.ndarray) -> np.ndarray:
    """The number of bits of a register that are set."""
    return np.bitwise_count(word).astype(np.uint32)


class Head:
    """The fields before the words (section 7.5), and the tables that they make."""

    def __init__(self, reader: Reader, width: int, is_tans: bool) -> None:
        first = reader.u8("first byte")
        self.low_bits, self.has_escape = first & 7, first >> 3 & 1
        self.log = (first >> 4) + 5 if is_tans else 0
        self.classes = reader.u8("classes") + 1
        counts = list(reader.take(self.classes if is_tans else 7, "counts"))
        self.values = np.frombuffer(
            reader.take(self.classes - self.has_escape, "values"), np.uint8
        ).astype(np.uint32)
        if is_tans:
            self._fill_states(counts)
        else:
            self._fill_windows(counts)

    def _fill_windows(self, counts: list[int]) -> None:
        """Of the next 7 bits: the class, and the length of its code."""
        lengths = [length for length, count in enumerate(counts, 1) for _ in range(count)]
        spans = [1 << 7 - length for length in lengths]
        self.class_of = np.repeat(np.arange(self.classes, dtype=np.uint32), spans)
        self.bits = np.repeat(np.array(lengths, np.uint32), spans)

    def _fill_states(self, counts: list[int]) -> None:
        """Of every state: the class, the bits to read, and what they are added to."""
        states = sum(counts)
        step = states // 2 + states // 8 + 3
        places = [index * step % states for index in range(states)]
        self.class_of = np.zeros(states, np.uint32)
        self.class_of[places] = np.repeat(np.arange(self.classes, dtype=np.uint32), counts)
        self.bits, self.base = np.zeros(states, np.uint32), np.zeros(states, np.uint32)
        x = list(counts)
        for state, found in enumerate(self.class_of):
            self.bits[state] = self.log - (x[found].bit_length() - 1)
            self.base[state] = (x[found] << int(self.bits[state])) - states
            x[found] += 1


class Warp:
    """The registers of 32 threads: for each lane group a buffer, its number of bits, a state."""

    def __init__(self, head: Head, words: np.ndarray) -> None:
        self.head, self.words, self.next = head, words, 0
        self.buffers = np.zeros((GROUPS, THREADS), np.uint32)  # from the top bit
        self.filled = np.zeros((GROUPS, THREADS), np.uint32)
        self.states = np.zeros((GROUPS, THREADS), np.uint32)

    def refill(self, group: int, needs: np.ndarray) -> None:
        """Threads that need a word get the next ones, in the order of lanes."""
        voted = ballot(needs)
        mine = self.next + popcount(voted & LANES_BELOW)
        total = int(popcount(voted))
        require(self.next + total <= len(self.words), "words end before their symbols")
        words = np.where(needs, self.words[np.where(needs, mine, 0)] if total else 0, 0)
        shifted = words.astype(np.uint32) << (np.uint32(16) - np.minimum(self.filled[group], 16))
        self.buffers[group] |= shifted
        self.filled[group] += np.where(needs, 16, 0).astype(np.uint32)
        self.next += total

    def read(self, group: int, count: np.ndarray) -> np.ndarray:
        """Take the next bits of every thread's buffer; shifts by 32 are split in two."""
        high = np.uint32(31) - count
        value = self.buffers[group] >> np.uint32(1) >> high
        self.buffers[group] <<= count
        self.filled[group] -= count
        return value

    def begin(self) -> None:
        """Fill all buffers; for tANS read the first states."""
        for group in range(GROUPS):
            self.refill(group, np.ones(THREADS, bool))
            if self.head.log:
                self.states[group] = self.read(group, np.full(THREADS, self.head.log, np.uint32))

    def decode(self, group: int) -> np.ndarray:
        """Decode a class for every thread."""
        head = self.head
        if head.log:
            state = self.states[group].copy()
            self.states[group] = head.base[state] + self.read(group, head.bits[state])
            return head.class_of[state]
        window = self.buffers[group] >> np.uint32(25)
        self.read(group, head.bits[window])
        return head.class_of[window]

    def finish(self) -> None:
        """Check what must be left after the last turn."""
        require(self.next == len(self.words), "words after the last symbol")
        require(not self.buffers.any(), "bits after the last symbol")
        require(not self.states.any(), "states after the last symbol")


def decode_lanes(body: bytes, count: int, width: int, is_tans: bool) -> list[int]:
    """Decode the body of a stream of coding 4 or 5."""
    reader = Reader(body, length_is_known=True)
    head = Head(reader, width, is_tans)
    words_count = reader.vu("words")
    escape_count = reader.vu("escapes") if head.has_escape else 0
    low = np.frombuffer(reader.take(8 * head.low_bits * -(-count // 64), "low bits"), "<u8")
    words = np.frombuffer(reader.take(2 * words_count, "words"), "<u2").astype(np.uint32)
    escapes = np.frombuffer(reader.take(escape_count, "escapes"), np.uint8)
    out = np.zeros(-(-count // TURN) * TURN, np.uint32)
    used = 0
    warp = Warp(head, words)
    if count:
        warp.begin()
    for block in range(len(out) // 64):
        group = block % GROUPS
        warp.refill(group, warp.filled[group] < 16)
        pair = [warp.decode(group), warp.decode(group)]
        used += _write(head, pair, block, low, escapes[used:], out[64 * block :][:64])
    warp.finish()
    require(used == escape_count, "escapes after the last symbol")
    require((out[count:] == head.values[0] << head.low_bits).all() or count == 0, "padding")
    return out[:count].tolist()


def _write(
    head: Head,
    pair: list[np.ndarray],
    block: int,
    low: np.ndarray,
    escapes: np.ndarray,
    out: np.ndarray,
) -> int:
    """Write two symbols of every thread; returns how many of them were escapes."""
    escaped = [classes == len(head.values) for classes in pair]
    votes = [ballot(each) for each in escaped]
    before = popcount(votes[0] & LANES_BELOW) + popcount(votes[1] & LANES_BELOW)
    for second, classes in enumerate(pair):
        value = head.values[np.minimum(classes, len(head.values) - 1)] << np.uint32(head.low_bits)
        for bit in range(head.low_bits):
            at = head.low_bits * block + bit
            word = int(low[at]) if at < len(low) else 0
            value |= (
                np.array([word >> 2 * lane + second & 1 for lane in range(THREADS)], np.uint32)
                << bit
            )
        mine = before + np.where(second, escaped[0], 0)
        if escaped[second].any():
            require(int(mine[escaped[second]].max()) < len(escapes), "escapes end")
            value = np.where(escaped[second], escapes[np.where(escaped[second], mine, 0)], value)
        out[second::2] = value
    return int(popcount(votes[0]) + popcount(votes[1]))
