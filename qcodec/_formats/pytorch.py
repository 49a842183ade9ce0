"""PyTorch's files: zip archives with a pickle, older files of pickles, and TorchScript.

In an archive, `data.pkl` says what there is, and each storage is a member of its own. In an older
file five pickles come first (a number, the version, the machine, what there is, the keys of the
storages) and then the storages, each after its number of elements.
"""

from __future__ import annotations

from typing import Any

from .._base.messages import quoted
from .._file.directory import Directory
from .._io.source import Readable
from ..dtypes import BY_SAFETENSORS
from ..errors import CorruptError, UnsupportedError
from ..limits import Limits
from .archive import Archive
from .directories import directory_of
from .located import Located, Unreadable
from .numpy_calls import numpy_array
from .reading import Stream
from .symbolic_pickle import Reference, read_pickle
from .torch_calls import Places, element_name, key_of, torch_tensor
from .tree import leaves

#: The pickles of an archive; where their storages are; and what comes before the names of tensors.
_PARTS = (("data.pkl", "data/", ""), ("constants.pkl", "constants/", "constants"))
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001


def read_archive(source: Readable, limits: Limits) -> Directory:
    """Read the directory of a ``.pt`` or ``.pth`` file that is a zip archive, or of TorchScript.

    Raises
    ------
    QCodecError
        If it is broken, or has something that is not supported; nothing is executed.
    """
    archive = Archive(source, "a PyTorch file", limits)
    members = {info.filename.partition("/")[2]: info for info in archive.members}
    order = members.get("byteorder")
    if order is not None:
        start, stop = archive.place(order)
        if bytes(source.read(start, min(stop - start, 8))) != b"little":
            raise UnsupportedError("a PyTorch file of a big-endian machine")
    found: list[tuple[str, Located | Unreadable]] = []
    for pickle, folder, prefix in _PARTS:
        if pickle not in members:
            continue
        start, stop = archive.place(members[pickle])
        places = _Members(archive, members, folder)
        root = read_pickle(Stream(source, start, stop, pickle), limits)
        found += _tensors(root if not prefix else {prefix: root}, places, limits)
    return directory_of(found, source, limits, format="PyTorch archive", check=archive.check)


class _Members(dict[str, tuple[int, int]]):
    """The places of storages, found when they are needed."""

    def __init__(self, archive: Archive, members: dict[str, Any], folder: str) -> None:
        super().__init__()
        self._archive, self._members, self._folder = archive, members, folder

    def __contains__(self, key: object) -> bool:
        return f"{self._folder}{key}" in self._members

    def __missing__(self, key: str) -> tuple[int, int]:
        self[key] = place = self._archive.place(self._members[f"{self._folder}{key}"])
        return place


def read_legacy(source: Readable, limits: Limits) -> Directory:
    """Read the directory of a file of PyTorch before 1.6; raises as `read_archive`."""
    stream = Stream(source, what="PyTorch file")
    references: list[Reference] = []
    magic, version, system = (read_pickle(stream, limits) for _ in range(3))
    if magic != _LEGACY_MAGIC or version != _LEGACY_VERSION:
        raise UnsupportedError(f"not a PyTorch file of version {_LEGACY_VERSION}")
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise UnsupportedError("a PyTorch file of a big-endian machine")
    root = read_pickle(stream, limits, references)
    places = _legacy_places(stream, read_pickle(stream, limits), references)
    return directory_of(_tensors(root, places, limits), source, limits, format="PyTorch file")


def _legacy_places(stream: Stream, keys: Any, references: list[Reference]) -> Places:
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise CorruptError("a PyTorch file whose keys of storages are no list of texts")
    kinds = dict(map(key_of, references))
    places = {}
    for key in keys:
        name = element_name(kinds.get(key))
        if name is None:
            raise UnsupportedError(f"a PyTorch file whose storage {quoted(key)} has no known type")
        count, start = stream.number("Q"), stream.position
        stream.skip(count * BY_SAFETENSORS[name].itemsize)
        places[key] = start, stream.position
    return places


def _tensors(root: Any, places: Places, limits: Limits) -> list[tuple[str, Located | Unreadable]]:
    def find(value: Any) -> Located | Unreadable | None:
        found = torch_tensor(value, places)
        return numpy_array(value) if found is None else found

    return list(leaves(root, find, limits))
