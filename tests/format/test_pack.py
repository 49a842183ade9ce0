"""Packs: tables that round-trip, and every rule of section 8 that a table can break."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec._core import core
from qcodec._file.pack import read_pack, write_pack
from qcodec._io.source import BytesSource
from qcodec.errors import (
    ChecksumError,
    CorruptError,
    LimitError,
    TruncatedError,
    UnsupportedError,
)
from qcodec.limits import Limits

POLYNOMIAL = 0x82F63B78


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def vu(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def entry(name, size, target=None):
    name = name.encode() if isinstance(name, str) else name
    return vu(len(name)) + name + vu(size) + (b"" if target is None else vu(target))


def pack_of(*entries, frames=b"", count=None, head=b"QP\0\0"):
    """A pack by hand, with a right checksum whatever else is wrong."""
    table = head + vu(len(entries) if count is None else count) + b"".join(entries)
    return table + crc32c(table).to_bytes(4, "little") + frames


def read(data, **limits):
    return read_pack(BytesSource(data), Limits(**limits))


names = st.lists(st.text(max_size=20), unique=True, max_size=30)


@given(names, st.data())
def test_what_was_written_is_read(names, data):
    frames = []
    for _ in names:
        targets = [name for name, frame in zip(names, frames, strict=False) if type(frame) is bytes]
        choice = st.binary(min_size=1, max_size=200)
        frames.append(data.draw(choice | st.sampled_from(targets) if targets else choice))
    whole = b"".join(write_pack(names, frames))
    pack = read(whole)
    assert [found.name for found in pack.entries] == names
    by_name = dict(zip(names, frames, strict=True))
    for found in pack.entries:
        frame = by_name[found.name]
        assert found.target == (frame if isinstance(frame, str) else found.name)
        assert whole[found.offset : found.offset + found.size] == by_name[found.target]


@given(names, st.text(max_size=20))
def test_a_name_is_found_in_the_table_itself(names, other):
    whole = b"".join(write_pack(names, [b"frame"] * len(names)))
    table, _ = core.pack_read(whole, len(whole), len(names))
    for number, name in enumerate(names):
        assert core.pack_find(whole, table.view("u1"), name.encode()) == number
    if other not in names:
        assert core.pack_find(whole, table.view("u1"), other.encode()) == len(names)


def test_the_bytes_are_those_of_the_format():
    parts = write_pack(["a", "b"], [b"frame", "a"])
    assert b"".join(parts) == pack_of(entry("a", 5), entry("b", 0, 0), frames=b"frame")


def test_every_prefix_is_truncated():
    whole = b"".join(write_pack(["weight", "bias", "tied"], [b"frames", b"!", "bias"]))
    for size in range(len(whole)):
        with pytest.raises(TruncatedError, match="incomplete download"):
            read(whole[:size])


def test_every_flipped_bit_of_the_table_is_an_error():
    whole = bytearray(b"".join(write_pack(["weight", "bias"], [b"frames", "weight"])))
    for bit in range(8 * (len(whole) - len(b"frames"))):
        whole[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CorruptError, TruncatedError, UnsupportedError)):
            read(bytes(whole))
        whole[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize(
    ("data", "kind", "rule"),
    [
        (pack_of(head=b"QC\0\0"), CorruptError, "magic"),
        (pack_of(head=b"QP\1\0"), UnsupportedError, "version"),
        (pack_of(head=b"QP\0\1"), UnsupportedError, "flags"),
        (pack_of(count=3), TruncatedError, "needs 11"),
        (pack_of(entry(b"\xff", 1), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xed\xa0\x80", 1), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xc1\x81", 1), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xf4\x90\x80\x80", 1), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry("n" * 1025, 1), frames=b"x"), CorruptError, "length of a name"),
        (pack_of(entry("a", 1), entry("a", 1), frames=b"xy"), CorruptError, "there twice"),
        (pack_of(entry("a", 0, 0)), CorruptError, "not an earlier entry"),
        (
            pack_of(entry("a", 1), entry("b", 0, 0), entry("c", 0, 1), frames=b"x"),
            CorruptError,
            "target of an alias is an alias",
        ),
        (pack_of(entry("a", 2), frames=b"x"), TruncatedError, "needs 14"),
        (pack_of(entry("a", 1), frames=b"xy"), CorruptError, "after the last frame"),
        (pack_of(entry("a", 1), frames=b"x").replace(b"a", b"b"), ChecksumError, "CRC"),
        (pack_of(b"\x80\x00", frames=b"x"), CorruptError, "shortest form"),
    ],
)
def test_a_broken_rule_is_named(data, kind, rule):
    with pytest.raises(kind, match=rule) as caught:
        read(data)
    assert type(caught.value) is kind


def test_frame_lengths_whose_sum_overflows_are_truncated():
    huge = (1 << 56) - 1
    entries = [entry(f"{number:03}", huge) for number in range(300)]
    with pytest.raises(TruncatedError):
        read(pack_of(*entries))


def test_more_entries_than_the_limit_are_refused_before_they_are_read():
    whole = b"".join(write_pack(["a", "b", "c"], [b"x"] * 3))
    with pytest.raises(LimitError, match="max_tensors"):
        read(whole, max_tensors=2)


def test_a_count_beyond_the_input_costs_no_memory():
    with pytest.raises(TruncatedError):
        read(pack_of(count=1 << 40), max_tensors=1 << 50)


@pytest.mark.parametrize("order", [1, -1])
def test_names_of_a_hostile_pack_take_no_quadratic_time(order):
    names = [f"{number:05}" for number in range(65_536)][::order]
    entries = [entry(name, 1) for name in names]
    entries[-1] = entry(names[0], 1)
    data = pack_of(*entries[:-1], entries[-1], frames=b"x" * len(entries))
    start = time.thread_time()  # of the processor: what else the machine does is not counted
    with pytest.raises(CorruptError, match="there twice"):
        core.pack_read(data, len(data), len(entries))
    assert time.thread_time() - start < 5  # a quadratic search takes half a minute


def test_only_the_table_is_read():
    frames = [bytes(100_000)] * 40
    source = BytesSource(b"".join(write_pack([f"layer {n}" for n in range(40)], frames)))
    read_pack(source)
    assert source.bytes_read <= 2 * 4096


def test_a_table_larger_than_the_first_read_is_read_whole():
    names = [f"{number:0200}" for number in range(500)]
    source = BytesSource(b"".join(write_pack(names, [b"x" * 1000] * len(names))))
    assert [found.name for found in read_pack(source).entries] == names
    assert source.bytes_read < source.size


@pytest.mark.parametrize(
    ("names", "frames", "rule"),
    [
        (["a", "a"], [b"x", b"y"], "there twice"),
        (["n" * 1025], [b"x"], "length of a name"),
        (["a"], [b""], "length of a frame"),
        (["a", "b"], ["b", b"x"], "not an earlier entry"),
        (["a", "b"], [b"x", "c"], "not an earlier entry"),
        (["a", "b", "c"], [b"x", "a", "b"], "is an alias"),
        (["\ud800"], [b"x"], "surrogates"),
    ],
)
def test_a_pack_that_could_not_be_read_is_not_written(names, frames, rule):
    with pytest.raises(ValueError, match=rule):
        write_pack(names, frames)


def test_the_checksum_of_these_tests_is_that_of_the_format():
    assert crc32c(b"123456789") == 0xE3069283


def test_an_empty_pack_is_nine_bytes():
    whole = b"".join(write_pack([], []))
    assert len(whole) == 9
    assert read(whole).entries == ()
    assert np.array_equal(core.pack_read(whole, 9, 0)[0], np.zeros(0, core.PACK_ENTRY))
