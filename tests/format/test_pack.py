"""Packs: tables that round-trip, and every rule of section 8 that a table can break."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._core import core
from qcodec._file.pack import PackItem, read_pack, write_pack
from qcodec._io.source import BytesSource
from qcodec.errors import (
    ChecksumError,
    CorruptError,
    LimitError,
    TruncatedError,
    UnsupportedError,
)
from qcodec.limits import Limits
from tests.writers import frame_writer
from tests.writers.frame_writer import assemble_pack
from tests.writers.stream_writer import vu


def entry(name, *rest):
    name = name.encode() if isinstance(name, str) else name
    return vu(len(name)) + name + b"".join(rest)


def frame(size):
    """Of the role frame."""
    return b"\0" + vu(size)


def pack_of(*entries, frames=b"", count=None):
    """A pack by hand, with a right checksum whatever else is wrong."""
    content = vu(len(entries) if count is None else count) + b"".join(entries)
    return assemble_pack(content, [frames])


def read(data, **limits):
    return read_pack(BytesSource(data), Limits(**limits))


def items_of(names, frames):
    return [PackItem(name, "frame", frame) for name, frame in zip(names, frames, strict=True)]


def written(names, frames):
    return b"".join(write_pack(items_of(names, frames)))


names = st.lists(st.text(max_size=20), unique=True, max_size=30)
shapes = st.lists(st.integers(0, 60), max_size=8).map(tuple)


@st.composite
def items(draw):
    """Entries of any role; names stand for tensors of the pack, or for others."""
    found = []
    for name in draw(names):
        tensors = [item.name for item in found if item.role in ("frame", "first", "next")]
        roles = ["frame", "first", "attached", "same", "converted"]
        if found and found[-1].role in ("first", "next"):
            roles.append("next")
        role = draw(st.sampled_from(roles))
        target = draw(st.sampled_from([*tensors, "outside \U0001f30d"]))
        brings = role in ("frame", "first", "attached")
        found.append(
            PackItem(
                name,
                role,
                draw(st.binary(min_size=1, max_size=50)) if brings else b"",
                draw(shapes) if role in ("first", "next") else (),
                target if role in ("same", "converted") else "",
                draw(st.sampled_from(["float32", "float16", "bfloat16"])),
            )
        )
    return found


@given(items(), st.sampled_from(["balanced", "small", "fast", "fixed"]))
def test_what_was_written_is_read(items, profile):
    whole = b"".join(write_pack(items, profile))
    pack = read(whole)
    assert [found.name for found in pack.entries] == [item.name for item in items]
    frame, first = b"", 0
    by_name = {}
    for item, found in zip(items, pack.entries, strict=True):
        if item.frame:
            frame, first = item.frame, 0
        assert (found.role, found.shape) == (item.role, item.shape)
        if item.role in ("same", "converted"):
            assert found.target == item.target
            assert found.dtype == (item.dtype if item.role == "converted" else "")
            continue
        by_name[item.name] = frame
        assert found.target == item.name
        assert whole[found.offset : found.offset + found.size] == frame
        assert found.first == first
        first += int(np.prod(item.shape)) if item.role in ("first", "next") else 0
    for found in pack.entries:
        if found.role in ("same", "converted"):
            expected = by_name.get(found.target, b"")
            assert whole[found.offset : found.offset + found.size] == expected


@given(names, st.text(max_size=20))
def test_a_name_is_found_in_the_content_itself(names, other):
    content = b"".join([vu(len(names)), *(entry(name, frame(1)) for name in names)])
    table = core.pack_read(content, 9, 9 + len(names), len(names))
    for number, name in enumerate(names):
        assert core.pack_find(content, table.view("u1"), name.encode()) == number
    if other not in names:
        assert core.pack_find(content, table.view("u1"), other.encode()) == len(names)


def test_the_bytes_are_those_of_the_format():
    items = [PackItem("a", "frame", b"frame"), PackItem("b", "same", target="a")]
    parts = write_pack(items, "fixed")
    assert b"".join(parts) == pack_of(
        entry("a", frame(5)), entry("b", b"\3", vu(1), b"a"), frames=b"frame"
    )


def test_names_that_resemble_each_other_take_few_bytes():
    names = [f"features.denseblock{n // 90}.denselayer{n // 6}.norm{n % 6}" for n in range(600)]
    raw = sum(map(len, names))
    assert read_pack(BytesSource(written(names, [b"x"] * 600))).table_bytes < raw / 1.5


@pytest.mark.parametrize("profile", ["fast", "balanced", "small"])
def test_long_names_that_resemble_each_other_can_be_read(profile):
    names = [f"{'a' * 1000}{number}" for number in range(100)]
    data = b"".join(write_pack(items_of(names, [b"frame"] * 100), profile))
    assert [entry.name for entry in read(data).entries] == names


def test_every_prefix_is_truncated():
    whole = written(["weight", "bias"], [b"frames", b"!"])
    for size in range(len(whole)):
        with pytest.raises(TruncatedError, match="incomplete download"):
            read(whole[:size])


def test_every_flipped_bit_of_the_table_is_an_error():
    whole = bytearray(written(["weight", "bias"], [b"frames", b"!"]))
    for bit in range(8 * (len(whole) - len(b"frames!"))):
        whole[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CorruptError, TruncatedError, UnsupportedError)):
            read(bytes(whole))
        whole[bit // 8] ^= 1 << bit % 8


def changed(data, at, value):
    return data[:at] + bytes([value]) + data[at + 1 :]


ONE = pack_of(entry("a", frame(1)), frames=b"x")


@pytest.mark.parametrize(
    ("data", "kind", "rule"),
    [
        (changed(ONE, 1, ord("C")), CorruptError, "magic"),
        (changed(ONE, 2, 0), UnsupportedError, "candidate 1 of version 1"),
        (changed(ONE, 2, 1), UnsupportedError, "candidate 1 of version 1"),
        (changed(ONE, 3, 1), UnsupportedError, "flags"),
        (changed(ONE, 20, 7), ChecksumError, "table of the pack"),
        (pack_of(count=3), CorruptError, "number of entries"),
        (pack_of(entry(b"\xff", frame(1)), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xed\xa0\x80", frame(1)), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xc1\x81", frame(1)), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry(b"\xf4\x90\x80\x80", frame(1)), frames=b"x"), CorruptError, "not UTF-8"),
        (pack_of(entry("n" * 1025, frame(1)), frames=b"x"), CorruptError, "length of a name"),
        (pack_of(*[entry("a", frame(1))] * 2, frames=b"xy"), CorruptError, "there twice"),
        (pack_of(entry("a", b"\6")), UnsupportedError, "role"),
        (pack_of(entry("a", frame(0))), CorruptError, "length of a frame"),
        (pack_of(entry("a", b"\2\0")), CorruptError, "without the one before"),
        (pack_of(entry("a", b"\1\1\x09", b"\1" * 9), frames=b"x"), UnsupportedError, "dimensions"),
        (pack_of(entry("a", b"\4\x50\0")), UnsupportedError, "dtype of a converted"),
        (pack_of(entry("a", b"\3\1a")), CorruptError, "stands for another name"),
        (pack_of(entry("a", frame(2)), frames=b"x"), TruncatedError, "needs 27"),
        (pack_of(entry("a", frame(1)), frames=b"xy"), CorruptError, "after the last frame"),
        (pack_of(entry("a", frame(1)), b"\0", count=1, frames=b"x"), CorruptError, "follow"),
        (pack_of(b"\x80\x00", frames=b"x"), CorruptError, "shortest form"),
    ],
)
def test_a_broken_rule_is_named(data, kind, rule):
    with pytest.raises(kind, match=rule) as caught:
        read(data)
    assert type(caught.value) is kind


def test_a_conversion_that_there_is_not_names_its_tensor():
    whole = qcodec.encode(np.arange(9, dtype=np.uint8))
    pack = b"".join(
        write_pack(
            [
                PackItem("a", "frame", whole, (), "", "float32"),
                PackItem("b", "converted", b"", (), "a", "int8"),
            ],
            "balanced",
        )
    )
    with pytest.raises(CorruptError, match=r"^tensor 'b': a tensor of uint8 converted to int8"):
        qcodec.load(pack)


def test_frame_lengths_whose_sum_overflows_are_truncated():
    huge = (1 << 56) - 1
    with pytest.raises(TruncatedError):
        read(pack_of(*(entry(f"{number:03}", frame(huge)) for number in range(300))))


def test_more_entries_than_the_limit_are_refused_before_they_are_read():
    with pytest.raises(LimitError, match="max_tensors"):
        read(written(["a", "b", "c"], [b"x"] * 3), max_tensors=2)


def test_a_count_beyond_the_content_costs_no_memory():
    with pytest.raises(CorruptError):
        read(pack_of(count=1 << 40), max_tensors=1 << 50)


def test_a_small_table_that_decodes_to_much_is_refused_before_it_is_decoded():
    one = write_stream_of_zeros(1 << 22)
    with pytest.raises(LimitError, match="bytes in a table of"):
        read(one)


def write_stream_of_zeros(size):
    fields = frame_writer.write_fields(
        frame_writer.Frame("u8", "bytes", "dense", (size,), (), ()), 1
    )
    table = frame_writer.assemble(frame_writer.Parts(fields, None, b"", (b"\0\1\0",)))
    return b"QP" + bytes([core.FORMAT_VERSION, 0]) + vu(len(table)) + table


@pytest.mark.parametrize("order", [1, -1])
def test_names_of_a_hostile_pack_take_no_quadratic_time(order):
    names = [f"{number:05}" for number in range(65_536)][::order]
    names[-1] = names[0]
    content = b"".join([vu(len(names)), *(entry(name, frame(1)) for name in names)])
    start = time.thread_time()  # of the processor: what else the machine does is not counted
    with pytest.raises(CorruptError, match="there twice"):
        core.pack_read(content, 0, len(names), len(names))
    assert time.thread_time() - start < 5  # a quadratic search takes half a minute


def test_only_the_table_is_read():
    frames = [bytes(100_000)] * 40
    source = BytesSource(written([f"layer {n}" for n in range(40)], frames))
    read_pack(source)
    assert source.bytes_read <= 4096


@pytest.mark.parametrize(
    ("items", "rule"),
    [
        (items_of(["a", "a"], [b"x", b"y"]), "there twice"),
        (items_of(["n" * 1025], [b"x"]), "length of a name"),
        (items_of(["a"], [b""]), "length of a frame"),
        (items_of(["\ud800"], [b"x"]), "surrogates"),
        ([PackItem("a", "same", target="a")], "stands for another name"),
        ([PackItem("a", "same", target="n" * 1025)], "length of a name"),
        ([PackItem("a", "next", shape=(1,))], "without the one before"),
        ([PackItem("a", "first", b"x", (1,) * 9)], "dimensions"),
    ],
)
def test_a_pack_that_could_not_be_read_is_not_written(items, rule):
    with pytest.raises(ValueError, match=rule):
        write_pack(items)


def test_names_outside_of_their_bytes_are_refused():
    table = np.zeros(1, core.PACK_ENTRY)
    table["name_bytes"] = 5
    with pytest.raises(ValueError, match="not inside"):
        core.pack_write_content(b"four", np.zeros(0, np.uint64), table.view("u1"))
    table["name_bytes"], table["ndim"] = 4, 2
    with pytest.raises(ValueError, match="not inside"):
        core.pack_write_content(b"four", np.zeros(1, np.uint64), table.view("u1"))


def test_an_empty_pack_is_21_bytes():
    whole = b"".join(write_pack([]))
    assert len(whole) == 21
    assert read(whole).entries == ()
    assert np.array_equal(core.pack_read(b"\0", 0, 0, 0), np.zeros(0, core.PACK_ENTRY))
