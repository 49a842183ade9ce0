"""Hypothesis strategies of codings 4 and 5: any code, right or spoilt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from tests.writers.lanes_stream_writer import LanesCode, assemble, lanes_parts
from tests.writers.strategies import complete_lengths, damaged, seeds

HUFFMAN, TANS = 4, 5


@dataclass(frozen=True)
class LanesStream:
    """Symbols and the code that they are written with, or the parts that were made of them."""

    width: int
    code: LanesCode
    symbols: tuple[int, ...]

    @property
    def coding(self) -> int:
        return TANS if self.code.states else HUFFMAN

    def body(self) -> bytes:
        return assemble(self.code, *lanes_parts(self.symbols, self.code))


@st.composite
def lanes_codes(draw: st.DrawFn, coding: int, width: int) -> LanesCode:
    """Any code of the format, also one with the same value twice."""
    low_bits = draw(st.integers(0, min(4, width - 1)))
    has_escape = low_bits == 0 and draw(st.booleans())
    random = np.random.default_rng(draw(seeds))
    if coding == HUFFMAN:
        lengths = [length for length in draw(complete_lengths(32, longest=7)) if length]
        classes, states = len(lengths), 0
        counts = [lengths.count(length) for length in range(1, 8)]
    else:
        classes = draw(st.integers(1 + has_escape, 32))
        states = draw(st.sampled_from([32, 64, 128] if classes == 1 else [32, 64, 128, 256]))
        shares = random.dirichlet([draw(st.sampled_from([0.05, 1.0]))] * classes)
        counts = [int(count) for count in 1 + random.multinomial(states - classes, shares)]
    values = random.integers(0, 1 << (width - low_bits), classes - has_escape)
    return LanesCode(tuple(map(int, values)), tuple(counts), low_bits, has_escape, states)


@st.composite
def lanes_streams(draw: st.DrawFn, maximum: int = 700) -> LanesStream:
    """Any code, and symbols that it can hold: of all classes alike, or mostly of the first."""
    coding, width = draw(st.sampled_from([HUFFMAN, TANS])), draw(st.integers(1, 8))
    code = draw(lanes_codes(coding, width))
    count = draw(st.integers(0, maximum) | st.sampled_from([0, 1, 255, 256, 257, 512]))
    random = np.random.default_rng(draw(seeds))
    classes = len(code.values) + code.has_escape
    places = np.minimum(random.geometric(draw(st.sampled_from([0.1, 0.5])), count), classes) - 1
    any_bits = random.integers(0, 1 << width, count)
    values = np.array([*code.values, 0])[places] << code.low_bits
    low = any_bits & ((1 << code.low_bits) - 1)
    symbols = np.where(places == len(code.values), any_bits, values | low)
    return LanesStream(width, code, tuple(map(int, symbols)))


@st.composite
def spoilt_lanes(draw: st.DrawFn, stream: LanesStream) -> tuple[bytes, int]:
    """(body, count) with a fault in one part, or none; the lengths of the parts are right."""
    low, words, literals = lanes_parts(stream.symbols, stream.code)
    code, count = stream.code, len(stream.symbols)
    match draw(st.sampled_from(["words", "code", "head", "low", "literals", "count", "bytes"])):
        case "words":
            words = draw(_spoilt_words(words))
        case "code":
            code = draw(lanes_codes(stream.coding, stream.width))
        case "head":
            code = draw(_spoilt_code(code))
        case "low":
            low = draw(damaged(low))
        case "literals":
            literals = draw(damaged(literals))
        case "count":  # what were symbols is padding, or the other way
            count = max(0, count + draw(st.integers(-3, 3)))
        case "bytes":
            return draw(damaged(stream.body())), count
    return assemble(code, low, words, literals), count


@st.composite
def _spoilt_words(draw: st.DrawFn, words: list[int]) -> list[int]:
    at = draw(st.integers(0, len(words)))
    word = draw(st.integers(0, 2**16 - 1))
    spoilt = {
        "changed": [*words[:at], word, *words[at + 1 :]],
        "swapped": words[:at] + words[at : at + 2][::-1] + words[at + 2 :],
        "inserted": [*words[:at], word, *words[at:]],
        "cut": words[:at],
        "removed": words[:at] + words[at + 1 :],
    }
    return spoilt[draw(st.sampled_from(sorted(spoilt)))]


@st.composite
def _spoilt_code(draw: st.DrawFn, code: LanesCode) -> LanesCode:
    fields = {
        "values": (*code.values, draw(st.integers(0, 255))),
        "counts": (draw(st.integers(0, 40)), *code.counts[1:]),
        "low_bits": draw(st.integers(0, 7)),
        "has_escape": not code.has_escape,
        "states": draw(st.sampled_from([0, 32, 64, 128, 256, 512])),
    }
    name = draw(st.sampled_from(sorted(fields)))
    return replace(code, **{name: fields[name]})
