"""Arrays and tensors that are not plain elements in memory are stored correctly or refused."""

import warnings

import numpy as np
import pytest

import qcodec
from qcodec import streams
from qcodec._base.arrays import as_array
from qcodec.codecs.pruning import PRUNINGS
from qcodec.dead_neurons import zeroed
from qcodec.quantize import Groups, density_mask, sqnr, threshold_mask

VALUES = np.arange(1, 65, dtype=np.float32).reshape(8, 8)
MASKED = np.ma.masked_array(VALUES, VALUES > 30)

TAKING_ARRAYS = {
    "encode": qcodec.encode,
    "encode with a quantizer": lambda x: qcodec.encode(x, qcodec.Codebook(2)),
    "save": lambda x: qcodec.save({"layer": x}),
    "save, left alone": lambda x: qcodec.save({"layer": x}, recipe={".": "keep"}),
    "delta": lambda x: qcodec.encode(VALUES, qcodec.Delta(x)),
    "base": lambda x: qcodec.decode(DELTA, base=x),
    "mask": lambda x: qcodec.Codebook(2).quantize(VALUES, x > 3),
    "density_mask": lambda x: density_mask(x, 0.5),
    "threshold_mask": lambda x: threshold_mask(x, 0.5),
    "sqnr": lambda x: sqnr(VALUES, x),
}
DELTA = qcodec.encode(
    np.tile(VALUES, (40, 1)) + np.float32(2**-10), qcodec.Delta(np.tile(VALUES, (40, 1)))
)


@pytest.mark.parametrize("function", TAKING_ARRAYS.values(), ids=TAKING_ARRAYS)
def test_masked_arrays_are_refused_with_the_way_out(function):
    with pytest.raises(TypeError, match=r"a masked array .* x\.filled\(0\)"):
        function(MASKED)


def test_masked_symbols_positions_and_codes_are_refused():
    numbers = np.ma.masked_equal(np.arange(5, dtype=np.uint8), 3)
    floats = np.ma.masked_equal(np.ones((1, 5), np.float32), 0)
    for function in (
        lambda: streams.encode(numbers),
        lambda: streams.relative_index(numbers, 4),
        lambda: zeroed({"a": MASKED}, [("a", None)]),
        lambda: qcodec.Quantized((5,), "float32", "codebook", numbers, None, 3, Groups(floats)),
        lambda: qcodec.Quantized((5,), "uint8", "bytes", numbers),
    ):
        with pytest.raises(TypeError, match="a masked array"):
            function()


def test_a_masked_array_is_not_an_alias_of_its_data():
    with pytest.raises(TypeError, match="tensor 'b': a masked array"):
        qcodec.save({"a": VALUES, "b": MASKED})


class Labelled(np.ndarray):
    """A subclass as users have them: its elements are what is in memory."""


LAYOUTS = {
    "big-endian": VALUES.astype(">f4"),
    "big-endian doubles": VALUES.astype(">f8"),
    "zero strides": np.broadcast_to(VALUES[3], (50, 8)),
    "one number everywhere": np.broadcast_to(np.float32(3), (7, 9)),
    "overlapping": np.lib.stride_tricks.as_strided(VALUES, (50, 10), (4, 4)),
    "backwards": VALUES[::-1, ::-2],
    "transposed": VALUES.T,
    "subclass": VALUES.view(Labelled),
    "matrix": VALUES.view(np.matrix),
    "unaligned": np.frombuffer(b"\0" + VALUES.tobytes(), np.uint8)[1:].view("f4"),
    "big-endian and transposed": VALUES.astype(">f4").T,
    "big-endian integers": VALUES.astype(">i8"),
}


