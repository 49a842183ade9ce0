"""Files restore all tensors, in every container, of every type, tied or not."""

import threading
from collections import UserDict
from collections.abc import Mapping

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._file import saving
from qcodec._file.container import LARGE_FRAME_BYTES, Ordinary, safetensors_parts
from qcodec._file.directory import read_directory
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.dtypes import BY_NAME
from qcodec.files import load, load_file, safe_open, save, save_file
from tests.files.nets import BACKENDS, all_same, model, same

NUMPY_DTYPES = ["f4", "f2", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "?"]


@pytest.mark.parametrize("suffix", [".qc.safetensors", ".safetensors", ".qcodec"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_tensor_comes_back_bit_for_bit(tmp_path, suffix, backend):
    path = tmp_path / f"net{suffix}"
    size = save_file(model(), path)
    assert path.stat().st_size == size
    assert all_same(load_file(path, backend=backend), model())


@given(
    st.dictionaries(
        st.text(max_size=6).filter(lambda name: name != "__metadata__"),
        st.tuples(
            st.sampled_from(NUMPY_DTYPES), st.lists(st.integers(0, 3), max_size=4), st.booleans()
        ),
        max_size=5,
    )
)
def test_any_names_types_and_shapes_come_back(specification):
    random = np.random.default_rng(1)
    tensors = {
        name: random.integers(0, 2, shape).astype(dtype)
        for name, (dtype, shape, _) in specification.items()
    }
    kept = {name for name, (_, _, keep) in specification.items() if keep}
    rules = {f"^{name.encode().hex()}$": None for name in kept}
    named = {name.encode().hex(): array for name, array in tensors.items()}
    assert all_same(load(save(named, recipe=rules)), named)
    assert all_same(load(save(tensors)), tensors)


def test_the_container_is_a_valid_safetensors_file_and_small_frames_share_an_entry(path):
    entries = safetensors.numpy.load_file(path)
    assert set(entries) == {"qcodec.pack", "fc.weight.qcodec"}
    assert entries["fc.weight.qcodec"].nbytes >= LARGE_FRAME_BYTES
    assert same(qcodec.decode(entries["fc.weight.qcodec"]), model()["fc.weight"])


def test_tensors_that_are_left_alone_are_readable_by_anyone(tmp_path):
    path = tmp_path / "net.safetensors"
    save_file(model(), path, recipe={"bias$": None, "steps": "keep"})
    with safetensors.safe_open(path, "np") as file:
        assert {"fc.bias", "steps"} <= set(file.keys())
        assert same(file.get_tensor("fc.bias"), model()["fc.bias"])
    assert all_same(load_file(path), model())


def test_files_of_the_safetensors_library_are_read(tmp_path):
    path = tmp_path / "plain.safetensors"
    tensors = {name: np.asarray(array) for name, array in model().items()}
    safetensors.numpy.save_file(tensors, path)
    assert all_same(load_file(path), tensors)


def test_ordinary_tensors_are_the_bytes_that_the_library_writes():
    tensors = {name: np.asarray(array) for name, array in model().items()}
    contents = {name: Ordinary(a, BY_NAME[a.dtype.name]) for name, a in tensors.items()}
    ours = b"".join(safetensors_parts(contents, {"format": "pt"}))
    assert ours == safetensors.numpy.save(tensors, {"format": "pt"})


def test_a_pack_keeps_every_bit_of_tensors_that_are_left_alone(tmp_path):
    path = tmp_path / "net.qcodec"
    save_file(model(), path, recipe={"bias": None, "": qcodec.Lossless()})
    assert all_same(load_file(path), model())


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        np.asfortranarray,
        lambda a: a.astype(">f4"),
        lambda a: np.broadcast_to(a[0], a.shape),
    ],
)
@pytest.mark.parametrize("recipe", [None, {".": None}])
def test_strides_and_byte_order_do_not_matter(view, recipe):
    array = view(model()["fc.weight"])
    assert np.array_equal(load(save({"weight": array}, recipe=recipe))["weight"], array)


@pytest.mark.parametrize("shift", range(9))
def test_files_at_any_address_are_read(shift):
    data = save(model(), recipe={"bias": None})
    buffer = bytearray(shift) + data
    assert all_same(load(memoryview(buffer)[shift:]), model())


