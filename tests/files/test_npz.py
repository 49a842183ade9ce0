"""NumPy's .npz on the command line: every array is converted, or one line says why not."""

import ast
import contextlib
import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from qcodec._file.container import Ordinary
from qcodec.cli import main
from qcodec.cli.npz import npz_parts
from qcodec.dtypes import element_type
from qcodec.errors import CorruptError, LimitError, QCodecError
from qcodec.files import load_file, safe_open
from qcodec.limits import Limits

RANDOM = np.random.default_rng(0)
ARRAYS = {
    "dense": RANDOM.normal(size=(30, 40)).astype("f4"),
    "fortran": np.asfortranarray(RANDOM.normal(size=(7, 5))),
    "big-endian": np.arange(9, dtype=">i4").reshape(3, 3),
    "scalar": np.float16(2),
    "empty": np.zeros((0, 5), "u1"),
    "layers/0/ü d.npy": np.array([True, False]),
}


def npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array))
    return buffer.getvalue()


def header(shape, dtype="'<f8'", version=b"\1\0", order="False"):
    text = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == b"\1\0" else "<I", len(text))
    return b"\x93NUMPY" + version + length + text


def read(path, limits=None):
    """All arrays, with the archive's own checksums checked."""
    with safe_open(path, limits=limits) as file:
        file.directory.check()
        return {name: file.get_tensor(name) for name in file.offset_keys()}


def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


@pytest.fixture
def encode(tmp_path, capsys):
    """Encode an .npz file: the line that says what is wrong with it, without the file's name."""

    def run(path):
        capsys.readouterr()
        out = tmp_path / "out.qcodec"
        code = main(["encode", str(path), str(out)])
        printed = capsys.readouterr()
        assert (code, printed.out, printed.err.count("\n")) == (1, "", 1)
        assert not out.exists()
        start = f"qcodec: {path}: "
        assert printed.err.startswith(start)
        return printed.err[len(start) : -1]

    return run


# ---- in ----


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("threads", ["1", "3"])
def test_every_array_is_read(tmp_path, method, threads):
    members = {f"{name}.npy": npy(array) for name, array in ARRAYS.items()}
    path, out = archive(tmp_path / "in.npz", members, method), tmp_path / "out.qcodec"
    assert main(["encode", str(path), str(out), "--threads", threads]) == 0
    loaded = load_file(out)
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(loaded[name], array, strict=name != "big-endian")


def test_files_that_numpy_wrote_are_read(tmp_path):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "in.npz", first=ARRAYS["dense"], second=ARRAYS["fortran"])
        tensors = read(tmp_path / "in.npz")
        assert list(tensors) == ["first", "second"]
        np.testing.assert_array_equal(tensors["first"], ARRAYS["dense"])
        np.testing.assert_array_equal(tensors["second"], ARRAYS["fortran"])


WHOLE = npy(np.arange(300.0))
#: Members that are broken, and what is said of them.
BROKEN = {
    "cut": (WHOLE[:-100], r"2,300 bytes of data for float64\[300\], which has 2,400"),
    "too long": (WHOLE + b"\0", "2,401 bytes of data"),
    "no array": (b"hello", "EOF: reading magic string"),
    "nothing": (b"", "EOF: reading magic string"),
    "another version": (
        header("(1,)", version=b"\3\0") + bytes(8),
        r"format \(3, 0\), allowed are",
    ),
    "cut header": (WHOLE[:40], "EOF"),
    "header of zeros": (WHOLE[:10] + bytes(118), ""),
    "header that is no literal": (header("(__import__('os').abort(),)"), ""),
    "deeply nested header": (header("(" * 3000 + "0," + ")" * 3000), ""),
    "header with a missing field": (header("(1,)").replace(b"'shape'", b"'shap'  "), ""),
    "shape that is no tuple": (header("'abc'"), "shape"),
    "negative dimension": (header("(-1,)") + bytes(80), r"has the shape \[-1\]"),
    "two negative dimensions": (header("(-2, -2)") + bytes(32), r"has the shape \[-2, -2\]"),
    "10^14 elements": (header("(99999999999999,)"), "which has 799,999,999,999,992"),
    "more than 64 bits": (header(f"({1 << 40}, {1 << 40})"), "0 bytes of data"),
    "an empty array that NumPy cannot have": (header(f"(0, {1 << 62}, {1 << 62})"), ""),
    "100 dimensions": (header("(" + "1," * 100 + ")") + bytes(8), "dimension"),
    "objects": (header("(1,)", "'|O'") + bytes(8), "of NumPy's type object"),
    "a record": (header("(1,)", "[('x', '<f8')]") + bytes(8), "of NumPy's type"),
    "bytes without a type": (header("(4,)", "'|V2'") + bytes(8), "of NumPy's type"),
    "no such type": (header("(1,)", "'<q99'") + bytes(8), ""),
    "elements of no size": (header("(3,)", "'<U0'"), ""),
}


