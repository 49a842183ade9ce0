"""Codings 4 and 5 in C and in the reference: the same symbols, or both refuse, on every path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec import streams
from qcodec.errors import QCodecError
from reference.codings import CODINGS
from reference.conventions import FormatError
from tests.format.cpu_paths import PATHS, on_path
from tests.writers.lanes_strategies import HUFFMAN, lanes_streams, spoilt_lanes
from tests.writers.lanes_stream_writer import LanesCode, assemble, lanes_parts
from tests.writers.stream_writer import stream_of

REFUSED = "refused"


def by_reference(coding, body, count, width):
    try:
        return CODINGS[coding].decode(body, count, width)
    except FormatError:
        return REFUSED


def by_path(path, coding, body, count, width):
    with on_path(path):
        try:
            return streams.decode(stream_of(coding, body), count, width).tolist()
        except QCodecError:
            return REFUSED


def assert_all_give(expected, *stream):
    for path in PATHS:
        assert by_path(path, *stream) == expected, path


@given(lanes_streams())
def test_any_code_decodes_to_what_was_written(stream):
    written = (stream.coding, stream.body(), len(stream.symbols), stream.width)
    assert by_reference(*written) == list(stream.symbols)
    assert_all_give(list(stream.symbols), *written)


@given(lanes_streams(), st.data())
def test_any_damage_has_the_same_outcome(stream, choice):
    body, count = choice.draw(spoilt_lanes(stream))
    spoilt = (stream.coding, body, count, stream.width)
    assert_all_give(by_reference(*spoilt), *spoilt)


@pytest.mark.parametrize(("values", "outcome"), [((5, 5, 9), [5, 5]), ((5, 9, 5), REFUSED)])
def test_padding_is_told_by_its_value(values, outcome):
    # Codes 0, 10 and 11: padding of class 1, of the same value as class 0 or of another.
    code = LanesCode(values, (1, 2, 0, 0, 0, 0, 0))
    low, words, literals = lanes_parts([5, 5], code)
    words[2] = 0b10 << 14
    padded = (HUFFMAN, assemble(code, low, words, literals), 2, 4)
    assert by_reference(*padded) == outcome
    assert_all_give(outcome, *padded)
