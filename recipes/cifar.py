"""Reads CIFAR-10 in both published forms, and a sample of it in one file."""

from __future__ import annotations

import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .data import Data, shifted, split_of

#: Means and deviations by channel. Published CIFAR-10 nets use these numbers of ImageNet.
_MEAN, _DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_PIXELS = 3 * 32 * 32
# For each form: its folder and archive, the names of its training batches, and its test batch.
_BINARY = ("cifar-10-batches-bin", "cifar-10-binary.tar.gz", "data_batch_{}.bin", "test_batch.bin")
_PYTHON = ("cifar-10-batches-py", "cifar-10-python.tar.gz", "data_batch_{}", "test_batch")
_SAMPLE = "cifar10_sample.npz"
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}

Part = tuple[np.ndarray, np.ndarray]


def cifar10(folder: Path) -> Data:
    """Load CIFAR-10. An eighth of the training images (at most 5,000) is held out for validation.

    Parameters
    ----------
    folder : pathlib.Path
        Contains the binary or the Python version, unpacked or as the published archive, or
        ``cifar10_sample.npz`` with ``train_x``, ``train_y``, ``test_x`` and ``test_y`` of uint8;
        its images have the shape (n, 32, 32, 3).

    Raises
    ------
    FileNotFoundError
        If no form is found; the message has names and folder.
    ValueError
        If a file is invalid.
    """
    for form, parse in ((_BINARY, _parse_binary), (_PYTHON, _parse_pickle)):
        files = _files(folder, form)
        if files is not None:
            *train, test = (parse(data) for data in files)
            whole = tuple(np.concatenate(arrays) for arrays in zip(*train, strict=True))
            return _data(whole, test)
    if (folder / _SAMPLE).exists():
        return _data(*_sample(folder / _SAMPLE))
    names = (*_BINARY[:2], *_PYTHON[:2], _SAMPLE)
    raise FileNotFoundError(f"none of {', '.join(names)} in {folder}")


def is_whole(data: Data) -> bool:
    """Whether this is all of CIFAR-10, not a sample."""
    return len(data.train.images) + len(data.validation.images) == 50_000


def cropped_and_flipped(images: torch.Tensor) -> torch.Tensor:
    """The usual augmentation: pad by 4 black pixels, crop 32x32 at random, mirror at random."""
    black = -torch.tensor(_MEAN) / torch.tensor(_DEVIATION)
    black = black.to(images)[:, None, None]
    images = shifted(4)(images - black) + black
    mirrored = torch.rand(len(images), device=images.device) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def _files(folder: Path, form: tuple[str, str, str, str]) -> list[bytes] | None:
    """The training batches and the test batch, in this order, if they exist."""
    unpacked, archive, batch, test = form
    names = [*(batch.format(number) for number in range(1, 6)), test]
    if (folder / unpacked).is_dir():
        return [(folder / unpacked / name).read_bytes() for name in names]
    if not (folder / archive).exists():
        return None
    with tarfile.open(folder / archive) as tar:
        members = [tar.extractfile(f"{unpacked}/{name}") for name in names]
        return [member.read() for member in members if member is not None]


def _parse_binary(data: bytes) -> Part:
    """Parse records of a label and 3,072 pixels."""
    if len(data) % (1 + _PIXELS):
        raise ValueError(f"CIFAR-10: found {len(data)} bytes, allowed are records of 3,073")
    records = np.frombuffer(data, np.uint8).reshape(-1, 1 + _PIXELS)
    return _checked(records[:, 1:], records[:, 0])


class _Arrays(pickle.Unpickler):
    """Unpickles only NumPy arrays and plain values, so no pickle can run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"CIFAR-10: found {module}.{name}, allowed are arrays")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _parse_pickle(data: bytes) -> Part:
    """Parse a dictionary pickled by Python 2; its strings are bytes."""
    content = _Arrays(io.BytesIO(data), encoding="bytes").load()
    if not isinstance(content, dict) or not {b"data", b"labels"} <= content.keys():
        raise ValueError("CIFAR-10: found another pickle, allowed is a dict of data and labels")
    return _checked(np.asarray(content[b"data"]), np.asarray(content[b"labels"]))


def _sample(path: Path) -> tuple[Part, Part]:
    with np.load(path, allow_pickle=False) as arrays:
        parts = [(arrays[f"{name}_x"], arrays[f"{name}_y"]) for name in ("train", "test")]
    train, test = (
        _checked(images.transpose(0, 3, 1, 2).reshape(-1, _PIXELS), labels)
        for images, labels in parts
    )
    return train, test


def _checked(pixels: np.ndarray, labels: np.ndarray) -> Part:
    if pixels.dtype != np.uint8 or pixels.shape != (len(labels), _PIXELS):
        raise ValueError(
            f"CIFAR-10: found {pixels.shape} of {pixels.dtype}, "
            f"allowed ({len(labels)}, {_PIXELS}) of uint8"
        )
    if labels.dtype.kind not in "iu" or not np.all((labels >= 0) & (labels < 10)):
        raise ValueError("CIFAR-10: found other labels, allowed are 0 to 9")
    return pixels, labels


def _data(train: Part, test: Part) -> Data:
    whole, result = (
        split_of(pixels.reshape(-1, 3, 32, 32), labels, _MEAN, _DEVIATION)
        for pixels, labels in (train, test)
    )
    held_out = min(5000, len(whole.images) // 8)
    return Data(whole.part(0, -held_out), whole.part(-held_out), result)
