"""An open file of tensors: reads names at once, and tensors or parts of them on demand."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import numpy as np

from .._base.arrays import to_torch
from .._base.messages import quoted
from .._frame.encoded import Encoded
from .._frame.ids import ELEMENT_KINDS, KIND_NAMES
from .._frame.indexing import Index
from .._frame.inspection import Info
from .._frame.notes import Notes
from .._io.source import Source
from ..dtypes import ElementType, output_type
from ..errors import MissingTensorError, QCodecError, naming
from ..limits import DEFAULT_LIMITS, Limits
from ..quantized import Quantized
from .container import OnDemand, Opaque, Ordinary
from .directory import Directory, Stored, read_directory
from .loading import Loading
from .opener import AnyTensor, Opener
from .tensor_slice import TensorSlice

Array = np.ndarray[Any, Any]

T = TypeVar("T")

_FRAMEWORKS = {"numpy": "numpy", "np": "numpy", "pt": "torch", "torch": "torch"}


class TensorFile:
    """A safetensors file, with or without encoded tensors, or a pack; see `safe_open`.

    Parameters
    ----------
    source : Source
        The whole file, also an attribute; closed with this object.
    framework : {"numpy", "pt"}
        The type of the returned tensors: NumPy arrays or torch tensors.
    device : str
        The device of torch tensors; ``"cpu"`` for NumPy.
    limits : Limits
    base : mapping of str to array_like, optional
        The bases of tensors of kind delta, by name.
    on_close : callable, optional
        Called when this object is closed.
    directory : Directory, optional
        What is in the file; by default it is read.

    Raises
    ------
    ValueError
        By every method, once the file is closed.
    """

    def __init__(
        self,
        source: Source,
        framework: str = "numpy",
        device: str = "cpu",
        limits: Limits = DEFAULT_LIMITS,
        base: Mapping[str, Any] | None = None,
        on_close: Callable[[], None] | None = None,
        directory: Directory | None = None,
    ) -> None:
        if framework not in _FRAMEWORKS:
            raise ValueError(
                f"framework is {framework!r}, allowed are {', '.join(map(repr, _FRAMEWORKS))}"
            )
        self._to_torch = _FRAMEWORKS[framework] == "torch"
        if self._to_torch:
            importlib.import_module("torch")  # if it is missing, fail here, not at first use
        elif device != "cpu":
            raise ValueError(f"device is {device!r}: NumPy arrays are on the cpu")
        self._device = device
        self._limits = limits
        self._on_close = on_close
        self.source = source
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

    def get_tensor(
        self, name: str, out: Array | None = None, *, dtype: object = None, threads: int = 1
    ) -> Any:
        """Decode one tensor; only its bytes are read.

        Parameters
        ----------
        name : str
        out : numpy.ndarray, optional
            Writable, C-contiguous, of the tensor's shape and the output dtype.
        dtype : optional
            float32, float16, bfloat16 or float64, for float tensors.
        threads : int
            Number of threads, the calling one included: `Encoded.decode`.

        Returns
        -------
        numpy.ndarray or torch.Tensor

        Raises
        ------
        MissingTensorError
            If there is no tensor of this name.
        QCodecError
            If its bytes are not valid; the message names the tensor.
        """
        array, element = self.read_array(name, out, dtype=dtype, threads=threads)
        return self._given(array, element)

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

    def get_tensors(self, *, dtype: object = None, threads: int = 1) -> dict[str, Any]:
        """Decode all tensors; names that share one stored tensor share one array.

        Parameters
        ----------
        dtype : optional
            float32, float16, bfloat16 or float64 for all float tensors; other tensors keep
            their type.
        threads : int
            Number of threads, the calling one included. They decode different tensors, and
            runs of chunks of large ones.

        Returns
        -------
        dict of str to numpy.ndarray or torch.Tensor
            In the order of the file.

        Raises
        ------
        LimitError
            If all tensors together would be larger than the limits allow; then none is
            decoded.
        QCodecError
            If a tensor is not valid; the message names it.
        """
        if self._device != "cpu":  # in the memory of the CPU one after the other

            def get(name: str) -> Any:
                return self.get_tensor(name, dtype=self._dtype_of(name, dtype), threads=threads)

            self.check_total(dtype)
            return self.read_each(get)
        loaded = self._loading(dtype).arrays(threads)
        given = {identity: self._given(*one) for identity, one in loaded.items()}
        return {name: given[stored.identity] for name, stored in self.directory.tensors.items()}

    def read_each(self, read: Callable[[str], T]) -> dict[str, T]:
        """Read all tensors; names that share one stored tensor share one result.

        Parameters
        ----------
        read : callable
            Called with names; with those that share a frame one after the other.

        Returns
        -------
        dict
            In the order of the file.
        """
        tensors = self.directory.tensors
        found: dict[tuple[str, str], T] = {}
        for name, stored in sorted(tensors.items(), key=lambda item: item[1].offset):
            if stored.identity not in found:
                found[stored.identity] = read(name)
        return {name: found[stored.identity] for name, stored in tensors.items()}

    def check_total(self, dtype: object = None) -> None:
        """Check the limits for all tensors together. Only their heads are read.

        Parameters
        ----------
        dtype : optional
            The type to which float tensors will be decoded; the default is their own type.

        Raises
        ------
        LimitError
            If a tensor, or all tensors together, would be larger than the limits allow.
        """
        self._loading(dtype).check_total()

    def _loading(self, dtype: object) -> Loading:
        tensors = self.directory.tensors.values()
        return Loading(tensors, self._opener, self.source, self._limits, dtype)

    def get_slice(self, name: str) -> TensorSlice:
        """Return a tensor that can be sliced; only the chunks of the slices are read.

        What slices share is read once and kept until another tensor is sliced or the file is
        closed: the head, the parameters, and the base of a delta, which must not change.

        Raises
        ------
        MissingTensorError
            If there is no tensor of this name.
        """
        part = self._opener.sliced(self._stored(name))

        def get(index: Index) -> Any:
            with naming(name):
                return self._given(part[index], part.element_type)

        return TensorSlice(part.shape, part.element_type.safetensors, get)

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

    def faults(self) -> dict[str, QCodecError]:
        """Check every byte of all that `verify` takes; return the errors, by name."""
        directory = self.directory
        return self._opener.faults([*directory.tensors.values(), *directory.attached.values()])

    def element_type(self, name: str) -> ElementType:
        """Return the element type of a tensor; raises as `get_slice`."""
        return self._open(name).element_type

    def read_array(
        self, name: str, out: Array | None = None, *, dtype: object = None, threads: int = 1
    ) -> tuple[Array, ElementType]:
        """Return a tensor as an array, whatever the framework, with its element type."""
        tensor = self._open(name)
        with naming(name):
            target = output_type(tensor.element_type, dtype)
            return tensor.decode(out=out, dtype=dtype, threads=threads), target

    def read_ordinary(
        self, name: str, *, dtype: object = None, threads: int = 1
    ) -> Ordinary | Opaque:
        """Return one tensor as an ordinary tensor of a safetensors file; see `get_tensor`.

        Parameters
        ----------
        name : str
        dtype : optional
            For float tensors; other tensors keep their type.
        threads : int

        Returns
        -------
        Ordinary or Opaque
            The decoded tensor, or its bytes if qcodec does not decode its element type.
        """
        stored = self._stored(name)
        if stored.opaque:
            self._limits.check_tensor(stored.size, self.source.size)
            data = self.source.read(stored.offset, stored.size)
            return Opaque(data, stored.opaque.dtype, stored.opaque.shape)
        wanted = self._dtype_of(name, dtype)
        return Ordinary(*self.read_array(name, dtype=wanted, threads=threads))

    def read_stored(self, name: str) -> Quantized | Ordinary | Opaque:
        """Return one tensor as it is stored: its codes and parameters, if it was quantized.

        What was stored without loss is decoded.
        """
        stored = self._stored(name)
        if stored.ordinary is None and not stored.converted_to:
            encoded = self._opener.encoded(stored)
            if KIND_NAMES[encoded.frame.kind] not in ELEMENT_KINDS:
                with naming(name):
                    return encoded.quantized()
        return self.read_ordinary(name)

    def ordinary_on_demand(
        self, name: str, *, dtype: object = None, threads: int = 1
    ) -> Ordinary | Opaque | OnDemand:
        """Return one tensor as `read_ordinary` does, but a large one to be decoded when written.

        The parts of a frame of several tensors are decoded at once.
        """
        stored = self._stored(name)
        read = partial(self.read_ordinary, name, dtype=dtype, threads=threads)
        if stored.opaque or stored.part is not None:
            return read()
        tensor = self._opener.tensor(stored)
        with naming(name):
            target = output_type(tensor.element_type, self._dtype_of(name, dtype))
        if target.packed_bits:
            return read()
        size = tensor.elements * target.itemsize
        return OnDemand(name, target.safetensors, tensor.shape, size, read)

    def _dtype_of(self, name: str, dtype: object) -> object:
        """Return `dtype` for a float tensor; otherwise None, which keeps the tensor's type."""
        return dtype if dtype is not None and self.element_type(name).is_float else None

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

    def _given(self, array: Array, element: ElementType) -> Any:
        return to_torch(array, element).to(self._device) if self._to_torch else array

    def close(self) -> None:
        """Close the file, and what was opened with it."""
        self.source.close()
        self._opener.forget()
        if self._on_close is not None:
            self._on_close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a TensorFile cannot be pickled or copied: pass its path instead, and open it with "
            "qcodec.safe_open"
        )

    def __len__(self) -> int:
        return len(self.directory.tensors)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.directory.tensors

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