@pytest.mark.parametrize(("data", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_member_is_one_line_that_names_it(tmp_path, encode, data, message):
    path = archive(tmp_path / "in.npz", {"fine.npy": WHOLE, "a.npy": data})
    line = encode(path)
    assert line.startswith(("member 'a.npy': ", "tensor 'a'"))
    assert re.search(message, line)


@pytest.mark.parametrize("dtype", ["M8[s]", "S3", "U3", "c16"])
def test_unsupported_element_types_name_the_tensor(tmp_path, encode, dtype):
    path = archive(tmp_path / "in.npz", {"a.npy": npy(np.zeros(3, dtype))})
    assert "'a'" in encode(path)


def changed(path, value, offset_in_directory, offset_in_member):
    """Set a field of the only member, in both of its headers."""
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\1\2")
    for start in (directory + offset_in_directory, offset_in_member):
        data[start : start + len(value)] = value
    path.write_bytes(data)
    return path


def test_encrypted_members_are_refused(tmp_path, encode):
    path = archive(tmp_path / "in.npz", {"a.npy": WHOLE})
    assert encode(changed(path, b"\1", 8, 6)) == "member 'a.npy': is encrypted"


@pytest.mark.parametrize("method", [1, 12, 14, 93, 99])
def test_other_compressions_are_refused_with_those_allowed(tmp_path, encode, method):
    path = archive(tmp_path / "in.npz", {"a.npy": WHOLE})
    line = encode(changed(path, bytes([method]), 10, 8))
    assert line.startswith(f"member 'a.npy': compressed by method {method}, allowed: 0 (stored), 8")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_changed_byte_and_every_prefix_is_an_error_or_the_same_array(tmp_path, method):
    array = np.arange(40, dtype="f4")
    path = archive(tmp_path / "in.npz", {"a.npy": npy(array)}, method)
    data = path.read_bytes()
    flipped = (data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :] for at in range(len(data)))
    broken = [*(data[:size] for size in range(0, len(data), 3)), *flipped]
    messages = []
    for content in broken:
        path.write_bytes(content)
        try:
            for found in read(path).values():
                np.testing.assert_array_equal(found, array)
        except QCodecError as error:
            messages.append(str(error))
    assert len(messages) > len(broken) // 2
    assert not any("\n" in message for message in messages)


@pytest.mark.parametrize("data", [b"PK\3\4" + bytes(100), b"PK\5\6" + b"\xff" * 18, WHOLE[:200]])
def test_what_is_no_npz_file_is_one_line(tmp_path, encode, data):
    path = tmp_path / "in.npz"
    path.write_bytes(data)
    assert re.match(r"not an archive: |72 bytes of data for float64", encode(path))


def test_a_member_that_is_no_array_is_named(tmp_path, encode):
    path = archive(tmp_path / "in.npz", {"a.npy": WHOLE, "readme.txt": b"hello"})
    assert encode(path) == "member 'readme.txt': is no array: allowed are names that end in .npy"


def test_a_name_that_is_there_twice_is_refused(tmp_path, encode):
    path = tmp_path / "in.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.npy", WHOLE)
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.npy", WHOLE)
    assert encode(path) == "member 'a.npy': is there twice"


def test_long_names_do_not_make_long_lines(tmp_path, encode):
    path = archive(tmp_path / "in.npz", {"n" * 60000 + ".npy": b"broken"})
    assert len(encode(path)) < 300


def test_limits_hold(tmp_path):
    path = str(archive(tmp_path / "in.npz", {f"{n}.npy": WHOLE for n in range(3)}))
    for limits, name in (
        (Limits(max_tensors=2), "max_tensors"),
        (Limits(max_tensor_bytes=2399), "max_tensor_bytes"),
        (Limits(max_file_bytes=1000), "max_file_bytes"),
    ):
        with pytest.raises(LimitError, match=name):
            read(path, limits)


def test_a_size_that_the_file_cannot_hold_is_refused_before_memory_is_taken(tmp_path):
    size = 1 << 30
    lies = header(f"({size},)", "'|u1'")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = archive(tmp_path / "in.npz", {"a.npy": lies}, method)
        changed(path, struct.pack("<I", len(lies) + size), 24, 22)
        with pytest.raises(CorruptError, match="more than there can be"):
            read(path)


