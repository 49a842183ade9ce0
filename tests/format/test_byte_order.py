"""Files are little-endian on every machine.

No big-endian Python runs here, so these tests swap the roles: files are big-endian, and the
machine is not. A missing conversion then fails, as it would on a big-endian machine.
"""

import json
import sys

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec._base import arrays
from qcodec._base.delta_base import Base
from qcodec.dtypes import BY_NAME, BY_SAFETENSORS
from reference.conventions import crc32c

KEEP = {".": "keep"}


@pytest.fixture
def other_order(monkeypatch):
    """The byte order that this machine has not, in files; returns the sign for NumPy."""
    other = ">" if sys.byteorder == "little" else "<"
    monkeypatch.setattr(arrays, "_FILE_ORDER", other)
    return other


def plain_types():
    return [row for row in BY_NAME.values() if row.carrier.isbuiltin == 1]


def values_of(row):
    return np.array([0, 1, 2, 100, 127]).astype(row.carrier)


def parsed(data):
    """Dtype, shape and bytes by name, by hand."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    for name, entry in header.items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        yield name, entry["dtype"], data[first:last]


@pytest.mark.parametrize("row", plain_types(), ids=lambda row: row.name)
def test_ordinary_tensors_are_written_and_read_in_the_order_of_files(row, other_order):
    values = values_of(row)
    data = qcodec.save({"w": values}, recipe=KEEP)
    ((name, dtype, stored),) = parsed(data)
    assert (name, BY_SAFETENSORS[dtype]) == ("w", row)
    assert stored == values.astype(values.dtype.newbyteorder(other_order)).tobytes()
    assert np.array_equal(qcodec.load(data)["w"], values)


@pytest.mark.parametrize("row", plain_types(), ids=lambda row: row.name)
def test_files_have_the_bytes_that_the_safetensors_library_writes(row):
    values = values_of(row)
    assert qcodec.save({"w": values}, recipe=KEEP) == safetensors.numpy.save({"w": values})


def test_bfloat16_is_swapped_in_words(other_order):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.0, -2.5, 3.0]).astype(ml_dtypes.bfloat16)
    data = qcodec.save({"w": values}, recipe=KEEP)
    ((_, _, stored),) = parsed(data)
    assert stored == values.view("u2").astype(f"{other_order}u2").tobytes()
    assert np.array_equal(qcodec.load(data)["w"], values)


def test_slices_and_casts_of_an_ordinary_tensor(other_order, tmp_path):
    weights = np.arange(60, dtype=np.float32).reshape(3, 4, 5) - 7
    path = tmp_path / "net.safetensors"
    qcodec.save_file({"w": weights}, path, recipe=KEEP)
    with qcodec.safe_open(path) as file:
        assert np.array_equal(file.get_slice("w")[1:, ::2], weights[1:, ::2])
        out = np.empty_like(weights)
        assert file.get_tensor("w", out) is out
        assert np.array_equal(out, weights)
        halves = file.get_tensor("w", dtype="float16")
        assert np.array_equal(halves, weights.astype(np.float16))


def test_parameters_of_frames_are_swapped(other_order):
    """The core stores them as they are given: a frame of the other order has other bytes."""
    weights = np.linspace(-1, 1, 300, dtype=np.float32)
    turned = qcodec.encode(weights, qcodec.Affine(8))
    quantized = qcodec.Encoded(turned).quantized()
    expected = qcodec.Affine(8).quantize(weights)
    assert np.array_equal(quantized.scale.values, expected.scale.values)
    assert expected.scale.values.astype(f"{other_order}f4").tobytes() in turned


def test_the_digest_of_a_base_is_over_its_bytes_in_file_order(other_order):
    values = np.arange(5, dtype=np.float32)
    stored = values.astype(f"{other_order}f4").tobytes()
    halves = stored[:10], stored[10:]
    assert Base.of(values).digest == b"".join(crc32c(half).to_bytes(4, "little") for half in halves)


def test_little_endian_bytes_cost_no_copy_here():
    values = np.arange(5, dtype=np.float32)
    if sys.byteorder == "little":
        assert np.shares_memory(arrays.little_endian_bytes(values), values)
    data = np.frombuffer(values.astype("<f4").tobytes(), np.uint8)
    assert np.array_equal(arrays.from_little_endian(data, values.dtype), values)
