"""Arrays and tensors of NumPy, ml_dtypes and torch, as the library takes them."""

import numpy as np
import pytest

from qcodec._base.arrays import as_array
from qcodec.dtypes import BY_NAME

ml_dtypes = pytest.importorskip("ml_dtypes")

PLAIN = [name for name in BY_NAME if not name.startswith(("bfloat", "float8"))]


@pytest.mark.parametrize("name", PLAIN)
def test_plain_numpy_types_are_recognised(name):
    array, element = as_array(np.arange(6).astype(name).reshape(2, 3))
    assert element.name == name
    assert array.dtype == element.carrier
    assert array.shape == (2, 3)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu"])
def test_types_that_numpy_lacks_come_as_ml_dtypes_or_as_bits(name):
    element = BY_NAME[name]
    values = np.array([1, 2, 4]).astype(getattr(ml_dtypes, name))
    bits = values.view(f"u{element.itemsize}")
    for given in (as_array(values), as_array(values, name), as_array(bits, name)):
        assert given[1] is element
        assert given[0].tobytes() == values.tobytes()
    assert as_array(bits)[1].name == bits.dtype.name


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i2", ">u8"])
def test_big_endian_values_stay_what_they_are(dtype):
    given = np.array([1, 2, 300], dtype)
    array, _ = as_array(given)
    assert array.dtype.isnative
    assert array.tolist() == given.tolist()


def test_strided_reversed_broadcast_and_fortran_arrays_come_in_c_order():
    base = np.arange(24, dtype=np.float32).reshape(4, 6)
    for given in (
        base[::2, ::-3],
        base.T,
        np.broadcast_to(base[0], (3, 6)),
        np.asfortranarray(base),
    ):
        array, _ = as_array(given)
        assert array.flags.c_contiguous
        np.testing.assert_array_equal(array, given)


def test_numbers_and_lists_have_the_type_that_numpy_gives_them():
    array, element = as_array(1.5)
    assert (array.shape, element.name) == ((), "float64")
    assert as_array([[1, 2]])[0].shape == (1, 2)


def test_nothing_is_copied_without_need():
    given = np.zeros((3, 4), np.float16)
    assert np.shares_memory(as_array(given)[0], given)


@pytest.mark.parametrize(
    "given", [np.zeros(2, complex), np.array([object()]), np.array(["a"]), np.zeros(2, "M8[s]")]
)
def test_unsupported_types_are_refused_with_the_supported_ones(given):
    with pytest.raises(TypeError, match="allowed are float32, float16"):
        as_array(given)


def test_a_dtype_interprets_bits_and_never_casts():
    with pytest.raises(TypeError, match=r"float32 array was given as bfloat16.*bits as uint16"):
        as_array(np.zeros(2, np.float32), "bfloat16")
    with pytest.raises(TypeError, match="uint8 array was given as bfloat16"):
        as_array(np.zeros(2, np.uint8), "bfloat16")
    with pytest.raises(TypeError, match="int64 array was given as int32"):
        as_array(np.zeros(2, np.int64), "int32")


def test_torch_is_not_imported_for_numpy_arrays(run_python):
    code = (
        "import sys, numpy as np; from qcodec._base.arrays import as_array;"
        "as_array(np.zeros(2)); print('torch' in sys.modules)"
    )
    assert run_python(code).strip() == "False"


def test_bfloat16_works_where_ml_dtypes_is_not_installed(run_python):
    code = """
import sys
sys.modules["ml_dtypes"] = None
import numpy as np
from qcodec._base.arrays import as_array
from qcodec.codecs import FixedPoint, Verbatim
bits = np.array([0x3F80, 0xC000, 0x3E80], np.uint16)  # 1, -2, 0.25
array, element = as_array(bits, "bfloat16")
print(element.name, array.dtype)
q = Verbatim("bfloat16").quantize(bits)
print(q.dequantize("float32").tolist(), q.dequantize().tolist() == bits.tolist())
print(FixedPoint(4).quantize(q.dequantize("float32")).dequantize("bfloat16").tolist())
"""
    assert run_python(code).splitlines() == [
        "bfloat16 uint16",
        "[1.0, -2.0, 0.25] True",
        "[16256, 49152, 16000]",
    ]


TORCH_TYPES = ["float32", "float16", "bfloat16", "float64", "int8", "int64", "bool", "float8_e5m2"]


@pytest.mark.parametrize("name", TORCH_TYPES)
def test_torch_tensors_keep_every_bit(name):
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, name))
    array, element = as_array(tensor)
    assert element.name == name
    assert array.shape == (2, 3)
    assert array.astype(np.float64).tolist() == tensor.double().tolist()


def test_torch_tensors_that_require_gradients_or_are_transposed():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(2, 3).t().requires_grad_()
    array, _ = as_array(tensor)
    assert array.flags.c_contiguous
    assert array.tolist() == tensor.tolist()
    assert as_array(torch.tensor(1.5).to(torch.bfloat16))[0].shape == ()


def test_torch_tensors_without_a_dense_layout_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="sparse_coo"):
        as_array(torch.eye(3).to_sparse())
