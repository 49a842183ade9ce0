"""Ordinary tensors of safetensors files: every element type, and shapes beyond NumPy."""

import json

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._file.header import BITS
from qcodec._file.header_writer import TensorSpec, write_header
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.cli import main
from qcodec.cli.inspect import describe
from qcodec.dtypes import BY_SAFETENSORS
from qcodec.files import safe_open

#: What safetensors has, and qcodec does not decode: shape and bytes.
OPAQUE = {
    "F4": ((4, 4), 8),
    "F6_E2M3": ((4,), 3),
    "F6_E3M2": ((8,), 6),
    "F8_E4M3FNUZ": ((5,), 5),
    "F8_E5M2FNUZ": ((5,), 5),
    "C64": ((2, 1), 16),
}


def file_of(tensors, metadata=None):
    """Of (dtype, shape, bytes) by name."""
    specifications = {
        name: TensorSpec(dtype, tuple(shape), len(data))
        for name, (dtype, shape, data) in tensors.items()
    }
    header, order = write_header(specifications, metadata)
    return header + b"".join(tensors[name][2] for name in order)


# ---- the header as the library writes it ----

NUMPY = {
    "b1": "BOOL", "u1": "U8", "i1": "I8", "u2": "U16", "i2": "I16", "f2": "F16", "u4": "U32",
    "i4": "I32", "f4": "F32", "u8": "U64", "i8": "I64", "f8": "F64", "c8": "C64",
}  # fmt: skip


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        st.tuples(st.sampled_from(sorted(NUMPY)), st.lists(st.integers(0, 3), max_size=3)),
        max_size=6,
    ),
    st.none() | st.dictionaries(st.text(max_size=6), st.text(max_size=6), min_size=1, max_size=1),
)
def test_headers_are_those_of_the_library(specification, metadata):
    specification.pop("__metadata__", None)
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in specification.items()}
    theirs = safetensors.serialize(
        {
            name: safetensors.TensorSpec(
                dtype=array.dtype.name,
                shape=array.shape,
                data_ptr=array.ctypes.data,
                data_len=array.nbytes,
            )
            for name, array in arrays.items()
        },
        metadata,
    )
    ours = file_of(
        {name: (NUMPY[array.dtype.str[1:]], array.shape, array.tobytes())
         for name, array in arrays.items()},
        metadata,
    )  # fmt: skip
    assert ours == theirs


def test_the_library_reads_every_type_whose_order_is_known():
    for dtype, bits in BITS.items():
        data = file_of({"a": (dtype, (8,), bytes(bits)), "b": ("U64", (1,), bytes(8))})
        assert [name for name, _ in safetensors.deserialize(data)] in (["b", "a"], ["a", "b"])


# ---- types that are stepped over ----


def opaque_file(dtype):
    shape, size = OPAQUE.get(dtype, ((3,), 7))
    random = np.random.default_rng(3)
    return {
        "x": (dtype, shape, random.bytes(size)),
        "y": ("F32", (2,), np.array([1.5, -2], "<f4").tobytes()),
    }


@pytest.mark.parametrize("dtype", [*OPAQUE, "F3_FUTURE"])
def test_tensors_that_are_not_decoded_do_not_hide_others(dtype, tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of(opaque_file(dtype)))
    with safe_open(path) as file:
        assert file.keys() == ["x", "y"]
        assert file.get_tensor("y").tolist() == [1.5, -2]
        file.verify("x")
        for read in (file.get_tensor, file.get_slice, file.element_type):
            with pytest.raises(qcodec.UnsupportedError, match=f"tensor 'x'.*{dtype}"):
                read("x")
    with pytest.raises(qcodec.UnsupportedError, match=f"tensor 'x'.*{dtype}"):
        qcodec.load_file(path)
    assert main(["verify", str(path)]) == 0
    assert main(["inspect", str(path)]) == 0
    assert dtype in capsys.readouterr().out


@pytest.mark.parametrize("dtype", [*OPAQUE, "F3_FUTURE"])
def test_keep_copies_what_is_not_decoded(dtype, tmp_path, capsys):
    path, encoded, back = (tmp_path / f"{name}.safetensors" for name in ("a", "b", "c"))
    tensors = opaque_file(dtype)
    path.write_bytes(file_of(tensors))
    assert main(["encode", str(path), str(encoded), "--tensor", "^x$=keep"]) == 0
    assert main(["verify", str(encoded)]) == 0
    assert main(["decode", str(encoded), str(back)]) == 0
    assert back.read_bytes() == path.read_bytes()
    if dtype in BITS:
        found = dict(safetensors.deserialize(encoded.read_bytes()))["x"]
        assert (found["dtype"], bytes(found["data"])) == (dtype, tensors["x"][2])
        assert tuple(found["shape"]) == tensors["x"][1]


def test_without_keep_the_error_names_the_tensor_and_the_rule(tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of(opaque_file("F4")))
    for out, advice in (("b.safetensors", "keep"), ("b.qcodec", ".safetensors file")):
        assert main(["encode", str(path), str(tmp_path / out)]) == 1
        error = capsys.readouterr().err
        assert all(part in error for part in ("tensor 'x'", "F4", advice)), error
        assert not (tmp_path / out).exists()
    rule = ["--tensor", "^x$=codebook(bits=4)"]
    assert main(["encode", str(path), str(tmp_path / "b.safetensors"), *rule]) == 1
    assert "tensor 'x'" in capsys.readouterr().err