@pytest.mark.parametrize("recipe", [None, {".": "keep"}], ids=["encoded", "left alone"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_of_an_array_keeps_its_values(name, recipe):
    array = LAYOUTS[name]
    array.flags.writeable = False
    loaded = qcodec.load(qcodec.save({"w": array, "again": array}, recipe=recipe))
    for found in loaded.values():
        assert found.dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(found, array)


def test_views_of_one_memory_are_one_tensor_only_if_they_are_equal():
    tensors = {
        "a": VALUES,
        "same": VALUES[:],
        "transposed": VALUES.T,
        "backwards": VALUES[::-1],
        "bits": VALUES.view(np.int32),
        "swapped": VALUES.view(">f4"),
        "part": VALUES[:4],
        "broadcast": np.broadcast_to(VALUES[0], (8, 8)),
    }
    loaded = qcodec.load(qcodec.save(tensors))
    assert loaded["same"] is loaded["a"]
    for name, array in tensors.items():
        assert np.array_equal(loaded[name], array), name
        assert name == "same" or loaded[name] is not loaded["a"] or name == "a"


OBJECTS = {
    "dict": {"b": VALUES},
    "str": "weights.npy",
    "None": None,
    "object": object(),
    "set": {1.0, 2.0},
    "bytes": b"1234",
}


@pytest.mark.parametrize("value", OBJECTS.values(), ids=OBJECTS)
def test_objects_that_are_not_arrays_are_refused_by_name(value):
    with pytest.raises(TypeError, match=r"^tensor 'layer': .* allowed are"):
        qcodec.save({"fine": VALUES, "layer": value})


# ---- torch ----


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_a_view_with_the_negative_bit_is_minus_what_is_in_memory(torch):
    numbers = torch.complex(torch.zeros(8, 8), torch.arange(64.0).reshape(8, 8) + 1)
    tensors = {"im": numbers.imag, "minus": numbers.conj().imag, "again": numbers.conj().imag}
    assert tensors["minus"].is_neg()
    for recipe in (None, {".": "keep"}, {".": qcodec.Affine(8)}):
        loaded = qcodec.load(qcodec.save(tensors, recipe=recipe))
        for name, tensor in tensors.items():
            assert np.allclose(loaded[name], tensor.resolve_neg().numpy(), atol=0.3), name
    assert as_array(tensors["minus"])[0][0, 0] == -1
    assert qcodec.decode(qcodec.encode(tensors["minus"]))[0, 1] == -2


def test_a_view_with_the_conjugate_bit_is_the_conjugate_of_what_is_in_memory(torch):
    numbers = torch.complex(torch.arange(8.0), torch.arange(8.0) + 1).reshape(2, 4)
    tensors = {
        "plain": numbers,
        "conjugate": numbers.conj(),
        "transposed": numbers.mH,
        "again": numbers.conj(),
    }
    assert tensors["conjugate"].data_ptr() == numbers.data_ptr()
    for recipe in (None, {".": "keep"}):
        loaded = qcodec.load(qcodec.save(tensors, recipe=recipe))
        for name, tensor in tensors.items():
            assert np.array_equal(loaded[name], tensor.resolve_conj().numpy()), name
    assert qcodec.decode(qcodec.encode(tensors["conjugate"]))[0, 1] == 1 - 2j


def wrapper(torch):
    class Wrapper(torch.Tensor):
        @staticmethod
        def __new__(cls, inner):
            return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

        @classmethod
        def __torch_dispatch__(cls, function, types, arguments=(), keywords=None):
            raise NotImplementedError

    return Wrapper(torch.ones(3))


def nested(torch, layout):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=layout)


UNUSUAL = {
    "sparse_coo": lambda torch: torch.eye(3).to_sparse(),
    "sparse_csr": lambda torch: torch.eye(3).to_sparse_csr(),
    "sparse_csc": lambda torch: torch.eye(3).to_sparse_csc(),
    "sparse_bsr": lambda torch: torch.eye(4).to_sparse_bsr((2, 2)),
    "meta device": lambda torch: torch.empty(3, device="meta"),
    "nested": lambda torch: nested(torch, torch.strided),
    "jagged": lambda torch: nested(torch, torch.jagged),
    "quint8": lambda torch: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
    "complex128": lambda torch: torch.ones(3, dtype=torch.complex128),
    "not known yet": lambda torch: torch.nn.LazyLinear(3).weight,
    "Wrapper": wrapper,
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("recipe", [None, {".": "keep"}], ids=["encoded", "left alone"])
@pytest.mark.parametrize("what", UNUSUAL)
def test_tensors_without_plain_memory_are_refused_by_name(torch, what, recipe):
    tensor = UNUSUAL[what](torch)
    tensors = {"fine": torch.ones(3), "layer": tensor, "again": tensor}
    with pytest.raises(TypeError, match=r"^tensor 'layer': .*allowed are"):
        qcodec.save(tensors, recipe=recipe)
    with pytest.raises(TypeError, match="allowed are"):
        qcodec.encode(tensor)


def test_tensors_inside_transforms_of_torch_func_are_refused(torch):
    refused = []

    def function(tensor):
        with pytest.raises(TypeError, match=r"tensor 'x': a tensor inside a transform"):
            qcodec.save({"x": tensor, "same": tensor})
        refused.append(type(tensor))
        return (tensor * tensor).sum()

    torch.func.grad(function)(torch.ones(3))
    torch.func.vmap(function)(torch.ones(2, 3))
    assert len(refused) == 2


def test_two_wrappers_without_memory_are_not_one_tensor(torch):
    """Both have the address 0."""
    with pytest.raises(TypeError, match="tensor 'a': a tensor of type Wrapper"):
        qcodec.save({"a": wrapper(torch), "b": wrapper(torch)})


def test_parameters_plain_subclasses_and_strided_views_are_stored(torch):
    class Plain(torch.Tensor):
        pass

    base = torch.arange(24.0).reshape(4, 6)
    tensors = {
        "parameter": torch.nn.Parameter(base),
        "subclass": base.as_subclass(Plain),
        "expanded": torch.arange(6.0).expand(5, 6),
        "transposed": base.T,
        "steps": base[::2, 1::3],
        "channels last": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "conjugate of nothing": torch.arange(3.0).conj(),
    }
    loaded = qcodec.load(qcodec.save(tensors))
    for name, tensor in tensors.items():
        expected = tensor.detach().as_subclass(torch.Tensor).numpy()
        assert np.array_equal(loaded[name], expected), name
    assert loaded["parameter"] is loaded["subclass"]


@pytest.mark.parametrize("pruning", PRUNINGS)
def test_prunings_take_the_tensors_that_codecs_take(torch, pruning):
    settings = {"density": (0.5,), "quality": (0.5,), "threshold": (9,), "n_of_m": (1, 2)}
    made = PRUNINGS[pruning](*settings[pruning])
    tensor = torch.complex(torch.zeros(8, 8), torch.from_numpy(VALUES)).conj().imag
    assert np.array_equal(made.mask(tensor), made.mask(-VALUES))
    with pytest.raises(TypeError, match="meta device"):
        made.mask(torch.ones(8, device="meta"))


WITHOUT_ML_DTYPES = """
import sys
if sys.argv[1] == "without":
    sys.modules["ml_dtypes"] = None
import hashlib, numpy as np, torch, qcodec
from qcodec import *
weights = torch.linspace(-1, 1, 6000, dtype=torch.float64).reshape(60, 100) * 2.0**128
weights = weights.clamp(-torch.finfo(torch.bfloat16).max, torch.finfo(torch.bfloat16).max)
weights = weights.bfloat16()
weights[10:50] /= 1e30
weights[weights.abs() < 1e-3] = 0
for codec in (
    Verbatim(), Lossless(), Affine(8), Affine(3, per=0), FixedPoint(4, "max"), Ternary(),
    Codebook(3, scale="rms", per=0), Sparse(Lossless()), Sparse(Codebook(4), NOfM(2, 4)),
    DeepCompression(3, Density(0.2)), Delta({"w": weights * 1.0078125}),
):
    data = qcodec.save({"w": weights}, recipe={".": codec})
    loaded = qcodec.load(data, dtype="float64", base=getattr(codec, "base", None))["w"]
    print(type(codec).__name__, np.isfinite(loaded).all(), hashlib.sha256(data).hexdigest()[:16])
"""


def test_bfloat16_is_stored_alike_with_and_without_ml_dtypes(torch, run_python):
    """Without it, an array does not tell that its numbers end where bfloat16 does."""
    pytest.importorskip("ml_dtypes")
    plain = run_python(WITHOUT_ML_DTYPES, "with")
    assert run_python(WITHOUT_ML_DTYPES, "without") == plain
    assert plain.count("True") == len(plain.splitlines()) == 11
