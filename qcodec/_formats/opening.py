"""Opens files of any format, and checkpoints of several files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .._base.messages import quoted
from .._file.directory import Directory, Stored, is_pack, read_directory
from .._file.foreign import START_BYTES, refusal
from .._frame.notes import Notes
from .._io.joined import JoinedSource
from .._io.source import Backend, PathLike, Readable, Source, open_source
from ..errors import CorruptError, naming
from ..limits import DEFAULT_LIMITS, Limits
from . import gguf, npy, onnx, pytorch, shards
from .archive import Archive


class Opening(NamedTuple):
    """What readers need besides the bytes.

    Attributes
    ----------
    limits : Limits
    beside : callable, optional
        Opens a file beside this one; None if there is only this one.
    dequantize : bool
        Whether quantized types of other formats are floats.
    """

    limits: Limits = DEFAULT_LIMITS
    beside: onnx.Beside | None = None
    dequantize: bool = False


def open_any(
    path: PathLike, backend: Backend, limits: Limits, dequantize: bool = False
) -> tuple[Source, Directory]:
    """Open a file of any format, an index of shards, or a folder with a checkpoint.

    Returns
    -------
    tuple of Source and Directory
        The source holds all files; its status is that of the first.

    Raises
    ------
    QCodecError
        If the head of a file is not valid.
    OSError
        If a file cannot be read.
    """
    place = Path(os.fsdecode(path))
    if place.is_dir():
        place = shards.main_file(place)
    source = open_source(place, backend)
    is_index = place.name.endswith(shards.INDEX)
    try:
        start = _start(source)
        if not is_index and (_is_safetensors(start) or not onnx.begins(start)):
            return source, read_any(source, Opening(limits, None, dequantize))
        source = joined = JoinedSource(source)
        files = _Files(joined, place, backend, limits)
        opening = Opening(limits, files.place, dequantize)
        directory = _of_index(joined, files, opening) if is_index else read_any(joined, opening)
        return source, replace(directory, files=files.sizes())
    except BaseException:
        source.close()
        raise


def _start(source: Readable) -> bytes:
    return bytes(source.read(0, min(source.size, START_BYTES)))


class _Files:
    """The files beside one, opened when they are needed."""

    def __init__(self, joined: JoinedSource, path: Path, backend: Backend, limits: Limits) -> None:
        self._joined, self._backend, self._limits = joined, backend, limits
        self._folder, self._name, self._size = path.parent, path.name, joined.size
        self._opened: dict[str, tuple[int, Source]] = {}

    def open(self, name: str) -> tuple[int, Source]:
        """Return a file and its offset in the joined source."""
        if name not in self._opened:
            shards.check_beside(name)
            source = open_source(self._folder / name, self._backend)
            self._opened[name] = self._joined.add(source), source
            self._limits.check_file(self._joined.size, "bytes of all files")
        return self._opened[name]

    def sizes(self) -> dict[str, int]:
        """Return the names and sizes of all files, in the order of their bytes."""
        return {self._name: self._size} | {
            name: source.size for name, (_, source) in self._opened.items()
        }

    def place(self, name: str) -> tuple[int, int]:
        """Return the offset of a file's first byte, and of what follows it."""
        start, source = self.open(name)
        return start, start + source.size


def read_any(source: Readable, opening: Opening) -> Directory:
    """Read the directory of a file by the format that its first bytes tell.

    Raises
    ------
    QCodecError
        If the format is not known, or the file is not valid.
    """
    limits = opening.limits
    limits.check_file(source.size)
    start = _start(source)
    reader = None
    if not is_pack(source) and not _is_safetensors(start):
        reader = next((read for begins, read in _READERS if begins(start)), None)
    return read_directory(source, limits) if reader is None else reader(source, opening)


def _is_safetensors(start: bytes) -> bool:
    """Whether a file begins with a length below 2**32 and an object of JSON."""
    return start[4:9] == b"\0\0\0\0{"


def _read_zip(source: Readable, opening: Opening) -> Directory:
    names = [info.filename for info in Archive(source, "an archive", opening.limits).members]
    if any(name.endswith("/data.pkl") for name in names):
        return pytorch.read_archive(source, opening.limits)
    if names and not any(name.endswith(npy.MEMBER) for name in names):
        raise refusal(source)
    return npy.read_npz(source, opening.limits)


_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[Readable, Opening], Directory]], ...] = (
    (lambda start: start[:4] in (b"PK\x03\x04", b"PK\x05\x06"), _read_zip),
    (
        lambda start: start.startswith(_LEGACY),
        lambda source, opening: pytorch.read_legacy(source, opening.limits),
    ),
    (
        lambda start: start[:1] == b"\x80" and start[1:2] in b"\2\3\4\5",
        lambda source, opening: npy.read_pickled(source, opening.limits),
    ),
    (
        lambda start: start.startswith(b"\x93NUMPY"),
        lambda source, opening: npy.read_npy(source, opening.limits),
    ),
    (
        lambda start: start.startswith(gguf.MAGIC),
        lambda source, opening: gguf.read_gguf(source, opening.limits, opening.dequantize),
    ),
    (
        onnx.begins,
        lambda source, opening: onnx.read_onnx(source, opening.limits, opening.beside),
    ),
)


def _of_index(joined: JoinedSource, files: _Files, opening: Opening) -> Directory:
    """Return the directory of all files of an index."""
    opening.limits.check_header(joined.size)
    by_name = shards.read_index(bytes(joined.read(0, joined.size)), opening.limits)
    tensors: dict[str, Stored] = {}
    metadata: dict[str, str] = {}
    left_out: dict[str, str] = {}
    checks: list[Callable[[], None]] = []
    formats: set[str] = set()
    for file in dict.fromkeys(by_name.values()):
        start, source = files.open(file)
        with naming(file, "file"):
            directory = read_any(source, opening._replace(beside=None))
        for name, stored in directory.tensors.items():
            if name in tensors:
                raise CorruptError(f"{quoted(name)} is in two files")
            tensors[name] = _moved(stored, start)
        metadata |= directory.metadata
        left_out |= directory.left_out
        formats.add(directory.format)
        checks += [directory.check] if directory.check else []
    for name, file in by_name.items():
        if name not in tensors and name not in left_out:
            raise CorruptError(f"tensor {quoted(name)} is not in {quoted(file)}, as the index says")
    opening.limits.check_count(len(tensors))
    name = formats.pop() if len(formats) == 1 else ""
    check = partial(_each, checks) if checks else None
    return Directory(tensors, metadata, 0, 0, {}, Notes(), name, left_out, check)


def _each(checks: list[Callable[[], None]]) -> None:
    for check in checks:
        check()


def _moved(stored: Stored, by: int) -> Stored:
    entry = stored.ordinary
    if entry is not None:
        entry = entry._replace(offset=entry.offset + by)
    return stored._replace(offset=stored.offset + by, ordinary=entry)
