"""Section 7.4: adaptive binary range coding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from .conventions import Unsupported, require

_WORD = (1 << 32) - 1


class Context:
    """The probability of one binary decision, which adapts."""

    def __init__(self) -> None:
        self.p = 32768  # probability of a 0, in units of 2^-16
        self.count = 0

    def learn(self, bit: int) -> None:
        """Move p towards the bit; the more bits were seen, the smaller the step."""
        rate = (1 << 17) // (2 * self.count + 3)
        if bit:
            self.p -= self.p * rate >> 16
        else:
            self.p += (65536 - self.p) * rate >> 16
        self.count = min(self.count + 1, 254)


class RangeDecoder:
    """Decodes bits from bytes, given the probability of each bit."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.bytes_read = 0
        self.range = _WORD
        self.code = 0
        for _ in range(4):
            self._shift_in()

    def decode(self, context: Context) -> int:
        """Decode a bit with a context, and let the context learn it."""
        bit = self.decode_with(context.p)
        context.learn(bit)
        return bit

    def decode_with(self, p: int) -> int:
        """Decode a bit that is 0 with probability p, in units of 2^-16."""
        bit = self._split((self.range >> 16) * p)
        self._normalise()
        return bit

    def decode_direct(self) -> int:
        """Decode a direct bit: 0 and 1 are equally likely."""
        self.range >>= 1
        bit = int(self.code >= self.range)
        if bit:
            self.code -= self.range
        self._normalise()
        return bit

    def finish(self) -> None:
        """Check after the last symbol that the body is no longer than it has to be."""
        require(self.bytes_read >= len(self.body), "a body is longer than its symbols")
        require(not self.body or self.body[-1], "a body ends with a 0 byte")

    def _split(self, bound: int) -> int:
        if self.code < bound:
            self.range = bound
            return 0
        self.code -= bound
        self.range -= bound
        return 1

    def _normalise(self) -> None:
        while self.range < 1 << 24:
            self.range <<= 8
            self._shift_in()

    def _shift_in(self) -> None:
        byte = self.body[self.bytes_read] if self.bytes_read < len(self.body) else 0
        self.code = (self.code << 8 | byte) & _WORD
        self.bytes_read += 1


Contexts = defaultdict[tuple[int, int], Context]


def _tree(decoder: RangeDecoder, contexts: Contexts, width: int) -> int:
    node = 1
    for _ in range(width):
        node = 2 * node + decoder.decode(contexts[0, node])
    return node - (1 << width)


_UNARY = -1  # key of the contexts for the exponent itself


def _exponent(decoder: RangeDecoder, contexts: Contexts, width: int) -> int:
    exponent = 0
    while exponent < width and decoder.decode(contexts[_UNARY, exponent]):
        exponent += 1
    if exponent == width:
        return (1 << width) - 1
    value = 1
    for place in range(exponent):
        # The first two bits under the leading one have contexts: value is 1, then 2 or 3.
        bit = decoder.decode(contexts[exponent, value]) if place < 2 else decoder.decode_direct()
        value = 2 * value + bit
    return value - 1


Model = Callable[[RangeDecoder, Contexts, int], int]
_MODELS: dict[int, Model] = {0: _tree, 1: _exponent}


def check_model(body: bytes, width: int) -> None:
    """Check the model byte."""
    require(body, "an adaptive stream has no model")
    if body[0] not in _MODELS:
        raise Unsupported(f"adaptive model {body[0]} is reserved")
    require(body[0] != 0 or width <= 8, "model tree holds at most 8 bits")


def adaptive(body: bytes, count: int, width: int) -> list[int]:
    """The symbols of a stream.

    >>> adaptive(bytes([0]), 3, 2)  # range-coded bytes are all 0, and so dropped
    [0, 0, 0]
    """
    check_model(body, width)
    decoder, contexts = RangeDecoder(body[1:]), Contexts(Context)
    symbols = [_MODELS[body[0]](decoder, contexts, width) for _ in range(count)]
    decoder.finish()
    return symbols
