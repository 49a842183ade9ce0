"""What an open file holds: names, places, frames and metadata, without decoding tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .._base.messages import quoted
from .._frame.encoded import Encoded
from .._frame.inspection import Info
from .._frame.notes import Notes
from .._io.source import Source
from ..dtypes import ElementType
from ..errors import MissingTensorError, QCodecError, naming
from ..limits import Limits
from .directory import Directory, Stored, read_directory
from .opener import AnyTensor, Opener


class TensorMeta(NamedTuple):
    """What a file says about a tensor.

    Attributes
    ----------
    dtype : str
        The element type as safetensors spells it, such as ``"F32"``.
    shape : list of int
    data_offsets : tuple of (int, int)
        The first byte of the tensor, encoded or not, and the end. They are counted from the end of
        the header, and in files without a safetensors header from the first byte. Tensors that
        share a frame, or are the same tensor, have the same offsets.
    """

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


class StoredTensors:
    """What an open file holds; the base class of `TensorFile`.

    Parameters
    ----------
    source : Source
        The whole file, also an attribute.
    limits : Limits
    base : mapping of str to array_like, optional
        The bases of tensors of kind delta, by name.
    directory : Directory, optional
        What is in the file; by default it is read.
    """

    def __init__(
        self,
        source: Source,
        limits: Limits,
        base: Mapping[str, Any] | None = None,
        directory: Directory | None = None,
    ) -> None:
        self.source = source
        self._limits = limits
        self._directory = read_directory(source, limits) if directory is None else directory
        self._opener = Opener(source, limits, base)

    @property
    def directory(self) -> Directory:
        """The names and places of the file's tensors.

        Raises
        ------
        ValueError
            If the file is closed; all other methods use this property first.
        """
        self.source.check_open()
        return self._directory

    def keys(self) -> list[str]:
        """Return the names of the tensors, in alphabetical order."""
        return sorted(self.directory.tensors)

    def offset_keys(self) -> list[str]:
        """Return the names of the tensors, in the order of their bytes."""
        return list(self.directory.tensors)

    def metadata(self) -> dict[str, str] | None:
        """Return the file's metadata; None if it has none.

        A safetensors file has it in its header, a pack in a note: an object of strings, as JSON.
        """
        return dict(self.directory.metadata) or None

    def notes(self) -> Notes:
        """Return the notes of the file's pack; those of a frame are ``encoded(name).notes``."""
        return self.directory.notes

    def attached(self) -> list[str]:
        """Return the names of what belongs to the file but is no tensor, in alphabetical order."""
        return sorted(self.directory.attached)

    def get_attached(self, name: str) -> bytes:
        """Return the bytes that are attached to the file under a name.

        Raises
        ------
        MissingTensorError
            If nothing is attached under this name.
        QCodecError
            If its bytes are not valid.
        """
        stored = self.directory.attached.get(name)
        if stored is None:
            raise MissingTensorError(f"file has nothing attached under the name {quoted(name)}")
        encoded = self._opener.encoded(stored)
        with naming(name, stored.noun):
            return encoded.decode().tobytes()

    def get_tensor_meta(self, name: str) -> TensorMeta:
        """Return a tensor's element type, shape and place.

        Of a frame, the head is read: all of a frame without chunks, whose checksum is that of all.

        Raises
        ------
        MissingTensorError
            If there is no tensor of this name.
        """
        stored, start = self._stored(name), self.directory.header_bytes
        place = stored.offset - start, stored.offset + stored.size - start
        if stored.opaque:
            return TensorMeta(stored.opaque.dtype, list(stored.opaque.shape), place)
        tensor = self._opener.tensor(stored)
        return TensorMeta(tensor.element_type.safetensors, list(tensor.shape), place)

    def encoded(self, name: str) -> Encoded:
        """Return an encoded tensor, or what is attached, without decoding it.

        Of a tensor that equals another one, it is the other's.

        Raises
        ------
        MissingTensorError
            If there is nothing of this name.
        TypeError
            If it is an ordinary tensor, or is converted from one of another type.
        """
        stored = self._stored(name, or_attached=True)
        if stored.ordinary is not None:
            raise TypeError(f"tensor {quoted(name)} is not encoded")
        found = self._opener.encoded(stored)
        if stored.converted_to not in ("", found.element_type.name):
            raise TypeError(f"tensor {quoted(name)} is converted from {quoted(stored.target)}")
        return found

    def info(self, name: str) -> Info:
        """Describe the contents and bytes of a frame; raises as `encoded`."""
        encoded = self.encoded(name)
        with naming(name, self._stored(name, or_attached=True).noun):
            return encoded.info()

    def verify(self, name: str) -> None:
        """Check every byte of a tensor, or of what is attached; raises what decoding it would.

        Checksums in notes are checked too. The tensor is not built in memory, so its size is not
        limited; one with a checksum of its elements is decoded chunk by chunk. Elements of types
        that qcodec does not decode are not checked.
        """
        self._opener.verify(self._stored(name, or_attached=True))

    def faults(self, progress: Callable[[str], None] | None = None) -> dict[str, QCodecError]:
        """Check every byte of all that `verify` takes; return the errors, by name.

        Parameters
        ----------
        progress : callable, optional
            Called with the name of each tensor that was checked, and of what is attached.
        """
        directory = self.directory
        everything = [*directory.tensors.values(), *directory.attached.values()]
        return self._opener.faults(everything, progress)

    def element_type(self, name: str) -> ElementType:
        """Return the element type of a tensor; raises as `get_slice`."""
        return self._open(name).element_type

    def _open(self, name: str) -> AnyTensor:
        return self._opener.tensor(self._stored(name))

    def _stored(self, name: str, or_attached: bool = False) -> Stored:
        found = self.directory.tensors.get(name)
        if found is None and or_attached:
            found = self.directory.attached.get(name)
        if found is None:
            kind = self.directory.left_out.get(name)
            why = "" if kind is None else f", but one {kind}, which qcodec does not read"
            raise MissingTensorError(f"file has no tensor {quoted(name)}{why}")
        return found

    def __len__(self) -> int:
        return len(self.directory.tensors)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.directory.tensors
