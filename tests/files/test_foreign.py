"""Files of other formats: the error says what was found, what is accepted, and how to convert."""

import bz2
import gzip
import io
import lzma
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec._file.foreign import START_BYTES, format_of
from qcodec.errors import CorruptError, QCodecError, UnsupportedError

WEIGHT = np.ones((3, 4), np.float32)


def written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def zipped(name):
    def write(buffer):
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, b"text")

    return written(write)


def tarred(buffer):
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("weights.npy"))


SAFETENSORS = safetensors.numpy.save({"w": WEIGHT})
#: Whole files where Python writes them, first bytes as the formats' documents give them else.
FILES = {
    "npz": (written(lambda file: np.savez(file, w=WEIGHT)), "NumPy archive", "qcodec encode"),
    "npz, compressed": (
        written(lambda file: np.savez_compressed(file, w=WEIGHT)), "NumPy archive", "qcodec encode",
    ),
    "npz, empty": (written(np.savez), "NumPy archive", "qcodec encode"),
    "npy": (written(lambda file: np.save(file, WEIGHT)), r"\.npy", "numpy.savez"),
    "zip": (zipped("readme.txt"), "zip archive", "unpack"),
    "pickle": (pickle.dumps({"w": WEIGHT}), "pickle", "safetensors.torch.save_file"),
    "pickle 2": (pickle.dumps([1], 2), "pickle", "safetensors.torch.save_file"),
    "gzip": (gzip.compress(SAFETENSORS), "gzip", "unpack"),
    "xz": (lzma.compress(SAFETENSORS), "xz", "unpack"),
    "bzip2": (bz2.compress(SAFETENSORS), "bzip2", "unpack"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd", "unpack"),
    "tar": (written(tarred), "tar archive", "unpack"),
    "GGUF": (b"GGUF\3\0\0\0" + bytes(40), "GGUF", "safetensors.numpy.save_file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5", "safetensors.numpy.save_file"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(40), "TensorFlow Lite", "safetensors.numpy"),
    "ONNX": (b"\x08\x0e\x12\x07pytorch:\x37\x0a", "ONNX", "safetensors.numpy.save_file"),
    "ONNX, no producer": (b"\x08\x0e:7\n\x10\n\x01x\x12\x01y", "ONNX", "safetensors.numpy"),
    "one tensor": (qcodec.encode(WEIGHT), "one encoded tensor", "qcodec.decode"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4\n",
        "Git LFS pointer", "git lfs pull",
    ),
    "web page": (b"<!DOCTYPE html>\n<html lang=en>", "web page", "download"),
    "shards": (b'{\n  "metadata": {\n    "total_size": 1\n  }\n}', "JSON", "each of them"),
}  # fmt: skip


def all_accepted(message):
    return all(name in message for name in ("safetensors", ".qcodec", ".npz"))


@pytest.mark.parametrize("name", FILES)
def test_a_known_format_is_named_with_what_is_accepted_and_the_way_there(name):
    data, what, advice = FILES[name]
    with pytest.raises(UnsupportedError, match=f"file is .*{what}.*{advice}") as caught:
        qcodec.load(data)
    assert all_accepted(str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("new", [True, False])
def test_checkpoints_of_torch_are_named_and_the_advice_works(tmp_path, new):
    torch = pytest.importorskip("torch")
    import safetensors.torch

    path, converted = tmp_path / "net.bin", tmp_path / "net.safetensors"
    torch.save({"w": torch.ones(3, 4)}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(UnsupportedError, match="PyTorch") as caught:
        qcodec.load_file(path)
    assert all_accepted(str(caught.value))
    advice = str(caught.value).rpartition("to convert it: ")[2]
    names = {"torch": torch, "safetensors": safetensors, "PATH": path, "NEW_PATH": converted}
    exec(advice, names)
    assert np.array_equal(qcodec.load_file(converted)["w"], WEIGHT)


def test_the_advice_for_an_array_works(tmp_path):
    np.save(tmp_path / "w.npy", WEIGHT)
    with pytest.raises(UnsupportedError) as caught:
        qcodec.load_file(tmp_path / "w.npy")
    advice = str(caught.value).rpartition("to convert it: ")[2]
    exec(advice, {"numpy": np, "PATH": tmp_path / "w.npy", "NEW_PATH": tmp_path / "w.npz"})
    with np.load(tmp_path / "w.npz") as loaded:
        assert np.array_equal(loaded["name"], WEIGHT)


def test_zips_of_torch_are_named_whatever_they_begin_with():
    for name in ("net/data.pkl", "net/data/0", "net/data/weights/weight_0"):
        assert format_of(zipped(name)) == "a PyTorch file (zip with pickle)"


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(100), b"weights of a net"]
)
def test_an_unknown_format_shows_its_first_bytes(data):
    with pytest.raises(CorruptError, match=data[:9].hex(" ")) as caught:
        qcodec.load(data)
    assert all_accepted(str(caught.value))


def test_our_own_files_are_of_no_foreign_format():
    assert format_of(SAFETENSORS) is None
    assert format_of(qcodec.save({"w": WEIGHT})) is None


def test_first_bytes_of_any_length_are_an_answer():
    for data, _, _ in FILES.values():
        for size in range(min(len(data), START_BYTES)):
            format_of(data[:size])
            with pytest.raises(QCodecError):
                qcodec.load(data[:size])