def test_metadata_comes_back(path):
    with safe_open(path) as file:
        assert file.metadata() == {"format": "pt"}
    with TensorFile(BytesSource(save({}, metadata={}))) as file:
        assert file.metadata() is None


@pytest.mark.parametrize(("threads", "profile"), [(3, "balanced"), (1, "small"), (2, "fast")])
def test_threads_and_profiles_change_no_tensor(threads, profile):
    data = save(model(), threads=threads, profile=profile)
    assert all_same(load(data, threads=threads), model())


@pytest.mark.parametrize("recipe", ["lossless", "codebook4"])
def test_the_bytes_do_not_depend_on_threads(recipe):
    random = np.random.default_rng(8)
    tensors = model() | {
        f"{i}.weight": random.standard_normal((side, side), dtype=np.float32)
        for i, side in enumerate((64, 9, 300, 64, 128, 129, 65, 64))
    }
    one = save(tensors, recipe=recipe)
    for threads in (2, 3, 7):
        assert save(tensors, recipe=recipe, threads=threads) == one


def test_small_tensors_without_loss_are_encoded_by_the_calling_thread(monkeypatch):
    encode, where = saving.encode_frame, {}

    def noting(quantized, *arguments, **options):
        where.setdefault(quantized.shape, set()).add(threading.get_ident())
        return encode(quantized, *arguments, **options)

    monkeypatch.setattr(saving, "encode_frame", noting)
    random = np.random.default_rng(8)
    shapes = [(128, 128), (129, 128), (128, 128), (129, 128)]
    save({str(i): random.random(shape, np.float32) for i, shape in enumerate(shapes)}, threads=2)
    assert where[128, 128] == {threading.get_ident()}
    assert threading.get_ident() not in where[129, 128]


def test_the_error_of_the_first_tensor_is_raised_even_if_a_small_one_is_refused_too():
    tensors = {"large": np.full((200, 200), 1 + 1j, "c16"), "small": np.zeros(3, "c16")}
    for threads in (1, 2):
        with pytest.raises(TypeError, match="'large'"):
            save(tensors, threads=threads)


def test_progress_tells_how_far_it_is():
    calls = []
    save(model(), progress=lambda *call: calls.append(call))
    assert calls == [(n + 1, 5, name) for n, name in enumerate(model())]


def test_quantized_tensors_are_stored_as_they_are():
    quantized = qcodec.Codebook(bits=3).quantize(model()["fc.weight"])
    loaded = load(save({"weight": quantized}))["weight"]
    assert same(loaded, quantized.dequantize())


def test_the_recipe_quantizes_weights_and_nothing_else():
    data = save(model(), recipe=qcodec.Codebook(bits=2))
    loaded = load(data)
    assert len(np.unique(loaded["fc.weight"])) == 4
    for name in ("fc.bias", "steps", "empty"):
        assert same(loaded[name], np.asarray(model()[name]))
    assert len(data) < sum(np.asarray(a).nbytes for a in model().values()) / 12


# ---- tied tensors ----


def test_tied_tensors_are_stored_once_and_loaded_as_one(tmp_path):
    weight = model()["fc.weight"]
    alone = save_file({"embedding": weight}, tmp_path / "alone.safetensors")
    tied = {"embedding": weight, "head": weight, "again": weight[:]}
    path = tmp_path / "tied.safetensors"
    assert save_file(tied, path) < alone + 200
    loaded = load_file(path)
    assert loaded["head"] is loaded["embedding"] is loaded["again"]
    assert same(loaded["head"], weight)
    with safe_open(path) as file:
        assert file.directory.tensors["head"].target == "embedding"
        assert same(file.get_tensor("again"), weight)


def test_only_the_same_memory_shape_and_strides_are_tied():
    weight = np.arange(64, dtype="f4").reshape(8, 8)
    tensors = {
        "a": weight, "transposed": weight.T, "flat": weight.reshape(-1), "ints": weight.view("i4"),
    }  # fmt: skip
    data = save(tensors)
    stored = read_directory(BytesSource(data)).tensors
    assert all(entry.target == name for name, entry in stored.items())
    assert all_same(load(data), tensors)


# ---- equal and rounded tensors ----


