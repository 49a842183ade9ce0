"""The tensors of a file as they are encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._base.messages import quoted
from ..errors import UnsupportedError
from ..recipes import Recipe
from .container import Opaque, Ordinary
from .saving import Progress
from .tensor_file import TensorFile


def check_readable(file: TensorFile, skip_unreadable: bool = False) -> None:
    """Check the file's own checksums, and that no tensor would be lost.

    Raises
    ------
    ChecksumError
        If an archive changed.
    UnsupportedError
        If there are tensors of kinds that qcodec does not read, unless they may be skipped.
    """
    directory = file.directory
    if directory.check is not None:
        directory.check()
    if directory.left_out and not skip_unreadable:
        (name, kind), *others = directory.left_out.items()
        more = f", and {len(others):,} more" if others else ""
        raise UnsupportedError(
            f"tensor {quoted(name)} is {kind}, which qcodec does not read{more}: "
            "--skip-unreadable (skip_unreadable=True) leaves such tensors out"
        )


class Reading:
    """`TensorFile.read_ordinary` that reports each tensor; one may be read several times.

    Parameters
    ----------
    file : TensorFile
    progress : callable, optional
        Called with the number of tensors that were read, of all tensors, and the name.
    """

    def __init__(self, file: TensorFile, progress: Progress | None) -> None:
        self._file, self._progress = file, progress
        self._done: set[str] = set()

    def __call__(self, name: str, **how: Any) -> Ordinary | Opaque:
        tensor = self._file.read_ordinary(name, **how)
        if self._progress is not None and name not in self._done:
            self._done.add(name)
            self._progress(len(self._done), len(self._file), name)
        return tensor


class Recoded(Mapping[str, Any]):
    """The tensors of a file, each read when it is requested, so that they are never all in memory.

    What was quantized keeps its codes, unless the recipe chooses others.

    Parameters
    ----------
    file : TensorFile
    recipe : Recipe
    """

    def __init__(self, file: TensorFile, recipe: Recipe) -> None:
        self._file, self._recipe = file, recipe

    def __getitem__(self, name: str) -> Any:
        file = self._file
        if file.directory.tensors[name].opaque:
            return file.read_ordinary(name)
        shape = tuple(file.get_slice(name).get_shape())
        codec = self._recipe.codec_for(name, shape, file.element_type(name).name)
        keeps_bits = codec is None or codec.is_lossless
        return file.read_stored(name) if keeps_bits else file.read_ordinary(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.offset_keys())

    def __len__(self) -> int:
        return len(self._file)