def test_a_bomb_is_refused_before_memory_is_taken(tmp_path):
    """64 MiB of zeros in 64 KiB."""
    zeros = npy(np.zeros(1 << 26, "u1"))
    path = archive(tmp_path / "in.npz", {"a.npy": zeros}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 17
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match=r"'a\.npy': 67,108,992 bytes"):
            read(path, Limits(max_tensor_bytes=1 << 25))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_members_that_overlap_are_refused(tmp_path, encode):
    """How bombs make a few bytes count many times: here a member within another one."""
    inner = archive(tmp_path / "inner", {"b.npy": WHOLE}).read_bytes()
    outer = archive(tmp_path / "in.npz", {"a.npy": npy(np.frombuffer(inner, "u1"))})
    data = outer.read_bytes()
    first, end = data.rindex(b"PK\1\2"), data.rindex(b"PK\5\6")
    entry = bytearray(inner[inner.index(b"PK\1\2") : inner.rindex(b"PK\5\6")])
    entry[42:46] = struct.pack("<I", data.index(inner))
    directory = data[first:end] + entry
    tail = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 2, 2, len(directory), first, 0)
    outer.write_bytes(data[:first] + directory + tail)
    with contextlib.suppress(zipfile.BadZipFile), np.load(outer) as loaded:  # new Pythons see it
        assert loaded["b"].tolist() == list(range(300))
    assert encode(outer) == "not an archive: its members overlap, as those of a bomb do"


# ---- out ----

NAMES = {
    "": "is empty",
    "a\0x": "has characters that are not text",
    "../evil": "leads out of the folder",
    "a/../../evil": "leads out of the folder",
    "a/..": "leads out of the folder",
    "/abs": "is an absolute path",
    "C:\\evil": "is an absolute path, or has a backslash",
    "c:evil": "is an absolute path",
    "..\\evil": "has a backslash",
    "\\\\host\\evil": "has a backslash",
    "n" * 65532: "is 65,536 bytes long, allowed are 65,535",
    "ü" * 32766: "is 65,536 bytes long",
}


@pytest.mark.parametrize(("name", "message"), NAMES.items(), ids=[name[:20] for name in NAMES])
def test_a_name_that_npz_cannot_have_is_an_error_and_nothing_is_written(
    tmp_path, capsys, name, message
):
    source, out = tmp_path / "in.safetensors", tmp_path / "out.npz"
    out.write_bytes(b"old")
    safetensors.numpy.save_file({"fine": np.ones(2), name: np.ones(3)}, source)
    assert main(["decode", str(source), str(out)]) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert f"tensor {name[:20]!r}".rstrip("'") in printed.err
    assert (printed.out, printed.err.count("\n"), len(printed.err) < 500) == ("", 1, True)
    assert out.read_bytes() == b"old"


def test_names_that_numpy_cannot_tell_apart_are_refused(tmp_path, capsys):
    source, out = tmp_path / "in.safetensors", tmp_path / "out.npz"
    safetensors.numpy.save_file({"d": np.ones(2), "d.npy": np.zeros(3)}, source)
    assert main(["decode", str(source), str(out)]) == 1
    assert "tensor 'd': its name cannot be told from 'd.npy'" in capsys.readouterr().err
    assert not out.exists()


ODD = [
    "file",
    "d.npy",
    "a/b",
    "a//b",
    "./a",
    "..",
    "...",
    "a..b",
    "ü",
    "\u202eevil",
    "w:0",
    "n" * 65531,
]


def ordinary(array):
    return Ordinary(array, element_type(array.dtype))


@given(st.sets(st.sampled_from(ODD) | st.text(max_size=4), min_size=1, max_size=6))
def test_every_tensor_comes_back_under_its_name_or_an_error_names_one(names):
    tensors = {name: ordinary(np.full(3, n, "f4")) for n, name in enumerate(sorted(names))}
    try:
        data = b"".join(map(bytes, npz_parts(tensors)))
    except ValueError as error:
        named = re.match(r"tensor (.*): its name ", str(error), re.DOTALL)
        assert named is not None
        assert ast.literal_eval(named[1]) in names
        return
    with np.load(io.BytesIO(data)) as loaded:
        assert len(loaded.files) == len(tensors)
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(loaded[name], tensor.array)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in file.namelist():
            assert not name.startswith(("/", "\\"))
            assert ".." not in re.split(r"[/\\]", name)


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "out.npz"
    arrays = {name: array for name, array in ARRAYS.items() if name != "big-endian"}
    tensors = {name: ordinary(array) for name, array in arrays.items()}
    path.write_bytes(b"".join(map(bytes, npz_parts(tensors))))
    tensors = read(path)
    assert list(tensors) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(tensors[name], array, strict=True)
