"""State dicts whose tensors are decoded when they are requested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

from ._base.closing import Closing
from ._file.tensor_file import Device, TensorFile
from ._io.source import Backend, PathLike
from .files import BaseLike, safe_open
from .limits import Limits


def lazy_state_dict(
    filename: PathLike,
    device: Device = "cpu",
    *,
    dtype: object = None,
    tied: Mapping[str, str] | None = None,
    threads: int = 1,
    backend: Backend = "mmap",
    limits: Limits | None = None,
    base: BaseLike = None,
) -> LazyStateDict:
    """Open a file or a checkpoint folder as a state dict of torch tensors.

    It can be given to whatever takes a mapping of names to tensors, such as
    ``model.load_state_dict(weights, assign=True)``,
    ``BertModel.from_pretrained(None, config=config, state_dict=weights)``, and
    ``accelerate.dispatch_model(model, device_map, state_dict=weights, offload_index={})``.

    Parameters
    ----------
    filename : path-like
        Anything that `safe_open` reads.
    device : str or int
        Where the tensors will be.
    dtype : optional
        float32, float16, bfloat16 or float64, also as torch types, for all float tensors; other
        tensors keep their type.
    tied : mapping of str to str, optional
        Pairs of names of one tensor, of which the file may have only one, such as the
        ``all_tied_weights_keys`` of a model of transformers.
    threads : int
        Number of threads that decode a tensor.
    backend : {"mmap", "pread"}
    limits : Limits, optional
    base : path-like or mapping of str to array_like, optional
        As in `safe_open`.

    Returns
    -------
    LazyStateDict
        A mapping and a context manager. Keep it open as long as tensors are requested.

    Raises
    ------
    QCodecError
        If the file's head is not valid.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile, qcodec, torch
    >>> model = torch.nn.Linear(4, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = qcodec.save_file(model.state_dict(), f"{folder}/net.qc.safetensors")
    ...     with qcodec.lazy_state_dict(f"{folder}/net.qc.safetensors") as weights:
    ...         with torch.device("meta"):
    ...             again = torch.nn.Linear(4, 3)
    ...         again.load_state_dict(weights, assign=True)
    <All keys matched successfully>
    >>> torch.equal(again.weight, model.weight)
    True
    """
    file = safe_open(filename, "pt", device, backend=backend, limits=limits, base=base)
    return LazyStateDict(file, dtype, tied, threads)


class LazyStateDict(Mapping[str, Any], Closing):
    """The tensors of an open file by name; `lazy_state_dict` returns it.

    A tensor is decoded when it is requested, and only its users keep it. Names that share one
    stored tensor give one torch tensor as long as it has a user. So tied weights stay tied.

    Parameters
    ----------
    file : TensorFile
        Also an attribute; closed with this object.
    dtype : optional
        The type of all float tensors; the default is their own type.
    tied : mapping of str to str, optional
        Pairs of names of one tensor.
    threads : int
        Number of threads that decode a tensor.
    """

    def __init__(
        self,
        file: TensorFile,
        dtype: object = None,
        tied: Mapping[str, str] | None = None,
        threads: int = 1,
    ) -> None:
        self.file = file
        self._dtype, self._threads = dtype, threads
        self._other_names = _other_names(tied or {}, file)
        self._used: WeakValueDictionary[tuple[str, str], Any] = WeakValueDictionary()

    def __getitem__(self, name: str) -> Any:
        name = self._other_names.get(name, name)
        stored = self.file.directory.tensors.get(name)
        found = None if stored is None else self._used.get(stored.identity)
        if found is None:
            is_cast = self._dtype is not None and self.file.element_type(name).is_float
            dtype = self._dtype if is_cast else None
            found = self.file.get_tensor(name, dtype=dtype, threads=self._threads)
            if stored is not None:
                self._used[stored.identity] = found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.file or name in self._other_names

    def __iter__(self) -> Iterator[str]:
        return iter([*self.file.offset_keys(), *self._other_names])

    def __len__(self) -> int:
        return len(self.file) + len(self._other_names)

    def close(self) -> None:
        """Close the file; tensors that were decoded remain."""
        self.file.close()

    def __reduce__(self) -> tuple[type[LazyStateDict], tuple[object, ...]]:
        return LazyStateDict, (self.file, self._dtype, self._other_names, self._threads)


def _other_names(tied: Mapping[str, str], file: TensorFile) -> dict[str, str]:
    """Return the names that the file does not have, with those that it has."""
    pairs = [*tied.items(), *((other, name) for name, other in tied.items())]
    return {name: other for name, other in pairs if other in file and name not in file}
