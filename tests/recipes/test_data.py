"""Published data files are read in their original form, and invalid ones are refused."""

import gzip
import struct

import numpy as np
import pytest

from recipes.idx import mnist_array

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("place", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_an_idx_file_is_found_and_read(place, suffix, pack, tmp_path):
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / f"images{suffix}").write_bytes(pack(idx(IMAGES)))
    assert np.array_equal(mnist_array(tmp_path, "images"), IMAGES)


BROKEN = {
    "empty": b"",
    "no head": b"\0\0\x08",
    "half a head": b"\0\0\x08\x03\0\0",
    "another type": b"\0\0\x09\x01\0\0\0\1x",
    "truncated": idx(IMAGES)[:-1],
    "too long": idx(IMAGES) + b"x",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_another_file_is_refused(data, tmp_path):
    (tmp_path / "images").write_bytes(data)
    with pytest.raises(ValueError, match="images: found"):
        mnist_array(tmp_path, "images")


def test_a_missing_file_is_named_and_where_it_was_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no labels or labels.gz in {tmp_path}"):
        mnist_array(tmp_path, "labels")


def test_test_images_are_neither_trained_on_nor_chosen_by(tmp_path):
    pytest.importorskip("torch")
    from recipes.data import mnist

    for name, count in (("train", 5010), ("t10k", 20)):
        images = np.full((count, 28, 28), 255, np.uint8)
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(
            idx(np.arange(count, dtype=np.uint8) % 10)
        )
    data = mnist(tmp_path)
    counts = [len(split.images) for split in (data.train, data.validation, data.test)]
    assert counts == [10, 5000, 20]
    assert data.train.images[0, 0, 0, 0].item() == pytest.approx((1 - 0.1307) / 0.3081)
