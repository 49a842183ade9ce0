"""Codings 4 and 5: a broken body for every rule of section 7.5; the same bytes on every path."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec import streams
from qcodec.errors import CorruptError, UnsupportedError
from reference.codings import CODINGS
from reference.conventions import FormatError
from tests.format.cpu_paths import PATHS, on_path
from tests.writers.lanes_stream_writer import LanesCode, assemble, lanes_body, lanes_parts
from tests.writers.stream_writer import stream_of

HUFFMAN = LanesCode((3, 7, 9), (1, 2, 0, 0, 0, 0, 0))
TANS = LanesCode((4, 6, 1), (30, 1, 1), states=32)
SYMBOLS = {4: [3, 7, 9, 3, 3] * 60, 5: [4, 6, 4, 1, 4] * 60}
WIDTH = 4


def body(coding, change=None, **parts):
    """A valid body of 300 symbols, with another code or other parts."""
    code = TANS if coding == 5 else HUFFMAN
    low, words, literals = lanes_parts(SYMBOLS[coding], code)
    made = {"low": low, "words": words, "literals": literals} | parts
    return assemble(change or code, **made)


def words(coding):
    return lanes_parts(SYMBOLS[coding], TANS if coding == 5 else HUFFMAN)[1]


def with_byte(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1 :]


ESCAPED = LanesCode((3, 7), (1, 2, 0, 0, 0, 0, 0), has_escape=True)
RAW = LanesCode((0, 1, 2, 3), (0, 4, 0, 0, 0, 0, 0), low_bits=1)
RAW_BODY = lanes_body([3, 7, 5, 1, 0], RAW)

BROKEN = {
    "no first byte": (4, b"", CorruptError, "first byte"),
    "no classes": (5, b"\0", CorruptError, "number of classes"),
    "lengths cut": (4, body(4)[:8], CorruptError, "code lengths"),
    "counts cut": (5, body(5)[:4], CorruptError, "counts"),
    "values cut": (4, body(4)[:11], CorruptError, "values"),
    "no number of words": (4, HUFFMAN.head(), CorruptError, "number of words"),
    "no number of escapes": (4, ESCAPED.head() + b"\0", CorruptError, "number of escapes"),
    "low bits cut": (4, RAW.head() + b"\0" + bytes(39), CorruptError, "low bits"),
    "five low bits": (4, with_byte(body(4), 0, 5), UnsupportedError, "low bits"),
    "states of Huffman": (4, with_byte(body(4), 0, 16), UnsupportedError, "states"),
    "512 states": (5, with_byte(body(5), 0, 64), UnsupportedError, "states"),
    "low bits as wide as symbols": (4, with_byte(body(4), 0, 4), CorruptError, "low bits"),
    "low bits and an escape": (4, with_byte(body(4), 0, 9), CorruptError, "low bits"),
    "33 classes": (4, with_byte(body(4), 1, 32), CorruptError, "number of classes"),
    "33 classes of tANS": (5, with_byte(body(5), 1, 32), CorruptError, "number of classes"),
    "no class but the escape": (5, bytes([8, 0, 32, 0, 0]), CorruptError, "number of classes"),
    "another number of codes": (4, body(4, replace(HUFFMAN, counts=(1, 1, 2, 0, 0, 0, 0))),
                                CorruptError, "number of codes"),
    "incomplete lengths": (4, body(4, replace(HUFFMAN, counts=(0, 3, 0, 0, 0, 0, 0))),
                           CorruptError, "Kraft"),
    "a class without a state": (5, body(5, replace(TANS, counts=(31, 1, 0))),
                                CorruptError, "count"),
    "33 of 32 states": (5, body(5, replace(TANS, counts=(31, 1, 1))), CorruptError, "sum"),
    "one class of 256 states": (5, bytes([48, 0, 255, 4, 0]), CorruptError, "sum"),
    "257 of 256 states": (5, bytes([48, 1, 255, 2, 4, 6, 0]), CorruptError, "sum"),
    "a wide value": (4, body(4, replace(HUFFMAN, values=(3, 7, 16))), CorruptError, "value"),
    "a word missing": (4, body(4, words=words(4)[:-1]), CorruptError, "words end"),
    "less than a word a lane": (4, body(4, words=words(4)[:100]), CorruptError, "words"),
    "a word too many": (4, body(4, words=[*words(4), 0]), CorruptError, "words after"),
    "a bit left over": (4, body(4, words=[*words(4)[:-1], words(4)[-1] | 1]),
                        CorruptError, "after the last symbol"),
    "a state left over": (5, body(5, words=[w ^ 0x0800 for w in words(5)[:128]] + words(5)[128:]),
                          CorruptError, "lanes"),
    "padding of another class": (4, lanes_body(SYMBOLS[4] + [7] * 212, HUFFMAN),
                                 CorruptError, "padding"),
    "literals without an escape": (4, body(4) + b"\0", CorruptError, "literals"),
    "too few literals": (4, body(4, ESCAPED, literals=bytes(59)), CorruptError, "too few literals"),
    "too many literals": (4, body(4, ESCAPED, literals=bytes(61)), CorruptError, "after the last"),
    "a wide literal": (4, body(4, ESCAPED, literals=bytes([16] * 60)), CorruptError, "literal"),
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named(name, path):
    coding, data, error, message = BROKEN[name]
    with on_path(path), pytest.raises(error, match=message):
        streams.decode(stream_of(coding, data), 300, WIDTH)
    with pytest.raises(FormatError) as caught:
        CODINGS[coding].decode(data, 300, WIDTH)
    assert type(caught.value).__name__.lower() == error.code


def test_low_bits_after_the_last_symbol_are_refused():
    place = len(RAW.head()) + 2  # behind the number of words: the plane of the only low bit
    data = with_byte(RAW_BODY, place, RAW_BODY[place] | 1 << 6)
    with pytest.raises(CorruptError, match="low bits after"):
        streams.decode(stream_of(4, data), 5, WIDTH)


def test_fifty_symbols_take_256_states_and_stay_close_to_their_entropy():
    weights = np.random.default_rng(1).standard_normal(1 << 18).astype(np.float32)
    symbols = (weights.view(np.uint32) >> 22 & 255).astype(np.uint8)  # exponent, and a bit
    shares = np.bincount(symbols) / len(symbols)
    entropy = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
    made = set()
    for path in PATHS:
        with on_path(path):
            made.add(streams.encode(symbols, "lanes_tans", 8, "small"))
    (data,) = made
    head = data[4:]  # behind the coding and a body length of three bytes
    assert head[0] == 0x38  # 256 states, an escape
    assert head[1] >= 16
    assert 8 * len(data) / len(symbols) < 1.012 * entropy
    for path in PATHS:
        with on_path(path):
            assert np.array_equal(streams.decode(data, len(symbols), 8), symbols)


@given(st.integers(0, 2**32), st.integers(0, 3000), st.integers(1, 8), st.sampled_from([4, 5]))
def test_every_path_encodes_the_same_bytes_and_decodes_them(seed, count, width, coding):
    rng = np.random.default_rng(seed)
    symbols = np.minimum(rng.geometric(rng.uniform(0.02, 0.9), count) - 1, 2**width - 1)
    if len(np.unique(symbols)) < 2:  # left to coding constant
        return
    made = set()
    for path in PATHS:
        with on_path(path):
            made.add(streams.encode(symbols, streams.CODINGS[coding], width))
    (data,) = made
    for path in PATHS:
        with on_path(path):
            assert np.array_equal(streams.decode(data, count, width), symbols)
