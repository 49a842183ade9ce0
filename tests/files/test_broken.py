"""Files that are broken, foreign, too large, missing or replaced while they are read."""

import pickle
import sys

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec._file.directory import read_directory
from qcodec._io.source import BytesSource
from qcodec.errors import ChecksumError, CorruptError, LimitError, TruncatedError, UnsupportedError
from qcodec.files import load, load_file, safe_open, save, save_file
from qcodec.limits import Limits
from tests.files.nets import BACKENDS, all_same, model, same


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
@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors"])
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
