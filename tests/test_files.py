"""Files: what goes in comes out, and no more is read than was asked for."""

import inspect
import pickle
import sys
from collections.abc import Mapping

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._file.container import LARGE_FRAME_BYTES, Ordinary, safetensors_parts
from qcodec._file.directory import read_directory
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.dtypes import BY_NAME
from qcodec.errors import (
    ChecksumError,
    CorruptError,
    LimitError,
    MissingTensorError,
    TruncatedError,
    UnsupportedError,
)
from qcodec.files import load, load_file, safe_open, save, save_file
from qcodec.limits import Limits

BACKENDS = ("mmap", "pread")
NUMPY_DTYPES = ["f4", "f2", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "?"]


def model(seed=0):
    random = np.random.default_rng(seed)
    return {
        "conv.weight": random.normal(size=(16, 8, 3, 3)).astype("f4"),
        "fc.weight": random.normal(size=(300, 400)).astype("f4"),
        "fc.bias": random.normal(size=300).astype("f4"),
        "steps": np.int64(12345),
        "empty": np.zeros((0, 5), "f2"),
    }


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def all_same(loaded, tensors):
    return set(loaded) == set(tensors) and all(
        same(loaded[name], np.asarray(tensors[name])) for name in tensors
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, metadata={"format": "pt"})
    return path


# ---- round trips ----


@pytest.mark.parametrize("suffix", [".qc.safetensors", ".safetensors", ".qc"])
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
    path = tmp_path / "net.qc"
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


def positional(function):
    """(name, default) of what a function takes without a keyword."""
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.default) for p in parameters if p.kind is not p.KEYWORD_ONLY]


@pytest.mark.parametrize("function", [save_file, save, load_file, load])
def test_positional_arguments_are_those_of_the_safetensors_library(function):
    theirs = positional(getattr(safetensors.numpy, function.__name__))
    # Its functions for torch tensors call them as we do.
    assert positional(function) == [
        ("tensors" if name == "tensor_dict" else name, default) for name, default in theirs
    ]


def test_a_dict_without_a_keyword_is_metadata(tmp_path):
    save_file(model(), tmp_path / "net.safetensors", {"format": "pt"})
    with safe_open(tmp_path / "net.safetensors") as file:
        assert file.metadata() == {"format": "pt"}
    with TensorFile(BytesSource(save(model(), {"format": "np"}))) as file:
        assert file.metadata() == {"format": "np"}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (qcodec.Codebook(bits=4), "metadata: found Codebook, allowed is a mapping of str to str; "),
        ("codebook4", "metadata: found str, allowed is a mapping"),
        ({"bias": None}, "metadata 'bias': found NoneType, allowed is str; "),
        ({"fc": qcodec.Raw()}, "metadata 'fc': found Raw, allowed is str; "),
        ({1: "one"}, "metadata: found a key of type int, allowed is str; "),
    ],
)
def test_a_recipe_in_place_of_metadata_is_refused(tmp_path, metadata, message):
    for file in (tmp_path / "net.qc", tmp_path / "net.safetensors"):
        with pytest.raises(TypeError, match=f"^{message}.*recipe=") as found:
            save_file(model(), file, metadata)
        assert "\n" not in str(found.value)
        assert not file.exists()
    with pytest.raises(TypeError, match=f"^{message}"):
        save(model(), metadata)


def test_a_pack_has_no_place_for_metadata(tmp_path):
    with pytest.raises(ValueError, match=r"\.qc\.safetensors"):
        save_file(model(), tmp_path / "net.qc", metadata={"a": "b"})


@pytest.mark.parametrize(("threads", "profile"), [(3, "balanced"), (1, "small"), (2, "fast")])
def test_threads_and_profiles_change_no_tensor(threads, profile):
    data = save(model(), threads=threads, profile=profile)
    assert all_same(load(data, threads=threads), model())


def test_the_bytes_do_not_depend_on_threads():
    assert save(model(), recipe="codebook4", threads=4) == save(model(), recipe="codebook4")


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


def test_an_error_while_saving_names_the_tensor():
    tensors = {"fine": np.ones((40, 40), "f4"), "broken": np.full((40, 40), np.nan, "f4")}
    with pytest.raises(ValueError, match=r"^tensor 'broken': 1,600 of 1,600 values are NaN"):
        save(tensors, recipe="codebook4")


