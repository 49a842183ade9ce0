"""The time that hostile bytes may cost."""

import time

import numpy as np
import pytest

import qcodec
from qcodec.errors import CorruptError
from tests.writers.hostile_frames import (
    CONSTANT,
    LARGEST_CHUNK,
    MIB,
    ONE,
    frame_of,
    one_class,
    scaled_frame,
)
from tests.writers.lanes_stream_writer import LanesCode, lanes_body
from tests.writers.split_stream_writer import Ranges
from tests.writers.stream_writer import (
    contexts_body,
    deep_lengths,
    stream_of,
    vu,
    write_nested,
    write_stream,
)


def seconds_of(call):
    """Of the processor, the best of some calls: what disturbs them only makes them longer."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def seconds(data):
    """Of decoding it."""
    return seconds_of(lambda: qcodec.decode(data))


STREAM = 2048
CHUNKS = 16


def random_bytes(minimum, maximum):
    random = np.random.default_rng(0)
    return [int(byte) for byte in random.integers(minimum, maximum, STREAM, endpoint=True)]


def of_equal_chunks(row, chunk, parameters=b""):
    return frame_of(row, (CHUNKS * STREAM,), [chunk] * CHUNKS, parameters, STREAM)


def normal_frame():
    """Bytes of which each is as likely as any other, in the slowest of the codings."""
    return of_equal_chunks("u8 bytes dense", write_stream(random_bytes(0, 255), 8, "tree"))


def longest_symbols():
    """Of the model exponent: eight decisions for the place of the leading one, seven bits."""
    return write_stream(random_bytes(127, 254), 8, "exponent")


def a_row_an_element():
    """Three streams for a byte."""
    counts = write_stream([1] * STREAM, 1, "exponent")
    gaps = write_stream([0] * STREAM, 16, "exponent")
    return vu(STREAM) + counts + gaps + longest_symbols()


def escapes():
    """A literal for every symbol, behind the longest of codes."""
    code = LanesCode(tuple(range(7)), (1, 1, 1, 1, 1, 1, 2), has_escape=True)
    return stream_of(4, lanes_body(random_bytes(7, 255), code))


def split():
    """One class of rows, and symbols that are the longest."""
    return stream_of(6, bytes([7, 0]) + vu(STREAM) + longest_symbols())


def contexts(symbols):
    """Kernels with as many tables as there may be."""
    kernels = Ranges(3, 3, range(32, 224, 32))
    return stream_of(3, contexts_body(symbols, 8, kernels, write_nested))


def all_escaped():
    """Planes of f64 whose exponents are all escapes, in the widest streams."""
    escape, rest = b"\0\2\xff\1", CONSTANT
    return b"\x10" + vu(STREAM) + b"\0\2\xff\x0f" + escape + rest + longest_symbols() * 6


SLOW = {
    "longest symbols": lambda: of_equal_chunks("u8 bytes dense", longest_symbols()),
    "a row an element": lambda: of_equal_chunks("u8 bytes csr", a_row_an_element(), b"\x10"),
    "planes": lambda: of_equal_chunks("u64 planes dense", longest_symbols() * 8),
    "planes, all escapes": lambda: of_equal_chunks("f64 planes dense", all_escaped()),
    "split": lambda: of_equal_chunks("u8 bytes dense", split()),
    "contexts": lambda: of_equal_chunks("u8 bytes dense", contexts(random_bytes(0, 255))),
    "scales": lambda: scaled_frame(
        "f32", STREAM, longest_symbols() * 4, [longest_symbols()], STREAM
    ),
    "nothing but escapes": lambda: of_equal_chunks("u8 bytes dense", escapes()),
}


@pytest.mark.parametrize("name", SLOW)
def test_slow_streams_take_at_most_four_times_as_long(name):
    slow, normal = SLOW[name](), normal_frame()
    a_byte = seconds(normal) / qcodec.decode(normal).nbytes
    assert seconds(slow) / qcodec.decode(slow).nbytes <= 4 * a_byte


SMALLEST = 256  # elements of a chunk


def smallest_streams():
    """A chunk of the fewest elements in every coding, its tables as costly as may be."""
    codings = ["constant", "huffman", "tree", "exponent", "lanes_huffman", "lanes_tans"]
    codings += ["split", "contexts_classes", "contexts_neighbours"]
    table = deep_lengths(list(range(13)))
    for coding in codings:
        yield coding, write_stream([1] * SMALLEST, 8, coding, table)
    yield "contexts of most tables", contexts([1] * SMALLEST)


SMALLEST_STREAMS = dict(smallest_streams())


@pytest.mark.parametrize("coding", SMALLEST_STREAMS)
def test_the_time_of_the_smallest_chunks_is_in_proportion_to_their_bytes(coding):
    # A chunk costs calls and tables, up to some microseconds, whatever it holds; but it has at
    # least 256 elements, so that the time stays bounded by the bytes that come in and go out.
    chunks = 500
    stream = SMALLEST_STREAMS[coding]
    data = frame_of("u8 bytes dense", (chunks * SMALLEST,), [stream] * chunks, b"", SMALLEST)
    normal = normal_frame()
    a_byte = seconds(normal) / (len(normal) + qcodec.decode(normal).nbytes)
    assert seconds(data) <= 15 * a_byte * (len(data) + chunks * SMALLEST)


HEADS = {
    "tree": "00",
    "exponent": "01",
    "classes": "020100010a",
    "neighbours": "03ff01ff0101010a",
}


@pytest.mark.parametrize("model", HEADS)
@pytest.mark.parametrize("coded", ["23" * 24, "00" * 12, ""])
def test_the_time_of_contexts_is_bounded_by_their_bytes(model, coded):
    # Beyond the body a decoder would read zeros without end.
    body = bytes.fromhex(HEADS[model] + coded)
    data = frame_of("u8 bytes dense", ONE, [stream_of(3, body)])

    def refuse():
        with pytest.raises(CorruptError, match="bytes read beyond the body"):
            qcodec.decode(data)

    assert seconds_of(refuse) <= 10 * seconds(normal_frame())


def test_symbols_of_no_bits_take_no_longer_than_others():
    data = frame_of("u8 bytes dense", ONE, [one_class()])
    assert np.all(qcodec.decode(data) == 7)
    normal = normal_frame()
    a_byte = seconds(normal) / qcodec.decode(normal).nbytes
    assert seconds(data) <= LARGEST_CHUNK * a_byte


def test_symbols_of_no_bits_are_as_many_as_the_limits_allow():
    # Half a kilobyte honestly holds four million bytes; of such chunks there can be many.
    elements = LARGEST_CHUNK // 4
    data = frame_of("f32 bytes dense", (64 * elements,), [one_class()] * 64, b"", elements)
    limits = qcodec.Limits(expansion_floor=MIB)
    for door in (lambda: qcodec.decode(data, limits=limits),
                 qcodec.Encoded(data, limits=limits).quantized):  # fmt: skip
        with pytest.raises(qcodec.LimitError, match="max_expansion"):
            door()
