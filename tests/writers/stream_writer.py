"""Integer streams, written straight from section 7 of docs/format.md.

Independent of the library's encoders: every coding can be asked for wherever the
format allows it, also where no encoder would choose it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from tests.writers.lanes_stream_writer import lanes_body, plain_code
from tests.writers.split_stream_writer import (
    Classes,
    Nested,
    Ranges,
    leb128,
    some_classes,
    some_neighbours,
    split_parts,
)

_SPLIT = 256
_LONGEST = 12

CODING_IDS = {
    "constant": 0,
    "bitpacked": 1,
    "huffman": 2,
    "tree": 3,
    "exponent": 3,
    "lanes_huffman": 4,
    "lanes_tans": 5,
    "lanes_tans_escape": 5,
    "split_classes": 6,
    "split_neighbours": 6,
    "contexts_classes": 7,
    "contexts_neighbours": 7,
}


vu = leb128


def legal_codings(symbols: Sequence[int], width: int) -> list[str]:
    """The names in `CODING_IDS` that can hold these symbols."""
    names = ["bitpacked", "exponent"]
    if len(set(symbols)) <= 1:
        names.append("constant")
    if width <= 8:
        names += ["huffman", "tree", "lanes_huffman", "lanes_tans", "lanes_tans_escape"]
        names += ["split_classes", "split_neighbours"]
        names += ["contexts_classes", "contexts_neighbours"]
    return names


def write_stream(
    symbols: Sequence[int], width: int, coding: str, lengths: Sequence[int] | None = None
) -> bytes:
    """One stream: coding, body length, body.

    `lengths` are the Huffman code lengths, by default of a code as level as possible.
    """
    match coding:
        case "constant":
            body = vu(symbols[0] if symbols else 0)
        case "bitpacked":
            body = bitpacked_body(symbols, width)
        case "huffman":
            body = huffman_body(symbols, lengths or level_lengths(symbols))
        case "tree":
            body = bytes([0]) + adaptive_body(symbols, width, _encode_tree)
        case "exponent":
            body = bytes([1]) + adaptive_body(symbols, width, _encode_exponent)
        case "lanes_huffman":
            body = lanes_body(symbols, plain_code(symbols, width, is_tans=False))
        case "lanes_tans":
            body = lanes_body(symbols, plain_code(symbols, width, is_tans=True))
        case "lanes_tans_escape":
            body = lanes_body(symbols, plain_code(symbols, width, is_tans=True, escape=True))
        case _:
            body = routed_body(symbols, width, coding)
    return stream_of(CODING_IDS[coding], body)


def routed_body(symbols: Sequence[int], width: int, coding: str) -> bytes:
    """A body of a coding with a router."""
    match coding:
        case "split_classes":
            classes = some_classes(len(symbols))
            return b"".join(split_parts(symbols, width, classes, write_nested))
        case "split_neighbours":
            neighbours = some_neighbours(width)
            return b"".join(split_parts(symbols, width, neighbours, write_nested))
        case "contexts_classes":
            classes = some_classes(len(symbols))
            return contexts_body(symbols, width, classes, write_nested, prior=3, memory=10)
        case "contexts_neighbours":
            ranges = Ranges(3, 2, [(1 << width) // 2])
            return contexts_body(symbols, width, ranges, write_nested, prior=255, memory=4)
    raise ValueError(coding)


def write_nested(symbols: Sequence[int], width: int) -> bytes:
    """A stream in one of the simple codings, another one for each length."""
    names = ["bitpacked", "exponent"]
    if len(set(symbols)) > 1:
        names += ["huffman"]
    return write_stream(symbols, width, names[len(symbols) % len(names)])


def stream_of(coding: int, body: bytes) -> bytes:
    """A body, whatever it is, behind the head of a stream."""
    return bytes([coding]) + vu(len(body)) + body


def bitpacked_body(symbols: Sequence[int], width: int) -> bytes:
    """7.2."""
    bits = sum(symbol << index * width for index, symbol in enumerate(symbols))
    return bits.to_bytes(-(-len(symbols) * width // 8), "little")


# ---- Huffman ----


def level_lengths(symbols: Sequence[int]) -> list[int]:
    """A complete code in which the lengths of the symbols that occur differ by one at most."""
    present = _at_least_two(symbols)
    return _spread(present, _level(len(present)))


def deep_lengths(symbols: Sequence[int]) -> list[int]:
    """A complete code that is as far from level as 12 bits allow: 1, 2, 3 and so on."""
    present = _at_least_two(symbols)
    lengths: list[int] = []
    depth, left = 0, len(present)
    while left > 1 and left - 1 <= 1 << (_LONGEST - depth - 1):
        depth, left = depth + 1, left - 1
        lengths.append(depth)
    return _spread(present, lengths + [depth + length for length in _level(left)])


def _at_least_two(symbols: Sequence[int]) -> list[int]:
    return sorted(set(symbols) | {0, 1})


def _level(count: int) -> list[int]:
    longest = (count - 1).bit_length()
    short = (1 << longest) - count  # so many leaves stay one level higher
    return [longest - (rank < short) for rank in range(count)]


def _spread(present: Sequence[int], lengths: Sequence[int]) -> list[int]:
    spread = [0] * (present[-1] + 1)
    for symbol, length in zip(present, lengths, strict=True):
        spread[symbol] = length
    return spread


def length_nibbles(lengths: Sequence[int], runs: bool = True) -> list[int]:
    """The code lengths as nibbles, with runs or literally."""
    nibbles: list[int] = []
    at = 0
    while at < len(lengths):
        end = at
        while end < len(lengths) and lengths[end] == lengths[at] and end - at < 18:
            end += 1
        repeats = at > 0 and lengths[at - 1] == lengths[at]
        if runs and end - at >= 3 and (lengths[at] == 0 or repeats):
            nibbles += [14 if repeats else 13, end - at - 3]
            at = end
        else:
            nibbles.append(lengths[at])
            at += 1
    return nibbles


def pack_nibbles(nibbles: Sequence[int]) -> bytes:
    """Low nibble first."""
    filled = [*nibbles, 0] if len(nibbles) % 2 else list(nibbles)
    return bytes(low | high << 4 for low, high in zip(filled[::2], filled[1::2], strict=True))


def canonical_code(lengths: Sequence[int]) -> dict[int, str]:
    """The code of each present symbol as a text of 0 and 1."""
    codes: dict[int, str] = {}
    code = 0
    for length in range(1, _LONGEST + 1):
        for symbol, its_length in enumerate(lengths):
            if its_length == length:
                codes[symbol] = format(code, f"0{length}b")
                code += 1
        code <<= 1
    return codes


def huffman_body(symbols: Sequence[int], lengths: Sequence[int], runs: bool = True) -> bytes:
    """7.3."""
    codes = canonical_code(lengths)
    count = 4 if len(symbols) >= _SPLIT else 1
    parts = [_bits("".join(codes[symbol] for symbol in symbols[i::count])) for i in range(count)]
    table = bytes([len(lengths) - 1]) + pack_nibbles(length_nibbles(lengths, runs))
    return table + b"".join(vu(len(part)) for part in parts[:-1]) + b"".join(parts)


def _bits(text: str) -> bytes:
    size = -(-len(text) // 8)
    return int(text.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")


# ---- adaptive ----


class RangeEncoder:
    """The coder of 7.4, its low end one unbounded integer: so there is no carry to handle."""

    def __init__(self) -> None:
        self.low = 0
        self.range = (1 << 32) - 1
        self.size = 4
        self.contexts: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (32768, 0))

    def encode(self, context: tuple[int, int], bit: int) -> None:
        p, count = self.contexts[context]
        rate = (1 << 17) // (2 * count + 3)
        self.encode_with(p, bit)
        p += -(p * rate >> 16) if bit else (65536 - p) * rate >> 16
        self.contexts[context] = p, min(count + 1, 254)

    def encode_with(self, p: int, bit: int) -> None:
        """A bit that is 0 with this probability."""
        bound = (self.range >> 16) * p
        if bit:
            self.low += bound
            self.range -= bound
        else:
            self.range = bound
        self._normalise()

    def encode_raw(self, bit: int) -> None:
        self.range >>= 1
        self.low += self.range * bit
        self._normalise()

    def finish(self) -> bytes:
        """The shortest bytes within the range that is left."""
        bits = 8 * self.size
        while (value := -(-self.low >> bits) << bits) >= self.low + self.range:
            bits -= 1
        return value.to_bytes(self.size, "big").rstrip(b"\0")

    def _normalise(self) -> None:
        while self.range < 1 << 24:
            self.range <<= 8
            self.low <<= 8
            self.size += 1


def adaptive_body(
    symbols: Sequence[int],
    width: int,
    encode_symbol: Callable[[RangeEncoder, int, int], None],
) -> bytes:
    """7.4, what follows the model."""
    encoder = RangeEncoder()
    for symbol in symbols:
        encode_symbol(encoder, symbol, width)
    return encoder.finish()


def _encode_tree(encoder: RangeEncoder, symbol: int, width: int) -> None:
    node = 1
    for place in reversed(range(width)):
        bit = symbol >> place & 1
        encoder.encode((0, node), bit)
        node = 2 * node + bit


def _encode_exponent(encoder: RangeEncoder, symbol: int, width: int) -> None:
    value = symbol + 1
    exponent = value.bit_length() - 1
    for place in range(exponent):
        encoder.encode((-1, place), 1)
    if exponent == width:
        return
    encoder.encode((-1, exponent), 0)
    for place in range(exponent):
        bit = value >> exponent - 1 - place & 1
        if place < 2:
            encoder.encode((exponent, value >> exponent - place), bit)
        else:
            encoder.encode_raw(bit)


# ---- contexts ----


class FineContexts:
    """Those of 7.7: by table (-1 is the common one) and node, p and count."""

    def __init__(self, prior: int, memory: int) -> None:
        self.prior, self.maximum = prior, (1 << memory) - 2
        self.contexts: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (1 << 21, 0))

    def blend(self, table: int, node: int) -> int:
        """The probability of a 0."""
        common, _ = self.contexts[-1, node]
        own, count = self.contexts[table, node]
        weight = (count << 16) // (count + self.prior)
        return max(1, (common * (65536 - weight) + own * weight) >> 22)

    def learn(self, table: int, node: int, bit: int) -> None:
        """One of the two contexts."""
        p, count = self.contexts[table, node]
        rate = (1 << 17) // (2 * count + 3)
        p += -(p * rate >> 16) if bit else ((1 << 22) - p) * rate >> 16
        self.contexts[table, node] = p, min(count + 1, self.maximum)


def contexts_body(
    symbols: Sequence[int],
    width: int,
    router: Classes | Ranges,
    nested: Nested,
    prior: int = 16,
    memory: int = 8,
) -> bytes:
    """7.7."""
    encoder, contexts = RangeEncoder(), FineContexts(prior, memory)
    for at, symbol in enumerate(symbols):
        table, node = router.route(symbols, at), 1
        for place in reversed(range(width)):
            bit = symbol >> place & 1
            encoder.encode_with(contexts.blend(table, node), bit)
            contexts.learn(-1, node, bit)
            contexts.learn(table, node, bit)
            node = 2 * node + bit
    head = b"".join(router.head(width, nested)) + bytes([prior, memory])
    return head + encoder.finish()
