"""The strict reader of safetensors headers, with the safetensors library as the oracle."""

import json
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize

from qcodec._file.header import MAX_HEADER_BYTES, read_header
from qcodec._io.source import BytesSource
from qcodec.errors import CorruptError, LimitError, TruncatedError
from qcodec.limits import Limits

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
    "number": (b'{"a":' + b"9" * 5000 + b"}", b"", "entry 'a' is not a flat object"),
    "dim of 4,000 digits": (
        b'{"a":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}' % (b"9" * 4000),
        b"1",
        "lists of sizes",
    ),
    "deep nesting": (b'{"a":' + b"[" * 100_000, b"", "entry 'a' is not a flat object"),
    "nesting in an entry": (b'{"a":{"shape":' + b"[" * 4000 + b"}}", b"", "nested too deeply"),
    "object in an entry": (b'{"a":{"shape":{}}}', b"", "entry 'a' is not a flat object"),
    "metadata of objects": ({"__metadata__": {"a": {}}}, b"", "strings to strings"),
    "metadata without end": (b'{"__metadata__":{"a":"b"', b"", "not JSON"),
    "comma at the end": (b'{"__metadata__":{"a":"b",}}', b"", "not JSON"),
    "control character": (b'{"a\n":1}', b"", "not JSON"),
    "bad escape": (rb'{"\x":1}', b"", "not JSON"),
    "not UTF-8 in an entry": (b'{"a":{"\xff":1}}', b"", "not UTF-8"),
    "dtype of a number": (b'{"a":{"dtype":1,"shape":[],"data_offsets":[0,1]}}', b"1", "a dtype"),
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
        (b'{"__metadata__":{},"__metadata__":{}}', "key '__metadata__' twice"),
        (
            b'{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
            "a field twice",
        ),
        (b'{"a":%s%s}' % (json.dumps(tensor())[:-1].encode(), b" " * 4096 + b"}"), "4,096"),
        ({"a": tensor() | {"extra": 1}}, "exactly the fields"),
        (b' {"a":%s}' % json.dumps(tensor()).encode(), "begin with '{'"),
    ],
)
def test_doubtful_headers_that_the_library_takes_are_refused(header, rule):
    with pytest.raises(CorruptError, match=rule):
        read(file_of(header, b"1"))


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [("C64", [2], 16), ("F4", [2], 1), ("F6_E2M3", [4], 3), ("F8_E4M3FNUZ", [2], 2)],
)
def test_types_that_qcodec_does_not_decode_do_not_hide_their_neighbours(dtype, shape, size):
    header = {"a": tensor(dtype, shape, [0, size]), "b": tensor(offsets=[size, size + 1])}
    data = file_of(header, bytes(size + 1))
    deserialize(data)
    assert read(data).entries["b"].size == 1


def test_a_type_that_even_the_library_does_not_know_does_not_hide_its_neighbours():
    header = {"a": tensor("F3_NEW", [5], [0, 2]), "b": tensor(offsets=[2, 3])}
    entries = read(file_of(header, b"123")).entries
    assert (entries["a"].dtype, entries["a"].size, entries["b"].size) == ("F3_NEW", 2, 1)


@pytest.mark.parametrize("dtype", ["", "F" * 33, "F8 ", "F\u20ac", "\x1b[2J"])
def test_a_dtype_that_is_no_name_of_a_type_is_corrupt(dtype):
    with pytest.raises(CorruptError, match="name of a type"):
        read(file_of({"a": tensor(dtype)}, b"1"))


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


# ---- what hostile headers cost ----

ENTRY = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
BOMBS = {
    "tensors": b"{" + b",".join(b'"%d":%s' % (i, ENTRY) for i in range(400_000)) + b"}",
    "dims": b'{"a":{"dtype":"U8","shape":[' + b"0," * 9_000_000 + b'0],"data_offsets":[0,0]}}',
    "metadata": b'{"__metadata__":{%s}}' % b",".join(b'"%d":""' % i for i in range(2_000_000)),
    "lists": b'{"a":[' + b"[]," * 9_000_000 + b"[]]}",
    "nested lists": b'{"a":' + b"[" * 9_000_000,
    "nested objects": b'{"a":' * 4_000_000,
    "a long name": b'{"' + b"x" * 30_000_000 + b'":%s}' % ENTRY,
    "a name of escapes": b'{"' + b"\\u0000" * 5_000_000 + b'":%s}' % ENTRY,
    "a name without end": b'{"' + b"\\\\" * 15_000_000,
    "digits": b'{"a":{"shape":[' + b",".join([b"9" * 4299] * 7000) + b"]}}",
    "spaces": b"{" + b" " * 30_000_000,
    "a header beyond the limit": b"{" + b" " * (40 << 20) + b"}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_header_costs_a_second_and_no_memory_before_it_is_refused(name, tmp_path):
    path = tmp_path / "bomb.safetensors"
    path.write_bytes(file_of(BOMBS[name]))
    code = """
import sys, time, qcodec
def peak():
    if sys.platform != "linux":
        return 0
    status = open("/proc/self/status").read().split()
    return int(status[status.index("VmHWM:") + 1])
before, start = peak(), time.process_time()
try:
    qcodec.safe_open(sys.argv[1], backend="pread")
except qcodec.QCodecError as error:
    seconds = time.process_time() - start
    print(error.code, seconds, (peak() - before) >> 10, len(str(error)))
"""
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kind, seconds, mebibytes, characters = done.stdout.split()
    assert kind in ("limit", "corrupt")
    assert float(seconds) < 2  # a second on a machine that does nothing else
    assert int(mebibytes) < 200
    assert int(characters) <= 400


def test_many_tensors_with_long_names_are_read():
    names = [f"model.layers.{i:0150d}.weight" for i in range(65_536)]
    header = {name: tensor("F32", [4, 8], [128 * i, 128 * (i + 1)]) for i, name in enumerate(names)}
    assert list(read(file_of(header, bytes(128 * len(names)))).entries) == names


def test_names_have_65536_bytes_at_most():
    name = "x" * 65_536
    assert list(read(file_of({name: tensor()}, b"1")).entries) == [name]
    with pytest.raises(LimitError, match="name of 65,537 bytes, allowed 65,536"):
        read(file_of({name + "x": tensor()}, b"1"))


def test_digits_beyond_pythons_limit_are_an_error_of_ours(run_python):
    header = b'{"a":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}' % (b"9" * 1000)
    code = """
import sys, qcodec
sys.set_int_max_str_digits(640)
try:
    qcodec.load(bytes.fromhex(sys.argv[1]))
except qcodec.CorruptError as error:
    print(error)
"""
    assert "a number that is too large" in run_python(code, file_of(header, b"1").hex())


def test_limits_of_a_header_can_be_raised():
    data = file_of({"a": tensor(), "__metadata__": {"k": "v" * 100, "l": ""}}, b"1")
    for limits in (Limits(max_header_bytes=99), Limits(max_tensors=1)):
        with pytest.raises(LimitError, match=r"Limits\.max_"):
            read_header(BytesSource(data), limits)
    assert read_header(BytesSource(data), Limits.none()).metadata["k"] == "v" * 100
