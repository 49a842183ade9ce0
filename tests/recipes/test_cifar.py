"""CIFAR-10 in its published forms, which these tests write themselves."""

import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from recipes.cifar import cifar10, cropped_and_flipped, is_whole  # noqa: E402

COUNT = 16  # images per batch
NAMES = [f"data_batch_{number}" for number in range(1, 6)]


def batches():
    random = np.random.default_rng(0)
    names = [*NAMES, "test_batch"]
    return {
        name: (random.integers(0, 256, (COUNT, 3072), np.uint8), random.integers(0, 10, COUNT))
        for name in names
    }


def as_binary(pixels, labels):
    return np.concatenate([labels.astype(np.uint8)[:, None], pixels], axis=1).tobytes()


def as_python_3(pixels, labels):
    content = {b"batch_label": b"x", b"labels": labels.tolist(), b"data": pixels}
    return pickle.dumps(content, protocol=3)


def as_python_2(pixels, labels):
    """As the files are published: protocol 2, strings of Python 2, classes of NumPy 1."""

    def string(data):
        return b"T" + struct.pack("<I", len(data)) + data

    def number(value):
        return b"J" + struct.pack("<i", value)

    dtype = (
        b"cnumpy\ndtype\n(" + string(b"u1") + number(0) + number(1) + b"tR"
        + b"(" + number(3) + string(b"|") + b"NNN" + number(-1) * 2 + number(0) + b"tb"
    )  # fmt: skip
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(" + number(0) + b"t"
        + string(b"b") + b"tR(" + number(1) + b"(" + number(len(pixels)) + number(3072) + b"t"
        + dtype + b"I00\n" + string(pixels.tobytes()) + b"tb"
    )  # fmt: skip
    listed = b"](" + b"".join(number(int(label)) for label in labels) + b"e"
    return b"\x80\x02}(" + string(b"data") + array + string(b"labels") + listed + b"u."


FORMS = {
    "binary": ("cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin", as_binary),
    "python 2": ("cifar-10-batches-py", "cifar-10-python.tar.gz", "", as_python_2),
    "python 3": ("cifar-10-batches-py", "cifar-10-python.tar.gz", "", as_python_3),
}


def write(folder, form, packed):
    unpacked, archive, suffix, dump = FORMS[form]
    files = {f"{name}{suffix}": dump(*batch) for name, batch in batches().items()}
    if not packed:
        (folder / unpacked).mkdir()
        for name, data in files.items():
            (folder / unpacked / name).write_bytes(data)
        return
    with tarfile.open(folder / archive, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{unpacked}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def as_pixels(images):
    mean = np.array([0.485, 0.456, 0.406])[:, None, None]
    deviation = np.array([0.229, 0.224, 0.225])[:, None, None]
    return np.rint((images.numpy() * deviation + mean) * 255).astype(np.uint8)


def check(data):
    wanted = batches()
    pixels = np.concatenate([wanted[name][0] for name in NAMES]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([wanted[name][1] for name in NAMES])
    found = torch.cat([data.train.images, data.validation.images])
    assert np.array_equal(as_pixels(found), pixels)
    assert torch.cat([data.train.labels, data.validation.labels]).tolist() == labels.tolist()
    assert np.array_equal(as_pixels(data.test.images).reshape(-1, 3072), wanted["test_batch"][0])
    assert data.test.labels.tolist() == wanted["test_batch"][1].tolist()
    assert len(data.validation.images) == 10
    assert not is_whole(data)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_published_form_gives_the_images(form, packed, tmp_path):
    write(tmp_path, form, packed)
    check(cifar10(tmp_path))


def test_a_sample_in_one_file_gives_the_images(tmp_path):
    made = batches()
    train = [np.concatenate([made[name][part] for name in NAMES]) for part in (0, 1)]
    parts = {"train": train, "test": made["test_batch"]}
    arrays = {}
    for name, (pixels, labels) in parts.items():
        arrays[f"{name}_x"] = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        arrays[f"{name}_y"] = labels.astype(np.uint8)
    np.savez(tmp_path / "cifar10_sample.npz", **arrays)
    check(cifar10(tmp_path))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("hacked",)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps({b"data": Hostile()}, 2),
        pickle.dumps(Hostile(), 4),
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
    ],
)
def test_a_hostile_pickle_is_refused_and_does_nothing(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "python 2", packed=False)
    (tmp_path / "cifar-10-batches-py" / "data_batch_3").write_bytes(data)
    with pytest.raises(pickle.UnpicklingError, match="allowed are arrays"):
        cifar10(tmp_path)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        ("binary", b"\0" * 3072, "records of 3,073"),
        ("binary", b"\x0a" + b"\0" * 3072, "allowed are 0 to 9"),
        ("python 2", pickle.dumps([1], 2), "allowed is a dict"),
        ("python 3", pickle.dumps({b"data": [1], b"labels": [1]}, 3), r"allowed \(1, 3072\)"),
    ],
)
def test_a_file_that_is_something_else_is_named(form, data, message, tmp_path):
    write(tmp_path, form, packed=False)
    folder, _, suffix, _ = FORMS[form]
    (tmp_path / folder / f"data_batch_2{suffix}").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        cifar10(tmp_path)


def test_where_there_is_none_it_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cifar-10-binary.tar.gz.*cifar10_sample.npz"):
        cifar10(tmp_path)


def test_augmented_images_are_moved_and_mirrored_and_black_comes_in(tmp_path):
    write(tmp_path, "binary", packed=False)
    images = cifar10(tmp_path).train.images[:1].repeat(400, 1, 1, 1)
    torch.manual_seed(0)
    found = as_pixels(cropped_and_flipped(images))
    padded = np.pad(as_pixels(images)[0], ((0, 0), (4, 4), (4, 4)))
    crops = {
        padded[:, y : y + 32, x : x + 32][:, :, ::turn].tobytes(): (y, x, turn)
        for y in range(9)
        for x in range(9)
        for turn in (1, -1)
    }
    seen = {crops[image.tobytes()] for image in found}
    assert len(seen) > 120  # of 162
