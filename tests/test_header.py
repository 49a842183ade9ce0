"""The strict reader of safetensors headers, with the safetensors library as the oracle."""

import json
import time

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize

from qcodec.errors import CorruptError, TruncatedError, UnsupportedError
from qcodec.header import MAX_HEADER_BYTES, read_header
from qcodec.source import BytesSource

DTYPES = ["f4", "f2", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "?"]


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(dtype="U8", shape=(1,), offsets=(0, 1)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def read(data):
    return read_header(BytesSource(data))


shapes = st.lists(st.integers(0, 4), max_size=4)


@given(
    st.dictionaries(st.text(max_size=8), st.tuples(st.sampled_from(DTYPES), shapes), max_size=6),
    st.none() | st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)
def test_what_the_library_writes_is_read(specification, metadata):
    specification.pop("__metadata__", None)
    random = np.random.default_rng(1)
    tensors = {
        name: random.integers(0, 2, shape).astype(dtype)
        for name, (dtype, shape) in specification.items()
    }
    # Given an empty map, release 0.8 writes a header that it cannot read.
    data = safetensors.numpy.save(tensors, metadata or None)
    header = read(data)
    assert header.metadata == (metadata or {})
    assert set(header.entries) == set(tensors)
    for name, entry in header.entries.items():
        assert entry.shape == tensors[name].shape
        assert data[entry.offset : entry.offset + entry.size] == tensors[name].tobytes()


def test_entries_come_in_the_order_of_their_bytes():
    tensors = {"a": np.zeros(3, "u1"), "b": np.zeros(3, "f8"), "c": np.zeros(3, "f4")}
    assert list(read(safetensors.numpy.save(tensors)).entries) == ["b", "c", "a"]


def test_only_the_header_is_read():
    source = BytesSource(safetensors.numpy.save({"a": np.zeros(1 << 20, "u1")}))
    header = read_header(source)
    assert source.bytes_read == header.size + 1  # the '{' is looked at before the rest


REFUSED_BY_BOTH = {
    "not JSON": (b'{"a":}', b"", "not JSON"),
    "NaN": (b'{"a":NaN}', b"", "not JSON"),
    "trailing text": (b"{} x", b"", "not JSON"),
    "not UTF-8": (b'{"\xff":1}', b"", "not UTF-8"),
    "lone surrogate": (rb'{"\ud800":1}', b"", "not Unicode"),
    "metadata of numbers": ({"__metadata__": {"a": 1}}, b"", "strings to strings"),
    "metadata of a list": ({"__metadata__": ["a"]}, b"", "strings to strings"),
    "field missing": ({"a": {"dtype": "U8", "shape": [1]}}, b"1", "exactly the fields"),
    "fractional dim": ({"a": tensor(shape=[1.0])}, b"1", "lists of sizes"),
    "negative dim": ({"a": tensor(shape=[-1])}, b"1", "lists of sizes"),
    "boolean dim": ({"a": tensor(shape=[True])}, b"1", "lists of sizes"),
    "three offsets": ({"a": tensor(offsets=[0, 1, 2])}, b"1", "lists of sizes"),
    "length differs": ({"a": tensor(shape=[2])}, b"1", "1 bytes for U8"),
    "offsets descend": ({"a": tensor(shape=[0], offsets=[1, 0])}, b"1", "-1 bytes"),
    "half a byte": ({"a": tensor("F4", [3], [0, 1])}, b"1", "1 bytes for F4"),
    "size overflows": ({"a": tensor(shape=[1 << 32, 1 << 32, 0], offsets=[0, 0])}, b"", "64 bits"),
    "hole": ({"a": tensor(offsets=[1, 2])}, b"12", "a hole"),
    "hole between": ({"a": tensor(), "b": tensor(offsets=[2, 3])}, b"123", "a hole"),
    "overlap": (
        {"a": tensor(shape=[2], offsets=[0, 2]), "b": tensor(shape=[2], offsets=[1, 3])},
        b"123",
        "an overlap",
    ),
    "trailing bytes": ({"a": tensor()}, b"12", "1 bytes after its last tensor"),
    "number of 5000 digits": (b'{"a":' + b"9" * 5000 + b"}", b"", "too large"),
    "deep nesting": (b'{"a":' + b"[" * 100_000, b"", "nested"),
}


@pytest.mark.parametrize("case", REFUSED_BY_BOTH)
def test_what_the_library_refuses_is_refused_and_the_rule_is_named(case):
    header, body, rule = REFUSED_BY_BOTH[case]
    data = file_of(header, body)
    with pytest.raises(SafetensorError):
        deserialize(data)
    with pytest.raises(CorruptError, match=rule):
        read(data)


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (b'{"a":%s,"a":%s}' % ((json.dumps(tensor()).encode(),) * 2), "key 'a' twice"),
        (b'{"__metadata__":{"k":"1","k":"2"}}', "key 'k' twice"),
        ({"a": tensor() | {"extra": 1}}, "exactly the fields"),
        (b' {"a":%s}' % json.dumps(tensor()).encode(), "begin with '{'"),
    ],
)
def test_doubtful_headers_that_the_library_takes_are_refused(header, rule):
    with pytest.raises(CorruptError, match=rule):
        read(file_of(header, b"1"))


def test_an_unknown_dtype_is_unsupported():
    with pytest.raises(UnsupportedError, match="'F128'"):
        read(file_of({"a": tensor("F128")}, b"1"))


@pytest.mark.parametrize("dtype", ["C64", "F4"])
def test_types_that_qcodec_does_not_decode_do_not_hide_their_neighbours(dtype):
    size = {"C64": 16, "F4": 1}[dtype]
    header = {"a": tensor(dtype, [2], [0, size]), "b": tensor(offsets=[size, size + 1])}
    assert read(file_of(header, bytes(size + 1))).entries["b"].size == 1


def test_every_prefix_is_truncated():
    data = safetensors.numpy.save({"weight": np.ones(9, "f4")})
    for size in range(len(data)):
        with pytest.raises(TruncatedError):
            read(data[:size])


def test_an_incomplete_download_is_called_so():
    data = safetensors.numpy.save({"n" * 4000: np.ones(9, "f4")})
    with pytest.raises(TruncatedError, match=r"file is 812 bytes, its header needs 4,\d\d\d: inc"):
        read(data[:812])
    with pytest.raises(TruncatedError, match=r"its data needs .*: incomplete download\?"):
        read(data[:-1])


def test_a_header_beyond_100_mb_is_refused_unread():
    data = (MAX_HEADER_BYTES + 1).to_bytes(8, "little") + b"{" + bytes(100)
    with pytest.raises(CorruptError, match="allowed are 100,000,000"):
        read(data)


def test_a_shape_of_a_million_dims_takes_no_quadratic_time():
    data = file_of({"a": tensor(shape=[1 << 40] * 1_000_000)})
    start = time.thread_time()  # of the processor: what else the machine does is not counted
    with pytest.raises(CorruptError):
        read(data)
    assert time.thread_time() - start < 20  # the whole product takes many minutes
