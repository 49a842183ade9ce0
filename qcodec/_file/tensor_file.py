"""An open file of tensors: reads names at once, and tensors or parts of them on demand."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from .._base.arrays import to_torch
from .._base.closing import Closing
from .._frame.ids import ELEMENT_KINDS, KIND_NAMES
from .._frame.indexing import Index
from .._io.source import Source
from ..dtypes import ElementType, output_type
from ..errors import naming
from ..limits import DEFAULT_LIMITS, Limits
from ..quantized import Quantized
from .container import OnDemand, Opaque, Ordinary
from .directory import Directory, Stored
from .loading import Loading
from .prefetching import PrefetchLoader, check_slice
from .stored_tensors import StoredTensors
from .tensor_slice import TensorSlice

Array = np.ndarray[Any, Any]

T = TypeVar("T")
#: A device as torch takes it.
Device = str | int

_FRAMEWORKS = {
    "numpy": "numpy", "np": "numpy", "pt": "torch", "torch": "torch", "pytorch": "torch",
}  # fmt: skip


class TensorFile(StoredTensors, Closing):
    """A safetensors file, with or without encoded tensors, or a pack; see `safe_open`.

    Parameters
    ----------
    source : Source
        The whole file, also an attribute; closed with this object.
    framework : {"numpy", "pt"}
        The type of the returned tensors: NumPy arrays or torch tensors.
    device : str or int
        The device of torch tensors; ``"cpu"`` for NumPy.
    limits : Limits
    base : mapping of str to array_like, optional
        The bases of tensors of kind delta, by name.
    on_close : callable, optional
        Called when this object is closed.
    directory : Directory, optional
        What is in the file; by default it is read.
    reopen : callable, optional
        Opens the file again, in another process too; without it, this object cannot be pickled.

    Raises
    ------
    ValueError
        By every method, once the file is closed.
    """

    def __init__(
        self,
        source: Source,
        framework: str = "numpy",
        device: Device = "cpu",
        limits: Limits = DEFAULT_LIMITS,
        base: Mapping[str, Any] | None = None,
        on_close: Callable[[], None] | None = None,
        directory: Directory | None = None,
        reopen: Callable[[], TensorFile] | None = None,
    ) -> None:
        if framework not in _FRAMEWORKS:
            raise ValueError(
                f"framework is {framework!r}, allowed are {', '.join(map(repr, _FRAMEWORKS))}"
            )
        self._to_torch = _FRAMEWORKS[framework] == "torch"
        if self._to_torch:
            importlib.import_module("torch")  # if it is missing, fail here, not at first use
        self._device = self._checked(device)
        self._on_close = on_close
        self._reopen = reopen
        super().__init__(source, limits, base, directory)

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

    def prefetch(
        self,
        plan: Mapping[str, slice | None] | None = None,
        *,
        device: Device | None = None,
        threads: int = 8,
    ) -> PrefetchLoader:
        """Begin to decode tensors in the background.

        Parameters
        ----------
        plan : mapping of str to slice or None, optional
            The tensors: None for a whole one, or a slice of its first dimension, of step 1. The
            default is all tensors of the file.
        device : str or int, optional
            The device of torch tensors; the default is that of the file.
        threads : int
            Number of threads in the background.

        Returns
        -------
        PrefetchLoader
            A context manager that hands each tensor out once: ``take(name)``, or iteration over
            names and tensors.

        Raises
        ------
        MissingTensorError
            If there is no tensor of a name.
        LimitError
            If all tensors together would be larger than the limits allow.
        QCodecError
            If the head of a tensor is not valid. Other errors are raised when the tensor is taken.
        ValueError
            If a slice has another step, or is one of a tensor without dimensions.

        Examples
        --------
        >>> import tempfile, numpy as np, qcodec
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/net.qc.safetensors"
        ...     size = qcodec.save_file({"a": np.arange(5), "b": np.ones(2)}, path)
        ...     with qcodec.safe_open(path) as file, file.prefetch({"a": slice(1, 3)}) as loader:
        ...         print(loader.names(), loader.take("a"))
        ['a'] [1 2]
        """
        target = self._device if device is None else self._checked(device)
        stored = [self._stored(name) for name in (self.keys() if plan is None else plan)]
        slices = {name: part for name, part in (plan or {}).items() if part is not None}
        for name, part in slices.items():
            check_slice(name, part, self._open(name).shape)
        whole = [one for one in stored if one.name not in slices]
        Loading(whole, self._opener, self.source, self._limits).check_total()

        def load(alike: Sequence[Stored]) -> dict[str, Any]:
            opener, found = self._opener.another(), {}
            whole: dict[tuple[str, str], Any] = {}  # names of one tensor share it
            for one in alike:
                part = slices.get(one.name)
                if part is None and one.identity in whole:
                    found[one.name] = whole[one.identity]
                    continue
                tensor = opener.tensor(one)
                with naming(one.name):
                    array = tensor.decode() if part is None else tensor[part]
                    found[one.name] = self._given(array, tensor.element_type, target)
                if part is None:
                    whole[one.identity] = found[one.name]
            return found

        return PrefetchLoader(stored, load, threads)

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

        remake = TensorFile.get_slice, (self, name)
        return TensorSlice(part.shape, part.element_type.safetensors, get, remake)

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
        self,
        name: str,
        *,
        dtype: object = None,
        threads: int = 1,
        read: Callable[..., Ordinary | Opaque] | None = None,
    ) -> Ordinary | Opaque | OnDemand:
        """Return one tensor as `read_ordinary` does, but a large one to be decoded when written.

        The parts of a frame of several tensors are decoded at once. `read`, if given, is called in
        the place of `read_ordinary`.
        """
        stored = self._stored(name)
        read = partial(read or self.read_ordinary, name, dtype=dtype, threads=threads)
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

    def _checked(self, device: Device) -> Device:
        if not self._to_torch and device != "cpu":
            raise ValueError(f"device is {device!r}: NumPy arrays are on the cpu")
        return device

    def _given(self, array: Array, element: ElementType, device: Device | None = None) -> Any:
        if not self._to_torch:
            return array
        return to_torch(array, element).to(self._device if device is None else device)

    def close(self) -> None:
        """Close the file, and what was opened with it."""
        self.source.close()
        self._opener.forget()
        if self._on_close is not None:
            self._on_close()

    def __reduce__(self) -> tuple[Callable[[], TensorFile], tuple[()]]:
        self.source.check_open()
        if self._reopen is None:
            raise TypeError(
                "a TensorFile of bytes in memory cannot be pickled or copied: pass the bytes, or "
                "save them and open their path with qcodec.safe_open"
            )
        return self._reopen, ()
