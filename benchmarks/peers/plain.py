"""Plain safetensors files of any dtype that qcodec knows, and their headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import qcodec
from qcodec.dtypes import element_type

from .case import Array


def header(tensors: Mapping[str, Array]) -> bytes:
    """Length and JSON: names, dtypes, shapes, and where the bytes of each are."""
    rows, at = {}, 0
    for name, array in tensors.items():
        rows[name] = {
            "dtype": element_type(array.dtype).safetensors,
            "shape": list(array.shape),
            "data_offsets": [at, at := at + array.nbytes],
        }
    text = json.dumps(rows, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def write(tensors: Mapping[str, Array], path: Path) -> None:
    """A file that any reader of safetensors opens."""
    data = b"".join(np.ascontiguousarray(array).tobytes() for array in tensors.values())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header(tensors) + data)


def read(path: Path) -> dict[str, Array]:
    """The tensors, in the carriers of their element types."""
    found = qcodec.load_file(path)
    return {name: np.asarray(found[name]) for name in found}
