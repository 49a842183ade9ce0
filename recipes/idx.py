"""The idx format of MNIST, as NumPy arrays."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

_MAGIC_OF_BYTES = b"\x00\x00\x08"


def mnist_array(folder: Path, name: str) -> np.ndarray:
    """Read one of the four published files of MNIST, gzipped or not.

    Parameters
    ----------
    folder : pathlib.Path
        Contains the file, directly or in ``mnist`` (or torchvision's ``MNIST/raw``).
    name : str
        Without ``.gz``: ``t10k-labels-idx1-ubyte``.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message has its name and the folders.
    ValueError
        If it is not an idx file of bytes, or is incomplete.
    """
    places = [folder, folder / "mnist", folder / "MNIST" / "raw"]
    candidates = [place / f"{name}{suffix}" for place in places for suffix in (".gz", "")]
    path = next((candidate for candidate in candidates if candidate.exists()), None)
    if path is None:
        raise FileNotFoundError(f"no {name} or {name}.gz in {', '.join(map(str, places))}")
    data = path.read_bytes()
    return _array(gzip.decompress(data) if path.suffix == ".gz" else data, path)


def _array(data: bytes, path: Path) -> np.ndarray:
    dimensions = data[3] if data[:3] == _MAGIC_OF_BYTES and len(data) > 3 else 0
    first = 4 + 4 * dimensions
    if dimensions == 0 or len(data) < first:
        raise ValueError(f"{path}: found {data[:4].hex()}, allowed is the head of an idx file")
    shape = np.frombuffer(data, ">u4", dimensions, offset=4).tolist()
    if len(data) != first + math.prod(shape):
        raise ValueError(f"{path}: found {len(data) - first} bytes, allowed are {shape}")
    return np.frombuffer(data, np.uint8, offset=first).reshape(shape)
