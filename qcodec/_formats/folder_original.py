"""What a compressed folder keeps of the one that was encoded: its files without their tensors.

It is a file of its own, a pack without tensors, because programs that load the folder take every
entry of its safetensors files for a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .._file.attached import encode_attached
from .._file.container import pack_parts
from .._file.header import HeaderEntry, read_header
from .._file.tensor_file import TensorFile
from .._io.atomic import replace_file
from .._io.later import Part
from .._io.source import PartsSource, PreadSource
from ..errors import naming
from ..limits import Limits
from .original import NAME, Original
from .rewriting import Read, files_of
from .shards import INDEX

#: The file's name.
FILE = "original.qcodec"


def keep(folder: Path, kept: Mapping[str, bytes]) -> None:
    """Write what is kept, by its names, into a folder; no file if there is nothing."""
    if kept:
        replace_file(folder / FILE, pack_parts(encode_attached(kept)))


def kept_in(folder: Path, limits: Limits) -> dict[str, bytes]:
    """Return what a folder keeps, by its names.

    Raises
    ------
    QCodecError
        If the file is not valid; the message names it.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    with naming(str(path), "file"), PreadSource(path) as source:
        file = TensorFile(source, limits=limits)
        return {name: file.get_attached(name) for name in file.attached()}


def files_as_before(
    original: bytes, file: TensorFile, read: Read, limits: Limits
) -> dict[str, list[Part]] | None:
    """Return the parts of the files that were encoded, by their names.

    Parameters
    ----------
    original : bytes
        What was kept as `original.NAME`.
    file : TensorFile
        The tensors of the folder now.
    read : callable
        Decodes the tensor of a name when it is written.
    limits : Limits

    Returns
    -------
    dict or None
        None if the tensors of the folder have other names, shapes or types by now.
    """
    files = files_of(Original.from_bytes(original, limits), read)
    described: dict[str, HeaderEntry] = {}
    for name, parts in files.items():
        if not name.endswith(INDEX):
            described |= read_header(PartsSource(parts), limits).entries
    if described.keys() != set(file.keys()):
        return None
    for name, entry in described.items():
        now = file.get_tensor_meta(name)
        if (now.dtype, now.shape) != (entry.dtype, list(entry.shape)):
            return None
    return files


__all__ = ["FILE", "NAME", "files_as_before", "keep", "kept_in"]