def targets_of(data):
    stored = read_directory(BytesSource(data)).tensors
    return {name: entry.target for name, entry in stored.items() if entry.target != name}


@pytest.mark.parametrize("profile", ["balanced", "small", "fast", "fixed"])
def test_equal_tensors_are_stored_once_and_loaded_as_two(profile):
    weight = model()["fc.weight"]
    alone = len(save({"a": weight}, profile=profile))
    tensors = {"a": weight, "b": weight.copy(), "ids": np.arange(9), "same ids": np.arange(9)}
    data = save(tensors, profile=profile)
    assert len(data) < alone + 400
    assert targets_of(data) == {"b": "a", "same ids": "ids"}
    loaded = load(data)
    assert all_same(loaded, tensors)
    loaded["b"][:] = 0
    assert same(loaded["a"], weight)


@pytest.mark.parametrize("profile", ["balanced", "small", "fast", "fixed"])
def test_equal_quantized_tensors_are_stored_once_and_loaded_as_two(profile):
    quantize = qcodec.Codebook(bits=4).quantize
    weight = model()["fc.weight"]
    tensors = {"a": quantize(weight), "b": quantize(weight), "other": quantize(2 * weight)}
    data = save(tensors, profile=profile)
    assert targets_of(data) == {"b": "a"}
    loaded = load(data)
    assert all_same(loaded, {name: one.dequantize() for name, one in tensors.items()})
    loaded["b"][:] = 0
    assert same(loaded["a"], tensors["a"].dequantize())
    with TensorFile(BytesSource(data)) as file:
        assert same(file.encoded("b").quantized().codes, tensors["b"].codes)
        assert file.info("b").bytes == file.info("a").bytes


def test_equal_tensors_of_a_mapping_that_loads_them_are_stored_once():
    class Loading(dict):
        def __getitem__(self, name):
            return model()["fc.weight"]

    data = save(UserDict(Loading(a=None, b=None)))
    assert targets_of(data) == {"b": "a"}


def test_what_differs_in_one_bit_is_stored_twice():
    zeros, other = np.zeros((40, 40), "f4"), np.zeros((40, 40), "f4")
    other[3, 5] = -0.0
    tensors = {"zeros": zeros, "other": other, "ints": np.zeros((40, 40), "i4")}
    data = save(tensors)
    assert targets_of(data) == {}
    assert all_same(load(data), tensors)


def test_equal_tensors_under_different_codecs_are_two():
    weight = model()["fc.weight"]
    data = save({"a": weight, "b": weight.copy()}, recipe={"^b$": qcodec.Codebook(bits=1)})
    assert targets_of(data) == {}


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, np.float16])
def test_a_rounded_copy_of_a_master_takes_no_bytes(dtype):
    master = model()["fc.weight"]
    with np.errstate(over="ignore"):
        copy = master.astype(dtype)
    alone = len(save({"master": master}))
    tensors = {"copy": copy, "master": master}
    data = save(tensors)
    assert len(data) < alone + 300
    assert targets_of(data) == {"copy": "master"}
    assert all_same(load(data), tensors)
    with TensorFile(BytesSource(data)) as file:
        assert same(file.get_slice("copy")[7:9], copy[7:9])
        assert same(file.get_tensor("copy", dtype="float32"), copy.astype(np.float32))


def test_a_rounded_copy_of_a_master_has_no_frame():
    master = model()["fc.weight"]
    with np.errstate(over="ignore"):
        data = save({"master": master, "copy": master.astype(np.float16)})
    with (
        TensorFile(BytesSource(data)) as file,
        pytest.raises(TypeError, match="tensor 'copy' is converted from 'master'"),
    ):
        file.encoded("copy")


def test_a_rounded_copy_of_a_quantized_master_is_stored():
    master = model()["fc.weight"]
    tensors = {"master": master, "copy": master.astype(np.float16)}
    data = save(tensors, recipe={"master": qcodec.Codebook(bits=2)})
    assert targets_of(data) == {}
    assert same(load(data)["copy"], tensors["copy"])


def test_a_tensor_of_two_names_that_equals_another_keeps_both():
    weight = model()["fc.weight"]
    copy = weight.copy()
    tensors = {"a": weight, "copy": copy, "tied": copy}
    loaded = load(save(tensors))
    assert all_same(loaded, tensors)
    assert loaded["copy"] is loaded["tied"]