def test_an_npz_cannot_have_what_is_not_decoded(tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of(opaque_file("F8_E4M3FNUZ")))
    assert main(["decode", str(path), str(tmp_path / "b.npz")]) == 1
    assert "tensor 'x': .npz has no F8_E4M3FNUZ" in capsys.readouterr().err


def test_tensors_that_end_within_a_byte_are_refused():
    header = b'{"x":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}'
    with pytest.raises(qcodec.CorruptError, match="2 bytes for F4"):
        qcodec.load(len(header).to_bytes(8, "little") + header + b"12")


# ---- bytes that are no bool ----


def test_bool_is_0_or_1(tmp_path, capsys):
    elements = bytearray(np.arange(1 << 21, dtype=np.uint32).astype(np.uint8) % 2)
    good = file_of({"flags": ("BOOL", (len(elements),), bytes(elements))})
    assert qcodec.load(good)["flags"].sum() == len(elements) // 2
    elements[1_500_000] = 7
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of({"flags": ("BOOL", (len(elements),), bytes(elements))}))
    message = r"tensor 'flags': bool at byte 1,500,000 \(found 7, allowed 0 and 1\)"
    with safe_open(path, backend="pread") as file:
        for read in (file.get_tensor, file.verify, lambda name: file.get_slice(name)[1_400_000:]):
            with pytest.raises(qcodec.CorruptError, match=message):
                read("flags")
        assert file.get_slice("flags")[:1_500_000].sum() == 750_000
    assert main(["verify", str(path)]) == 1
    assert "found 7" in capsys.readouterr().out


# ---- shapes that NumPy cannot have ----

SHAPES = {
    "65 dims": ("U8", [1] * 65, 1),
    "33 dims, empty": ("U8", [1] * 98 + [0], 0),
    "0 x 2^63": ("U8", [0, 1 << 63], 0),
    "2^63 x 0": ("U8", [1 << 60, 0], 0),
    "0 x 2^62 x 4": ("F64", [0, 1 << 62, 4], 0),
    "0 x 2^56": ("BOOL", [0, 1 << 56], 0),
    "0 x 2^53 of 8 bytes": ("I64", [0, 1 << 53], 0),
}


def outcome(call):
    """'ok', or the kind and text of the error that bytes may give; others are not caught."""
    try:
        call()
    except qcodec.QCodecError as error:
        return error.code, str(error)
    return "ok"


def outcomes(data):
    """Of every way to a file's tensor "a"; all of them agree."""
    file = TensorFile(BytesSource(data))
    found = {
        outcome(lambda: qcodec.load(data)),
        outcome(lambda: file.get_tensor("a")),
        outcome(lambda: file.get_slice("a")[...]),
        outcome(lambda: file.get_slice("a")[:0]),
        outcome(lambda: file.verify("a")),
        outcome(file.get_tensors),
    }
    assert describe(file)["tensors"][0]["name"] == "a"
    assert len(found) == 1, found
    return found.pop()


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_numpy_cannot_have_are_refused_by_all_alike(name, tmp_path, capsys):
    dtype, shape, size = SHAPES[name]
    data = file_of({"a": (dtype, shape, bytes(size))})
    code, message = outcomes(data)
    assert (code, message[:30]) == ("limit", "tensor 'a' has the shape " + message[25:30])
    path = tmp_path / "net.safetensors"
    path.write_bytes(data)
    assert main(["verify", str(path)]) == 1
    assert "tensor 'a' has the shape" in capsys.readouterr().out
    for command in ("decode", "encode"):
        assert main([command, str(path), str(tmp_path / "out.safetensors")]) == 1
        assert "tensor 'a' has the shape" in capsys.readouterr().err
    assert main(["inspect", str(path)]) == 0


dims = st.sampled_from([0, 1, 2, 3, 1 << 31, 1 << 32, 1 << 53, (1 << 56) - 1, 1 << 63])


@given(
    st.sampled_from(sorted(BY_SAFETENSORS)),
    st.lists(dims, min_size=1, max_size=8)
    | st.lists(st.sampled_from([0, 1]), min_size=1, max_size=80),
)
def test_any_shape_gives_an_array_or_one_error(dtype, shape):
    size = BITS[dtype] // 8
    for dim in shape:
        size *= dim
        if 8 * size >= 1 << 64:
            return  # refused by the header's own rule
    if size > 1 << 12:
        return
    found = outcomes(file_of({"a": (dtype, shape, bytes(size))}))
    if found == "ok":
        assert np.empty(shape, BY_SAFETENSORS[dtype].carrier).nbytes == size


@pytest.mark.parametrize("shape", [(1,) * 64, (0, 1 << 40), (1 << 40, 0, 3)])
def test_odd_shapes_that_numpy_can_have_are_read(shape):
    if len(shape) > 32 and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("NumPy 1 has at most 32 dimensions")
    data = file_of({"a": ("F32", shape, bytes(4 if 0 not in shape else 0))})
    assert qcodec.load(data)["a"].shape == shape
    torch = pytest.importorskip("torch")
    found = TensorFile(BytesSource(data), "pt").get_tensor("a")
    assert (tuple(found.shape), found.dtype) == (shape, torch.float32)


def test_json_of_shapes_is_whole(tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    path.write_bytes(file_of({"a": ("U8", [1] * 65, b"x")}))
    assert main(["inspect", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["tensors"][0]["shape"] == [1] * 65
