"""Writes the file that was encoded once more, from its `Original` and the decoded tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from .._base.messages import quoted
from .._file.container import Opaque, Ordinary, bytes_of_tensor
from .._io.later import Later, Part, size_of
from .._io.source import PartsSource
from ..errors import ChecksumError, CorruptError, UnsupportedError
from ..limits import Limits
from .archive import Archive
from .original import Hole, Original
from .shards import INDEX

#: The endings of the files that each format has.
ENDINGS = {
    "": (".safetensors",),
    "GGUF": (".gguf",),
    "ONNX": (".onnx",),
    "PyTorch archive": (".pt", ".pth", ".bin", ".ckpt"),
    "PyTorch file": (".pt", ".pth", ".bin", ".ckpt"),
    "NumPy array": (".npy",),
    "NumPy archive": (".npz",),
    "pickle": (".pkl", ".pickle"),
}
#: All endings, each once.
ALL_ENDINGS = tuple(dict.fromkeys([*chain(*ENDINGS.values()), INDEX]))
_WITH_CHECKSUMS = {"PyTorch archive", "NumPy archive"}


#: Decodes the tensor of a name.
Read = Callable[[str], Ordinary | Opaque]
_Last = dict[Hole, memoryview]


class TensorBytes(Later):
    """The bytes of a tensor that is decoded when it is written.

    Parameters
    ----------
    hole : Hole
        Its name and size.
    read : callable
        Decodes the tensor of a name.
    last : dict
        Shared by the tensors of a file: the bytes of the one that was decoded last, by its hole,
        because a file is read in pieces.
    """

    def __init__(self, hole: Hole, read: Read, last: _Last) -> None:
        self._hole, self._decode, self._last = hole, read, last
        self.size = hole.size

    def read(self, offset: int, size: int) -> memoryview:
        return self._all()[offset : offset + size]

    def pieces(self) -> Iterator[memoryview]:
        yield self._all()

    def _all(self) -> memoryview:
        if self._hole not in self._last:
            self._last.clear()
            self._last[self._hole] = self._decoded()
        return self._last[self._hole]

    def _decoded(self) -> memoryview:
        tensor, axes = self._decode(self._hole.name), self._hole.axes
        if axes:
            if isinstance(tensor, Opaque) or tensor.array.ndim != len(axes):
                raise CorruptError(f"tensor {quoted(self._hole.name)} has another shape")
            tensor = replace(tensor, array=np.ascontiguousarray(tensor.array.transpose(axes)))
        _, _, data = bytes_of_tensor(self._hole.name, tensor)
        if data.nbytes != self.size:
            what = f"tensor {quoted(self._hole.name)} has {data.nbytes:,} bytes"
            raise CorruptError(f"{what}, {self.size:,} in the original")
        return data


def files_of(original: Original, read: Read) -> dict[str, list[Part]]:
    """Return the parts of each file of an original, by name.

    Parameters
    ----------
    original : Original
    read : callable
        Decodes the tensor of a name.
    """
    last: _Last = {}
    parts = original.parts(lambda hole: TensorBytes(hole, read, last))
    found: dict[str, list[Part]] = {}
    left: list[Part] = []
    for name, size in original.files.items():
        found[name] = mine = left
        left = []
        missing = size - sum(map(size_of, mine))
        while missing > 0:
            part = next(parts)
            if size_of(part) > missing and not isinstance(part, Later):
                left = [memoryview(part)[missing:]]
                part = memoryview(part)[:missing]
            mine.append(part)
            missing -= size_of(part)
        if missing < 0:
            raise CorruptError("a tensor of the original goes on in the next file")
    return found


def endings_of(original: Original) -> tuple[str, ...]:
    """Return the endings of a file that is written as the first one of an original."""
    if next(iter(original.files)).endswith(INDEX):
        return (INDEX,)
    return ENDINGS.get(original.format, ())


def checked(files: dict[str, list[Part]], format: str) -> dict[str, list[Part]]:  # noqa: A002
    """Return the files, if no checksum within them is that of other bytes.

    Archives have checksums of their tensors, which are others once tensors were quantized.

    Raises
    ------
    UnsupportedError
        If such a file cannot be written again.
    """
    if format not in _WITH_CHECKSUMS:
        return files
    for parts in files.values():
        try:
            Archive(PartsSource(parts), "an archive", Limits.none()).check()
        except ChecksumError:
            raise UnsupportedError(
                "tensors were quantized, and the file that was encoded has checksums of them: "
                "decode to .safetensors"
            ) from None
    return files
