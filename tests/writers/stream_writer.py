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
    "contexts_classes": 3,
    "contexts_neighbours": 3,
    "split": 6,
}


vu = leb128


def legal_codings(symbols: Sequence[int], width: int) -> list[str]:
    """The names in `CODING_IDS` that can hold these symbols."""
    names = ["bitpacked", "exponent"]
    if len(set(symbols)) <= 1:
        names.append("constant")
    if width <= 8:
        names += ["huffman", "tree", "lanes_huffman", "lanes_tans", "lanes_tans_escape"]
        names += ["contexts_classes", "contexts_neighbours", "split"]
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
            body = bytes([0]) + plain_body(symbols, width, _encode_tree)
        case "exponent":
            body = bytes([1]) + plain_body(symbols, width, _encode_exponent)
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
    """The body of a routed stream."""
    classes = some_classes(len(symbols))
    match coding:
        case "split":
            return b"".join(split_parts(symbols, width, classes, write_nested))
        case "contexts_classes":
            return contexts_body(symbols, width, classes, write_nested, prior=3, memory=10)
        case "contexts_neighbours":
            ranges = Ranges(
                3, 2, [(1 << width) // 2], which=("both", "left", "up")[len(symbols) % 3]
            )
            return contexts_body(symbols, width, ranges, write_nested, prior=255, memory=4)
    raise ValueError(coding)


def is_routed(stream: bytes) -> bool:
    """Whether a stream is in split, or in contexts with a router."""
    body = next(at for at in range(1, len(stream)) if stream[at] < 0x80) + 1
    return stream[0] == 6 or (stream[0] == 3 and stream[body : body + 1] in (b"\2", b"\3"))


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


# ---- contexts ----


class RangeEncoder:
    """The coder of 7.4, its low end one unbounded integer: so there is no carry to handle.

    Contexts have a key, their table and their node, and are p and count.
    """

    def __init__(self, prior: int = 1, memory: int = 8) -> None:
        self.low = 0
        self.range = (1 << 32) - 1
        self.size = 4
        self.prior, self.max_count = prior, (1 << memory) - 2
        self.contexts: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (1 << 21, 0))

    def encode(self, bit: int, shared: tuple[int, int], own: tuple[int, int] | None = None) -> None:
        """A bit by its contexts, which learn it."""
        p, weight = self.contexts[shared][0] << 16, 0
        if own:
            other, count = self.contexts[own]
            weight = (count << 16) // (count + self.prior)
            p += (other - self.contexts[shared][0]) * weight
            self._learn(own, bit)
        self._learn(shared, bit)
        bound = (self.range >> 16) * max(1, p >> 22)
        self.low += bound * bit
        self.range = self.range - bound if bit else bound
        self._normalise()

    def encode_raw(self, bit: int) -> None:
        """A direct bit."""
        self.range >>= 1
        self.low += self.range * bit
        self._normalise()

    def finish(self) -> bytes:
        """The shortest bytes within the range that is left, of which eight may be missing."""
        bits = 8 * self.size
        while (value := -(-self.low >> bits) << bits) >= self.low + self.range:
            bits -= 1
        data = value.to_bytes(self.size, "big")
        return data[: max(len(data.rstrip(b"\0")), len(data) - 8)]

    def _learn(self, context: tuple[int, int], bit: int) -> None:
        p, count = self.contexts[context]
        rate = (1 << 17) // (2 * count + 3)
        p += -(p * rate >> 16) if bit else ((1 << 22) - p) * rate >> 16
        self.contexts[context] = p, min(count + 1, self.max_count)

    def _normalise(self) -> None:
        while self.range < 1 << 24:
            self.range <<= 8
            self.low <<= 8
            self.size += 1


def plain_body(
    symbols: Sequence[int],
    width: int,
    encode_symbol: Callable[[RangeEncoder, int, int], None],
) -> bytes:
    """7.4 without a router, what follows the model."""
    encoder = RangeEncoder()
    for symbol in symbols:
        encode_symbol(encoder, symbol, width)
    return encoder.finish()


def _encode_tree(encoder: RangeEncoder, symbol: int, width: int, table: int | None = None) -> None:
    node = 1
    for place in reversed(range(width)):
        bit = symbol >> place & 1
        encoder.encode(bit, (0, node), None if table is None else (1 + table, node))
        node = 2 * node + bit


def _encode_exponent(encoder: RangeEncoder, symbol: int, width: int) -> None:
    value = symbol + 1
    exponent = value.bit_length() - 1
    for place in range(exponent):
        encoder.encode(1, (-1, place))
    if exponent == width:
        return
    encoder.encode(0, (-1, exponent))
    for place in range(exponent):
        bit = value >> exponent - 1 - place & 1
        if place < 2:
            encoder.encode(bit, (exponent, value >> exponent - place))
        else:
            encoder.encode_raw(bit)


def contexts_body(
    symbols: Sequence[int],
    width: int,
    router: Classes | Ranges,
    nested: Nested,
    prior: int = 16,
    memory: int = 8,
) -> bytes:
    """7.4 with a router."""
    encoder = RangeEncoder(prior, memory)
    for at, symbol in enumerate(symbols):
        _encode_tree(encoder, symbol, width, router.route(symbols, at))
    model = bytes([2 if isinstance(router, Classes) else 3])
    head = b"".join(router.head(width, nested)) + bytes([prior, memory])
    return model + head + encoder.finish()