WEIGHT = np.random.default_rng(0).standard_normal((50, 50)).astype("f4")
BAD = WEIGHT.copy()
BAD[3, 4] = np.nan
ERRORS = [
    (BAD, "codebook4", ValueError, r"1 of 2,500 values is NaN or infinite, first at \(3, 4\)"),
    (BAD, qcodec.Affine(4), ValueError, "NaN"),
    (
        np.full((40, 40), 1e308),
        qcodec.Affine(4),
        ValueError,
        "beyond the range of float32, such as 1e",
    ),
    (np.array([None]), None, TypeError, "cannot be stored; allowed are float32"),
    (np.array(["text"]), None, TypeError, "cannot be stored; allowed are float32"),
    (np.zeros((1,) * 9), None, ValueError, "9 dimensions, allowed at most 8"),
    ({"b": WEIGHT}, None, TypeError, "a dict was given"),
    (WEIGHT.astype("i4"), {".": qcodec.Codebook(2)}, TypeError, "int32 cannot be quantized"),
    (WEIGHT[0], {".": qcodec.Codebook(2, per=1)}, ValueError, "not an axis"),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("value", "recipe", "kind", "message"), ERRORS)
def test_every_error_while_saving_names_its_tensor(value, recipe, kind, message, threads, tmp_path):
    tensors = {"ok": np.ones((40, 40)), "layer7.bad": value}
    for suffix in ("qc", "safetensors"):
        path = tmp_path / f"net.{suffix}"
        with pytest.raises(kind, match=rf"^tensor 'layer7\.bad': .*{message}"):
            save_file(tensors, path, recipe=recipe, threads=threads)
        assert not path.exists()


NAMES = [(1, TypeError), (None, TypeError), (b"x", TypeError), (("a", "b"), TypeError)]
NAMES += [("a\ud800", ValueError), ("a" * 1025, ValueError), ("ä" * 513, ValueError)]


@pytest.mark.parametrize("size", [2, 300_000])
@pytest.mark.parametrize("recipe", [None, {".": "keep"}], ids=["encoded", "left alone"])
@pytest.mark.parametrize(("name", "kind"), NAMES, ids=lambda value: ascii(value)[:10])
def test_names_that_no_file_holds_are_refused_whatever_the_size(name, kind, recipe, size, tmp_path):
    values = np.random.default_rng(0).standard_normal(size)
    with pytest.raises(kind, match=r"a tensor is called .* allowed") as caught:
        save({"fine": values, name: values}, recipe=recipe)
    assert repr(name)[:8] in str(caught.value)
    assert len(str(caught.value)) < 200
    path = tmp_path / "net.qc"
    with pytest.raises(kind, match="a tensor is called"):
        save_file({name: values}, path, recipe=recipe)
    assert not path.exists()


@pytest.mark.parametrize("size", [2, 300_000])
def test_the_longest_names_come_back(size):
    for name in ("a" * 1024, "ä" * 512, ""):
        values = np.random.default_rng(0).standard_normal(size)
        assert same(load(save({name: values}))[name], values)


@pytest.mark.parametrize("tensors", [[WEIGHT], (("a", WEIGHT),), WEIGHT, "net.safetensors", None])
def test_what_is_no_mapping_is_refused(tensors):
    with pytest.raises(TypeError, match=r"a .* was given; allowed is a mapping of names to arrays"):
        save(tensors)


@pytest.mark.parametrize("name", ["qcodec.pack", "layer.qcodec", "__metadata__"])
def test_names_that_files_use_themselves_are_refused(name):
    with pytest.raises(ValueError, match="files use that name themselves"):
        save({name: np.ones(3)})


# ---- tied tensors ----


def test_tied_tensors_are_stored_once_and_loaded_as_one(tmp_path):
    weight = model()["fc.weight"]
    alone = save_file({"embedding": weight}, tmp_path / "alone.safetensors")
    tied = {"embedding": weight, "head": weight, "again": weight[:]}
    path = tmp_path / "tied.safetensors"
    assert save_file(tied, path) < alone + 100
    loaded = load_file(path)
    assert loaded["head"] is loaded["embedding"] is loaded["again"]
    assert same(loaded["head"], weight)
    with safe_open(path) as file:
        assert file.directory.tensors["head"].target == "embedding"
        assert same(file.get_tensor("again"), weight)


