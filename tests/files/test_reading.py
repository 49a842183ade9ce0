"""Only the requested parts of a file are read."""

import numpy as np
import pytest

import qcodec
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.errors import MissingTensorError
from qcodec.files import load, safe_open, save, save_file
from tests.files.nets import BACKENDS, all_same, model, same


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_tensor_reads_only_its_bytes(path, backend):
    with safe_open(path, backend=backend) as file:
        before = file.source.bytes_read
        assert before <= file.directory.header_bytes + 10 + 4096  # the header and a pack's table
        bias = file.get_tensor("fc.bias")
        assert file.source.bytes_read - before <= 2 * file.directory.tensors["fc.bias"].size
        assert same(bias, model()["fc.bias"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_slice_reads_only_its_chunks(tmp_path, backend):
    weight = np.random.default_rng(0).normal(size=(1000, 1000)).astype("f4")
    save_file({"weight": weight}, tmp_path / "big.qcodec", recipe=qcodec.Codebook(bits=8))
    with safe_open(tmp_path / "big.qcodec", backend=backend) as file:
        size, before = file.directory.tensors["weight"].size, file.source.bytes_read
        expected = file.get_tensor("weight")[500:503]
        whole = file.source.bytes_read - before
        part = file.get_slice("weight")[500:503]
        read = file.source.bytes_read - before - whole
    assert same(part, expected)
    assert whole >= size
    assert read < size / 4


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_slice_of_an_ordinary_tensor_reads_only_its_rows(tmp_path, backend):
    weight = model()["fc.weight"]
    save_file({"weight": weight}, tmp_path / "net.safetensors", recipe={"weight": None})
    with safe_open(tmp_path / "net.safetensors", backend=backend) as file:
        before = file.source.bytes_read
        assert same(file.get_slice("weight")[7:9, ::2], weight[7:9, ::2])
        # From the first element of row 7 to the last but one of row 8.
        assert len(weight[0]) % 2 == 0
        assert file.source.bytes_read - before == 2 * weight[0].nbytes - weight.itemsize


INDICES = [
    np.s_[3], np.s_[-1], np.s_[2:9:3], np.s_[::-2], np.s_[..., 1], np.s_[5, ..., ::2],
    np.s_[100:], np.s_[-100:4], np.s_[9:2], np.s_[1, 2, 0, 1], np.s_[...], np.s_[:, 1:3],
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
def test_slices_are_numpys(index, recipe):
    tensor = model()["conv.weight"]
    with TensorFile(BytesSource(save({"w": tensor}, recipe=recipe))) as file:
        part = file.get_slice("w")
        assert part.get_shape() == list(tensor.shape)
        assert part.get_dtype() == "F32"
        assert same(np.asarray(part[index]), np.asarray(tensor[index]))


@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (np.s_[16], IndexError), (np.s_[-17], IndexError), (np.s_[0, 0, 0, 0, 0], IndexError),
        (np.s_[..., ...], IndexError), ([1, 2], TypeError), (None, TypeError), (True, TypeError),
        (1.0, TypeError), ("w", TypeError), (np.ones(16, "?"), TypeError),
    ],
)  # fmt: skip
def test_other_indices_are_refused(index, kind, recipe):
    with TensorFile(BytesSource(save({"w": model()["conv.weight"]}, recipe=recipe))) as file:
        part = file.get_slice("w")
        with pytest.raises(kind):
            part[index]


def test_names_are_listed_counted_and_found(path):
    with safe_open(path) as file:
        assert file.keys() == list(file) == sorted(model())
        assert set(file.offset_keys()) == set(model())
        assert len(file) == 5
        assert "fc.bias" in file
        assert "fc.bias.qcodec" not in file
        assert all_same(file.get_tensors(), model())


def test_keys_by_offset_are_in_the_order_of_the_bytes(path):
    with safe_open(path) as file:
        offsets = [file.directory.tensors[name].offset for name in file.offset_keys()]
    assert offsets == sorted(offsets)


@pytest.mark.parametrize("method", ["get_tensor", "get_slice", "encoded", "info", "verify"])
def test_a_missing_name_is_a_key_error_too(path, method):
    with safe_open(path) as file, pytest.raises(KeyError, match="no tensor 'other'") as caught:
        getattr(file, method)("other")
    assert isinstance(caught.value, MissingTensorError)


def test_an_ordinary_tensor_has_no_frame_to_show():
    data = save(model(), recipe={"steps": None})
    with TensorFile(BytesSource(data)) as file, pytest.raises(TypeError, match="not encoded"):
        file.encoded("steps")


@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
def test_tensors_are_decoded_into_the_callers_array(recipe):
    weight = model()["fc.weight"]
    with TensorFile(BytesSource(save({"w": weight}, recipe=recipe))) as file:
        out = np.empty_like(weight)
        assert file.get_tensor("w", out) is out
        assert same(out, weight)
        with pytest.raises(ValueError, match="out is float32"):
            file.get_tensor("w", np.empty((3, 4), "f4"))
        with pytest.raises(ValueError, match="out is float64"):
            file.get_tensor("w", np.empty(weight.shape, "f8"))


@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
def test_floats_load_in_another_type_and_integers_keep_theirs(recipe):
    loaded = load(save(model(), recipe=recipe), dtype="float16")
    assert same(loaded["fc.weight"], model()["fc.weight"].astype("f2"))
    assert same(loaded["steps"], np.asarray(model()["steps"]))


@pytest.mark.parametrize("backend", BACKENDS)
def test_loaded_arrays_are_writable_and_outlive_the_file(path, backend):
    with safe_open(path, backend=backend) as file:
        weight = file.get_tensor("fc.weight")
        part = file.get_slice("fc.bias")[:3]
    weight += 1
    part += 1
    assert same(weight, model()["fc.weight"] + 1)


def test_another_backend_or_framework_is_refused(path):
    with pytest.raises(ValueError, match="'mmap' and 'pread'"):
        safe_open(path, backend="disk")
    with pytest.raises(ValueError, match="framework is 'jax'"):
        safe_open(path, "jax")
    with pytest.raises(ValueError, match="on the cpu"):
        safe_open(path, "numpy", "cuda:0")