def test_tied_tensors_under_different_codecs_are_two():
    weight = model()["fc.weight"]
    loaded = load(save({"a": weight, "b": weight}, recipe={"^b$": qcodec.Codebook(bits=1)}))
    assert same(loaded["a"], weight)
    assert len(np.unique(loaded["b"])) == 2


def test_arrays_that_reuse_memory_are_not_taken_for_tied():
    class OneAtATime(Mapping):
        def __getitem__(self, name):
            return np.full((200, 200), float(name), "f4")

        def __iter__(self):
            return iter("012")

        def __len__(self):
            return 3

    loaded = load(save(OneAtATime()))
    assert [array[0, 0] for array in loaded.values()] == [0, 1, 2]


# ---- types beyond NumPy's ----


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"])
@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
def test_types_of_ml_dtypes_come_back(name, recipe):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    bits = np.arange(256, dtype="u1")
    array = bits.view(getattr(ml_dtypes, name)).reshape(2, -1)
    assert same(load(save({"w": array}, recipe=recipe))["w"], array)


WITHOUT_ML_DTYPES = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np, qcodec
from qcodec.cli import main
from qcodec.files import safe_open
path, copy, back = sys.argv[1:]
with safe_open(path) as file:
    array = file.get_tensor("w")
    assert array.dtype == np.uint16, array.dtype
    assert file.get_slice("w").get_dtype() == "BF16"
for recipe in ("lossless", "codebook4"):
    assert main(["encode", path, copy, "--recipe", recipe]) == 0
    assert main(["decode", copy, back]) == 0
    with safe_open(back) as file:
        assert file.get_slice("w").get_dtype() == "BF16"
        assert recipe != "lossless" or np.array_equal(file.get_tensor("w"), array)
"""


def test_bfloat16_is_kept_without_ml_dtypes(tmp_path, run_python):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    weight = model()["fc.weight"].astype(ml_dtypes.bfloat16)
    path = tmp_path / "net.safetensors"
    save_file({"w": weight}, path, recipe={"w": None})
    run_python(WITHOUT_ML_DTYPES, path, tmp_path / "a.qcodec", tmp_path / "b.safetensors")
    with safe_open(tmp_path / "b.safetensors") as file:
        values = file.get_tensor("w")
        assert values.dtype == weight.dtype
        assert len(np.unique(values.astype("f4"))) <= 16


def test_torch_tensors_go_in_and_come_out(path):
    torch = pytest.importorskip("torch")
    with safe_open(path, "pt") as file:
        weight = file.get_tensor("fc.weight")
        assert torch.equal(weight, torch.from_numpy(model()["fc.weight"]))
        assert torch.equal(file.get_slice("fc.weight")[3:5], weight[3:5])
    tensors = {
        "bf16": weight.to(torch.bfloat16),
        "f8": weight.to(torch.float8_e4m3fn),
        "transposed": weight.T,
        "gradient": torch.nn.Parameter(weight),
    }
    tensors["tied"] = tensors["bf16"]
    for recipe in (None, {".": None}):
        data = save(tensors, recipe=recipe)
        with TensorFile(BytesSource(data), "pt") as file:
            for name, tensor in tensors.items():
                found = file.get_tensor(name)
                assert found.dtype == tensor.dtype
                assert torch.equal(found.float(), tensor.float())


def test_torch_is_not_imported_unless_it_is_asked_for(path, run_python):
    code = "import sys, qcodec; qcodec.load_file(sys.argv[1]); assert 'torch' not in sys.modules"
    run_python(code, path)


def test_complex_numbers_come_back():
    tensors = {"complex": np.array([1 + 2j, -0.0 - 1j], "c8"), "plain": np.ones(2, "f4")}
    with TensorFile(BytesSource(safetensors.numpy.save(tensors))) as file:
        assert file.get_tensor("complex").tolist() == [1 + 2j, -1j]
    found = load(save(tensors, recipe=qcodec.Lossless()))
    assert found["complex"].dtype == np.complex64
    assert found["complex"].tobytes() == tensors["complex"].tobytes()
