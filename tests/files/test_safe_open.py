"""What an open file of safetensors can do, ours can too, and means the same by it."""

import json
import struct

import numpy as np
import pytest
import safetensors
from safetensors.numpy import save_file as save_plain

import qcodec
from qcodec.errors import MissingTensorError
from qcodec.files import load, load_file, safe_open, save, save_file
from tests.files.nets import BACKENDS, all_same, model, same


@pytest.fixture
def plain(tmp_path):
    save_plain(
        {name: np.ascontiguousarray(tensor) for name, tensor in model().items()},
        tmp_path / "plain.safetensors",
    )
    return tmp_path / "plain.safetensors"


def test_every_method_of_the_safetensors_library_is_there(plain):
    with safetensors.safe_open(plain, "np") as theirs, safe_open(plain) as ours:
        missing = {name for name in dir(theirs) if name[0] != "_"} - set(dir(ours))
        of_slices = {name for name in dir(theirs.get_slice("fc.bias")) if name[0] != "_"}
        missing |= of_slices - set(dir(ours.get_slice("fc.bias")))
    assert not missing


def test_the_meta_of_an_ordinary_tensor_is_what_the_header_says(plain):
    data = plain.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    with safe_open(plain) as ours, safetensors.safe_open(plain, "np") as theirs:
        for name in ours:
            meta = ours.get_tensor_meta(name)
            assert meta.dtype == header[name]["dtype"]
            assert meta.shape == header[name]["shape"]
            assert list(meta.data_offsets) == header[name]["data_offsets"]
            if hasattr(theirs, "get_tensor_meta"):  # from 0.9 on
                found = theirs.get_tensor_meta(name)
                assert (found.dtype, found.shape, found.data_offsets) == meta


@pytest.mark.parametrize("layout", ["pack", "entries"])
def test_the_meta_of_an_encoded_tensor_is_its_type_shape_and_the_place_of_its_frame(
    tmp_path, layout
):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, layout=layout)
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    with safe_open(path) as file:
        for name, tensor in model().items():
            meta = file.get_tensor_meta(name)
            assert meta.dtype == {"f4": "F32", "i8": "I64", "f2": "F16"}[tensor.dtype.str[1:]]
            assert meta.shape == list(tensor.shape)
            first, stop = meta.data_offsets
            frame = qcodec.Encoded(data[start + first : start + stop])
            if frame.shape == tensor.shape:  # not one that shares a frame
                assert same(frame.decode(), np.asarray(tensor))
        assert layout == "pack" or frame.shape == tensor.shape


def test_the_meta_of_a_large_tensor_reads_only_its_head(tmp_path):
    save_file({"w": np.arange(3_000_000)}, tmp_path / "net.qcodec", recipe=qcodec.Verbatim())
    with safe_open(tmp_path / "net.qcodec") as file:
        before = file.source.bytes_read
        assert file.get_tensor_meta("w")[:2] == ("I64", [3_000_000])
        assert file.source.bytes_read - before < 10_000


def test_the_meta_of_a_type_that_is_not_decoded_is_there(tmp_path):
    header = json.dumps({"x": {"dtype": "F4", "shape": [2, 4], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with safe_open(path) as file:
        assert file.get_tensor_meta("x") == ("F4", [2, 4], (0, 4))


def test_the_meta_of_a_missing_tensor_is_an_error(plain):
    with safe_open(plain) as file, pytest.raises(MissingTensorError, match="'fc'"):
        file.get_tensor_meta("fc")


def test_a_header_of_any_length_is_one_of_safetensors(tmp_path):
    header = json.dumps({"x": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}).encode()
    for length in range(len(header), 0x600):  # with the first bytes of a pickle, among others
        data = struct.pack("<Q", length) + header.ljust(length) + b"ab"
        assert load(data)["x"].tobytes() == b"ab", length
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", 0x280) + header.ljust(0x280) + b"ab")
    assert load_file(tmp_path / "x.safetensors")["x"].tobytes() == b"ab"


@pytest.mark.parametrize("backend", BACKENDS)
def test_load_file_gives_torch_tensors_if_asked(plain, backend):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as load_theirs

    theirs = load_theirs(plain)
    for tensors in (
        load_file(plain, framework="pt", device="cpu", backend=backend),
        load(plain.read_bytes(), framework="pt"),
    ):
        assert tensors.keys() == theirs.keys()
        assert all(torch.equal(tensors[name], theirs[name]) for name in theirs)
    assert load_file(plain, framework="pytorch", device="meta")["fc.bias"].is_meta


def test_numpy_arrays_are_on_the_cpu(plain):
    with pytest.raises(ValueError, match="device is 'cuda'"):
        load_file(plain, device="cuda")
    with safe_open(plain) as file, pytest.raises(ValueError, match="device is 0"):
        file.prefetch(device=0)


def test_a_layout_of_entries_has_one_frame_for_each_tensor(tmp_path):
    tensors = {**model(), "again": model()["fc.bias"], "bits": np.arange(9, dtype="u1")}
    tied = {**tensors, "tied": tensors["fc.weight"]}
    path = tmp_path / "net.qc.safetensors"
    size = save_file(tied, path, {"format": "pt"}, layout="entries", recipe=None)
    assert size == path.stat().st_size
    assert save(tied, {"format": "pt"}, layout="entries") == path.read_bytes()
    with safetensors.safe_open(path, "np") as file:
        assert set(file.keys()) == {f"{name}.qcodec" for name in tied}
        assert file.metadata() == {"format": "pt"}
        for name, tensor in tied.items():
            decoded = qcodec.decode(file.get_tensor(f"{name}.qcodec").tobytes())
            assert same(decoded, np.asarray(tensor))
    assert all_same(load_file(path), tied)


def test_a_layout_of_entries_keeps_ordinary_tensors(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, layout="entries", recipe={"fc": None, ".": qcodec.Lossless()})
    with safetensors.safe_open(path, "np") as file:
        assert {"fc.weight", "fc.bias", "conv.weight.qcodec"} < set(file.keys())
    assert all_same(load_file(path), model())


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("a.qcodec", {"layout": "entries"}, "no pack: a .qcodec file is one"),
        ("a.safetensors", {"layout": "entries", "attached": {"b": b"c"}}, "attached bytes need"),
        ("a.safetensors", {"layout": "rows"}, "layout is 'rows', allowed are 'pack' and 'entries'"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(tmp_path, name, options, error):
    with pytest.raises(ValueError, match=error):
        save_file(model(), tmp_path / name, **options)
    assert not list(tmp_path.iterdir())
