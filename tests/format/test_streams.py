"""Integer streams: every coding, against the reference decoder and other oracles."""

import functools
import heapq
import math
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reference
from qcodec import streams
from qcodec._core import core
from qcodec.errors import CorruptError, LimitError, QCodecError, TruncatedError
from qcodec.limits import Limits
from reference.codings import Stream
from reference.conventions import Reader, require
from reference.huffman import read_lengths

CODINGS = {name: number for number, name in enumerate(streams.CODINGS)}


@st.composite
def symbols(draw):
    """(symbols, width): random, skewed towards 0, of few values, or all equal."""
    width = draw(st.integers(1, 16))
    count = draw(st.integers(0, 700) | st.sampled_from([255, 256, 257, 5000]))
    kind = draw(st.sampled_from(["even", "skewed", "few", "equal"]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = random.integers(0, 1 << width, count)
    if kind == "skewed":
        values = np.minimum(random.geometric(0.3, count) - 1, (1 << width) - 1)
    elif kind == "few":
        values = values[: max(1, count // 300)][random.integers(0, max(1, count // 300), count)]
    elif kind == "equal":
        values[:] = values[:1]
    return values, width


def reference_decode(data, count, width):
    reader = Reader(data, length_is_known=False)
    stream = Stream(reader, count, width, features=-1)
    require(reader.left == 0, "bytes follow the stream")
    return stream.symbols()


@given(symbols(), st.sampled_from(["auto", *CODINGS]), st.sampled_from(list(streams.PROFILES)))
@example((np.zeros(0, int), 1), "contexts", "small")
@example((np.arange(256), 8), "huffman", "small")
def test_symbols_come_back_through_every_coding(case, coding, profile):
    values, width = case
    try:
        data = streams.encode(values, coding, width, profile)
    except ValueError:
        equal = len(np.unique(values)) < 2
        assert (
            (coding == "constant" and not equal)
            or (coding in ("huffman", "lanes_huffman") and (equal or width > 8))
            or (coding == "lanes_tans" and (len(values) == 0 or width > 8))
            or coding == "split"  # for tensors, which have rows and columns
        )
        return
    decoded = streams.decode(data, len(values), width)
    assert decoded.dtype == (np.uint8 if width <= 8 else np.uint16)
    np.testing.assert_array_equal(decoded, values)
    if len(values) <= 600:
        assert reference_decode(data, len(values), width) == values.tolist()


@given(symbols(), st.data())
def test_changed_bytes_are_refused_or_mean_what_the_format_says(case, data):
    values, width = case
    values = values[:600]
    names = [
        "auto",
        "bitpacked",
        "contexts",
        *(["lanes_tans"] if len(values) > 0 and width <= 8 else []),
    ]
    coding = data.draw(st.sampled_from(names))
    stream = bytearray(streams.encode(values, coding, width, "small"))
    at = data.draw(st.integers(0, len(stream) - 1))
    stream[at] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.just(len(stream)) | st.integers(0, len(stream)))
    compare_with_reference(bytes(stream[:cut]), len(values), width)


@given(st.binary(max_size=40), st.integers(0, 40) | st.integers(250, 300), st.integers(1, 16))
@example(bytes([1, 1, 0x01]), 7, 1)
@example(bytes([3, 3, 0, 1, 0]), 7, 1)  # a trailing zero
@example(bytes([2, 4, 1, 0x11, 0, 0]), 3, 1)  # a byte too many
@example(bytes([255, 0]), 0, 1)
def test_any_bytes_decode_as_in_the_reference(data, count, width):
    compare_with_reference(data, count, width)


@given(st.sampled_from([2, 3]), st.binary(max_size=30), st.integers(0, 300), st.integers(1, 9))
def test_any_body_decodes_as_in_the_reference(coding, body, count, width):
    compare_with_reference(bytes([coding, len(body)]) + body, count, width)


def compare_with_reference(data, count, width):
    try:
        expected = reference_decode(data, count, width)
    except reference.FormatError:
        with pytest.raises(QCodecError):
            streams.decode(data, count, width)
    else:
        assert streams.decode(data, count, width).tolist() == expected


@given(symbols())
@example((np.eye(1, 60, dtype=int)[0], 1))
def test_profile_small_is_the_smallest(case):
    values, width = case
    sizes = []
    for coding in CODINGS:
        try:
            sizes.append(len(streams.encode(values, coding, width)))
        except ValueError:
            continue
    assert len(streams.encode(values, width=width, profile="small")) == min(sizes)


@given(case=symbols())
def test_fixed_uses_fixed_width_alone(case):
    values, width = case
    coding = streams.encode(values, width=width, profile="fixed")[0]
    assert coding in (CODINGS["constant"], CODINGS["bitpacked"])


@given(case=symbols())
def test_fast_uses_what_decodes_at_memory_speed(case):
    values, width = case
    coding = streams.encode(values, width=width, profile="fast")[0]
    slow = (CODINGS["huffman"], CODINGS["contexts"])
    assert coding not in slow


@pytest.mark.parametrize(("often", "rare", "is_bitpacked"), [(10, 3, True), (14, 2, False)])
def test_balanced_entropy_codes_only_where_it_saves_a_64th(often, rare, is_bitpacked):
    # One symbol of 3 bits and two of 5, all others 4: that saves 1 % and 2.5 % of 4 bits.
    percent = np.full(16, (100 - often - 2 * rare) / 13)
    percent[:3] = often, rare, rare
    values = np.repeat(np.arange(16), (percent * 5000).astype(int))
    values = np.random.default_rng(0).permutation(values)  # contexts would learn their order
    assert (streams.encode(values)[0] == CODINGS["bitpacked"]) == is_bitpacked
    assert streams.encode(values, "huffman")[0] == CODINGS["huffman"]
    assert len(streams.encode(values, "huffman")) < len(streams.encode(values, "bitpacked"))


def drifting(count, width, seed=1):
    """Symbols whose distribution changes all the time, which suits contexts and no table."""
    random = np.random.default_rng(seed)
    top = (1 << width) - 1
    centre = (np.sin(np.arange(count) / 150) + 1) * top / 2
    return np.clip(np.rint(random.normal(centre, 0.1 * top + 0.1)), 0, top).astype(int)


def others(values, width):
    """The sizes in every coding but contexts, by name."""
    sizes = {}
    for coding in CODINGS.keys() - {"contexts", "split"}:
        try:
            sizes[coding] = len(streams.encode(values, coding, width))
        except ValueError:
            continue
    return sizes


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("count", [100, 1000, 5000, 20_000, 60_000, 300_000])
def test_balanced_takes_contexts_only_where_they_pay(width, count):
    # docs/decisions/choice-of-coding.md: what a byte may cost, in decisions.
    values = drifting(count, width)
    data = streams.encode(values, width=width)
    decisions = count * width
    saving = decisions / 400 * (1 + decisions / 200_000)
    if data[0] == CODINGS["contexts"]:
        assert len(data) + int(saving) <= min(others(values, width).values())
    assert len(data) <= len(streams.encode(values, "bitpacked", width))


def test_balanced_takes_contexts_for_streams_that_decode_in_a_moment():
    assert streams.encode(drifting(2000, 4))[0] == CODINGS["contexts"]
    for count, width in [(1 << 19, 4), (1 << 19, 8)]:
        values = drifting(count, width)
        assert streams.encode(values, profile="small")[0] == CODINGS["contexts"]
        assert streams.encode(values)[0] != CODINGS["contexts"]


@pytest.mark.parametrize("count", [5000, 10_000, 40_000, 130_000, 150_000])
def test_balanced_has_no_contexts_for_many_independent_symbols(count):
    # As many 4-bit codes took 130 times as long below 64 KiB as above.
    values = np.clip(np.rint(np.random.default_rng(1).normal(7.5, 2.5, count)), 0, 15).astype(int)
    assert streams.encode(values)[0] != CODINGS["contexts"]


def test_plain_huffman_saves_what_contexts_would():
    values = np.random.default_rng(1).geometric(0.4, 12_000) - 1
    values = np.minimum(values, 15)
    data = streams.encode(values)
    assert data[0] == CODINGS["huffman"]
    assert len(data) < min(
        len(streams.encode(values, f"lanes_{way}")) for way in ("huffman", "tans")
    )


def test_carries_run_through_all_bytes_of_contexts():
    # Of so many random bits, some carries change a byte and one of 0xFF after it.
    values = np.random.default_rng(3).integers(0, 2, 1 << 20)
    data = streams.encode(values, "contexts", 1)
    assert np.array_equal(streams.decode(data, len(values), 1), values)


def test_encoding_is_deterministic():
    values = np.random.default_rng(2).geometric(0.3, 5000) - 1
    assert len({streams.encode(values, profile="small") for _ in range(3)}) == 1


@given(symbols(), st.sampled_from([1, 2, 4, 8]))
def test_no_stream_is_longer_than_its_bound(case, codings):
    # The C function refuses a buffer below the bound, and the extension allocates just that.
    values, width = case
    carrier = values.astype(np.uint8 if width <= 8 else np.uint16)
    try:
        data = core.encode_stream(carrier.view(np.uint8), len(carrier), width, codings, 2)
    except ValueError:
        return
    assert len(data) <= core.stream_bound(len(carrier), width)


@pytest.mark.parametrize("count", [1, 8, 20, 60])
@pytest.mark.parametrize(("model", "width"), [(0, 1), (0, 4), (1, 4), (1, 16)])
def test_contexts_take_no_more_bytes_than_its_symbols_need(model, width, count):
    for last in range(1, 256):
        shortest = bytes([CODINGS["contexts"], 2, model, last])
        try:
            values = streams.decode(shortest, count, width)
        except CorruptError:  # bytes left
            continue
        assert len(streams.encode(values, "contexts", width)) <= len(shortest)


# ---- Huffman: the lengths are optimal -------------------------------------------------------


def code_lengths(counts):
    """The lengths that the encoder chooses, read back by the reference."""
    values = np.repeat(np.arange(len(counts)), counts)
    data = streams.encode(values, "huffman", 8)
    reader = Reader(data, length_is_known=False)
    reader.u8("coding")
    reader.vu("body length")
    return read_lengths(reader, 8)


def cost(counts, lengths):
    return sum(count * length for count, length in zip(counts, lengths, strict=False))


def huffman_cost(counts):
    """Bits of the code without a limit, by Huffman's own method."""
    heap = sorted(count for count in counts if count)
    total = 0
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    return total


@given(st.lists(st.integers(0, 300), min_size=2, max_size=60))
@example([1] * 60)
@example([0] * 40 + [1] * 20)
def test_code_lengths_are_huffmans_where_the_limit_is_far(counts):
    counts = counts if sum(map(bool, counts)) > 1 else [1, 1]
    lengths = code_lengths(counts)
    best = huffman_cost(counts)
    if max(lengths) < 12:
        assert cost(counts, lengths) == best
    assert cost(counts, lengths) >= best


def limited_cost(counts, limit):
    """Bits of the best code within a limit, by trying how many codes end at each length."""
    ordered = sorted(counts, reverse=True)

    @functools.cache
    def rest(placed, nodes, depth):
        left = len(ordered) - placed
        if nodes == 0 and left == 0:
            return 0
        if nodes == 0 or nodes > left or depth > limit:
            return math.inf
        return min(
            depth * sum(ordered[placed : placed + leaves])
            + rest(placed + leaves, 2 * (nodes - leaves), depth + 1)
            for leaves in range(min(nodes, left) + 1)
        )

    return rest(0, 1, 0)


@pytest.mark.parametrize("seed", range(6))
def test_code_lengths_are_optimal_within_twelve_bits(seed):
    # Fibonacci counts make Huffman's own code as long as it gets: 12 bits bind.
    fibonacci = [1, 1]
    while len(fibonacci) < 15 + seed:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    random.Random(seed).shuffle(fibonacci)
    lengths = code_lengths(fibonacci)
    assert max(lengths) == 12
    assert cost(fibonacci, lengths) > huffman_cost(fibonacci)
    assert cost(fibonacci, lengths) == limited_cost(fibonacci, 12)


# ---- relative index -------------------------------------------------------------------------


@given(st.sets(st.integers(0, 100_000), max_size=200), st.none() | st.integers(6, 16))
def test_positions_come_back_from_their_gaps(cells, gap_width):
    stored = np.array(sorted(cells), np.int64)
    gaps, sources = streams.relative_index(stored, gap_width)
    width = gap_width or streams.best_gap_width(stored)
    back = streams.positions(gaps, width, limit=100_001)
    np.testing.assert_array_equal(back[sources >= 0], stored)
    np.testing.assert_array_equal(sources[sources >= 0], np.arange(len(stored)))
    assert (gaps[sources < 0] == (1 << width) - 1).all()


def test_a_position_beyond_the_limit_is_corrupt():
    with pytest.raises(CorruptError, match="not below the limit"):
        streams.positions(np.array([1, 2]), 4, limit=4)


@pytest.mark.parametrize("bad", [[3, 3], [4, 2], [-1, 2], [2**32 - 1]])
def test_positions_that_are_no_positions_are_refused(bad):
    with pytest.raises(ValueError, match="positions"):
        streams.relative_index(np.array(bad), 4)


# ---- arguments ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", ">u2", "i4", "u8"])
@pytest.mark.parametrize("layout", [np.asarray, np.asfortranarray, lambda a: a[::-1, ::2]])
def test_any_integer_array_is_coded_in_c_order(dtype, layout):
    array = layout(np.random.default_rng(3).integers(0, 2, (20, 30)).astype(dtype))
    data = streams.encode(array, "bitpacked", 1)
    np.testing.assert_array_equal(streams.decode(data, array.size, 1), array.reshape(-1))


def test_unaligned_symbols_are_coded():
    raw = np.zeros(201, np.uint8)
    array = raw[1:].view(np.uint16)
    array[:] = np.arange(100)
    data = streams.encode(array, width=12)
    np.testing.assert_array_equal(streams.decode(data, 100, 12), array)


def test_floats_are_refused():
    with pytest.raises(TypeError, match="float64"):
        streams.encode(np.ones(3))


@pytest.mark.parametrize("values", [[4], [-1], [0, 3, 9]])
def test_values_out_of_the_width_are_refused(values):
    with pytest.raises(ValueError, match="2 bits hold 0 to 3"):
        streams.encode(np.array(values), width=2)


@pytest.mark.parametrize("width", [0, 17, -1])
def test_widths_that_the_format_lacks_are_refused(width):
    with pytest.raises(ValueError, match="width"):
        streams.encode(np.array([0]), width=width)
    with pytest.raises(ValueError, match="width"):
        streams.decode(b"\x00\x01\x00", 1, width)


@pytest.mark.parametrize("arguments", [{"coding": "lzma"}, {"profile": "tiny"}])
def test_unknown_names_are_refused_with_the_known_ones(arguments):
    with pytest.raises(ValueError, match="known are"):
        streams.encode(np.array([0, 1]), **arguments)


def test_three_bytes_may_not_ask_for_gigabytes():
    bomb = streams.encode(np.zeros(1, int), "constant", 8)
    with pytest.raises(LimitError):
        streams.decode(bomb, 1 << 40, 8)
    with pytest.raises(LimitError):
        streams.decode(bomb, 1001, 8, limits=Limits(max_tensor_bytes=1000))
    assert len(streams.decode(bomb, 1000, 8, limits=Limits(max_tensor_bytes=1000))) == 1000


def test_an_empty_buffer_is_truncated():
    with pytest.raises(TruncatedError):
        streams.decode(b"", 0, 4)


def test_errors_tell_where():
    data = streams.encode(np.arange(4), "bitpacked", 3) + b"\x00"
    with pytest.raises(QCodecError) as caught:
        streams.decode(data, 4, 3)
    assert caught.value.offset == len(data) - 1
