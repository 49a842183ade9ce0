"""NumPy's ``.npz``: what the command line also reads and writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..container import Opaque, Ordinary
from ..errors import CorruptError
from ..messages import quoted

SUFFIX = ".npz"
#: Names of NumPy's own types in .npz; the others would lose theirs.
_KINDS = "fiub"


class NpzTensors(Mapping[str, np.ndarray[Any, Any]]):
    """The arrays of an ``.npz`` file, loaded when they are asked for; nothing is unpickled."""

    def __init__(self, path: str) -> None:
        try:
            self._file = np.load(path, allow_pickle=False)
        except (ValueError, zipfile.BadZipFile) as error:
            raise CorruptError(f"not a .npz file: {error}") from None

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        array: np.ndarray[Any, Any] = self._file[name]
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)


def npz_bytes(tensors: Mapping[str, Ordinary | Opaque]) -> bytes:
    """The bytes of an ``.npz`` file.

    Raises
    ------
    TypeError
        For element types that NumPy does not have.
    """
    buffer = io.BytesIO()
    # Not numpy.savez: it cannot have an array called "file".
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, tensor in tensors.items():
            if (
                isinstance(tensor, Opaque)
                or tensor.array.dtype.kind not in _KINDS
                or tensor.array.dtype.name != tensor.element.name
            ):
                raise TypeError(
                    f"tensor {quoted(name)}: .npz has no {tensor.type_name}: "
                    "decode to .safetensors, or with --dtype float32"
                )
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, tensor.array, allow_pickle=False)
    return buffer.getvalue()
