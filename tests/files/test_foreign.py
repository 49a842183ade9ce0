"""Files of other formats: the error says what was found, what is accepted, and how to convert."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec._file.foreign import START_BYTES
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
    "zip": (zipped("readme.txt"), "zip archive", "unpack"),
    "gzip": (gzip.compress(SAFETENSORS), "gzip", "unpack"),
    "xz": (lzma.compress(SAFETENSORS), "xz", "unpack"),
    "bzip2": (bz2.compress(SAFETENSORS), "bzip2", "unpack"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(20), "zstd", "unpack"),
    "tar": (written(tarred), "tar archive", "unpack"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5", "safetensors.numpy.save_file"),
    "TensorFlow Lite": (b"\x1c\0\0\0TFL3" + bytes(40), "TensorFlow Lite", "safetensors.numpy"),
    "one tensor": (qcodec.encode(WEIGHT), "one encoded tensor", "qcodec.decode"),
    "Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4\n",
        "Git LFS pointer", "git lfs pull",
    ),
    "web page": (b"<!DOCTYPE html>\n<html lang=en>", "web page", "download"),
    "shards": (b'{\n  "metadata": {\n    "total_size": 1\n  }\n}', "JSON", "index.json"),
}  # fmt: skip


def all_accepted(message):
    return all(
        name in message for name in ("safetensors", "packs", ".npz", "PyTorch", "ONNX", "GGUF")
    )


@pytest.mark.parametrize("name", FILES)
def test_a_known_format_is_named_with_what_is_accepted_and_the_way_there(name):
    data, what, advice = FILES[name]
    with pytest.raises(UnsupportedError, match=f"file is .*{what}.*{advice}") as caught:
        qcodec.load(data)
    assert all_accepted(str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(100), b"weights of a net"]
)
def test_an_unknown_format_shows_its_first_bytes(data):
    with pytest.raises(CorruptError, match=data[:9].hex(" ")) as caught:
        qcodec.load(data)
    assert all_accepted(str(caught.value))


def test_first_bytes_of_any_length_are_an_answer():
    for data, _, _ in FILES.values():
        for size in range(min(len(data), START_BYTES)):
            with pytest.raises(QCodecError):
                qcodec.load(data[:size])