def test_only_the_same_memory_shape_and_strides_are_tied():
    weight = np.arange(64, dtype="f4").reshape(8, 8)
    tensors = {
        "a": weight, "transposed": weight.T, "copy": weight.copy(), "flat": weight.reshape(-1),
        "ints": weight.view("i4"),
    }  # fmt: skip
    data = save(tensors)
    stored = read_directory(BytesSource(data)).tensors
    assert all(entry.target == name for name, entry in stored.items())
    assert all_same(load(data), tensors)


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


# ---- reading lazily ----


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
    save_file({"weight": weight}, tmp_path / "big.qc", recipe=qcodec.Codebook(bits=8))
    with safe_open(tmp_path / "big.qc", backend=backend) as file:
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
        assert file.source.bytes_read - before == 2 * weight[0].nbytes


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
    run_python(WITHOUT_ML_DTYPES, path, tmp_path / "a.qc", tmp_path / "b.safetensors")
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


def test_types_that_numpy_does_not_have_are_refused_when_they_are_read():
    tensors = {"complex": np.ones(2, "c8"), "plain": np.ones(2, "f4")}
    with TensorFile(BytesSource(safetensors.numpy.save(tensors))) as file:
        assert file.get_tensor("plain").tolist() == [1, 1]
        with pytest.raises(UnsupportedError, match="'complex' has elements of type C64"):
            file.get_tensor("complex")


# ---- broken files ----


def test_every_prefix_of_a_file_is_an_error():
    data = save({"w": np.arange(40, dtype="f4"), "b": np.ones(3, "f4")}, recipe={"b": None})
    for size in range(len(data)):
        with pytest.raises(TruncatedError):
            load(data[:size])


def test_flipped_bits_in_encoded_tensors_are_noticed_and_the_tensor_is_named():
    data = bytearray(save({"weight": np.arange(400, dtype="f4")}))
    frame = read_directory(BytesSource(bytes(data))).tensors["weight"]
    for at in range(frame.offset + 8, frame.offset + frame.size, 97):
        data[at] ^= 16
        with pytest.raises(CorruptError, match="tensor 'weight': "):
            load(bytes(data))
        data[at] ^= 16


def test_a_checksum_error_keeps_its_kind_and_can_be_pickled():
    data = bytearray(save({"weight": np.arange(400, dtype="f4")}))
    data[-1] ^= 1
    with pytest.raises(ChecksumError) as caught:
        load(bytes(data))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (ChecksumError, str(caught.value))


def test_a_name_that_is_there_twice_is_corrupt():
    frame = np.frombuffer(qcodec.encode(np.ones(3, "f4")), "u1")
    data = safetensors.numpy.save({"w": np.ones(3, "f4"), "w.qcodec": frame})
    with pytest.raises(CorruptError, match="two tensors of the name 'w'"):
        load(data)


def test_entries_that_only_look_like_frames_by_name_are_ordinary():
    tensors = {"a.qcodec": np.ones(3, "f4"), "qcodec.pack": np.ones((2, 2), "u1")}
    assert all_same(load(safetensors.numpy.save(tensors)), tensors)


@pytest.mark.parametrize(
    "data", [b"", b"QP", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\3\4" + bytes(30), bytes(100)]
)
def test_files_of_other_kinds_are_refused(data):
    with pytest.raises((CorruptError, TruncatedError, UnsupportedError)):
        load(data)


def test_a_header_whose_length_looks_like_a_packs_magic_is_read():
    text = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    data = (0x5051).to_bytes(8, "little") + text.ljust(0x5051) + b"7"
    assert load(data)["w"].tolist() == [ord("7")]


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        ({"max_file_bytes": 100}, "max_file_bytes"),
        ({"max_tensors": 4}, "max_tensors"),
        ({"max_tensor_bytes": 1000}, "max_tensor_bytes"),
    ],
)
@pytest.mark.parametrize("suffix", [".qc", ".qc.safetensors"])
def test_limits_hold(tmp_path, limit, name, suffix):
    path = tmp_path / f"net{suffix}"
    save_file(model(), path)
    with pytest.raises(LimitError, match=name):
        load_file(path, limits=Limits(**limit))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    for backend in BACKENDS:
        with pytest.raises(FileNotFoundError):
            safe_open(tmp_path / "none", backend=backend)


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be replaced there")
def test_saving_over_a_mapped_file_leaves_the_mapping_alone(path):
    with safe_open(path) as file:
        save_file({"other": np.zeros(3)}, path)
        assert same(file.get_tensor("fc.weight"), model()["fc.weight"])
    assert set(load_file(path)) == {"other"}
