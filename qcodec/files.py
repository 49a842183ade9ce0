"""Files of tensors, with an interface like that of the safetensors library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ._base.messages import quoted
from ._file.attached import encode_attached
from ._file.bases import opened_bases
from ._file.container import Layout, Parts, check_layout, pack_parts, safetensors_parts
from ._file.endings import check_not_misleading, is_pack_path
from ._file.file_arrays import FileArrays, naming_base
from ._file.metadata import check_metadata
from ._file.names import check_names
from ._file.saving import Progress, encode_tensors
from ._file.tensor_file import Device, TensorFile
from ._formats.opening import Opening, open_any, read_any
from ._io.atomic import replace_file
from ._io.joined import versions_of
from ._io.later import HELD_BYTES, Spool, size_of
from ._io.outputs import Output, output_at
from ._io.source import Backend, BytesSource, PartsSource, PathLike
from .codecs import Codec
from .errors import LimitError
from .limits import DEFAULT_LIMITS, Limits, warn_of
from .recipes import Recipe, recipe_for
from .summary import Summary

Array = np.ndarray[Any, Any]
RecipeLike = Recipe | Codec | Mapping[str, Any] | str | None
#: The tensors of a base: the path of a file, or a mapping of names to arrays.
BaseLike = PathLike | Mapping[str, Any] | None

#: Bytes-like objects by name: what belongs to a file and is no tensor.
AttachedLike = Mapping[str, Any] | None


#: Key in a file's metadata: the name of the file that is the base of its `Delta` tensors.
BASE_KEY = "qcodec.base"


def save_file(
    tensors: Mapping[str, Any],
    filename: PathLike,
    metadata: Mapping[str, str] | None = None,
    *,
    recipe: RecipeLike = None,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
    attached: AttachedLike = None,
    element_checksums: bool = False,
    layout: Layout = "pack",
    dry_run: bool = False,
    summary: Summary | None = None,
) -> int:
    """Encode tensors into a file; an existing file is replaced completely or not at all.

    The file is a safetensors file, or a bare pack if its name ends in ``.qcodec``. If `tensors`
    is a dict, tensors that share the same memory are stored once. An existing file's
    permissions and owner are kept as `docs/security.md` describes; after an error the
    existing file is unchanged. Tensors may come from the file that is replaced, except for
    the base of a `Delta`.

    Parameters
    ----------
    tensors : mapping of str to array_like, torch.Tensor or Quantized
    filename : path-like
        The ending must not be that of another format, such as ``.pt`` or ``.npz``. A symbolic
        link is followed. Devices, pipes and ``/dev/stdout`` are written to as streams.
    metadata : mapping of str to str, optional
        In the header of a safetensors file; in a pack as a note, in JSON.
    recipe : Recipe, Codec, mapping, str or None
        As `qcodec.recipes.as_recipe` takes it; the default is lossless. Tensors that the
        recipe leaves alone become ordinary safetensors tensors (in a pack: lossless frames).
        The base file of a `Delta` is opened, and its name (without its folder) is stored in
        the metadata. Each rule of a mapping must apply to some tensor.
    profile : str
    effort : int
        As in `qcodec.encode`.
    threads : int
        Number of tensors that are encoded at the same time.
    progress : callable, optional
        Called after each tensor with the number of finished tensors, the number of all
        tensors, and the tensor's name.
    attached : mapping of str to bytes-like, optional
        Bytes that belong to the file, such as a tokenizer: bytes, bytearray, memoryview or uint8
        arrays of one dimension. They are compressed without loss, under a checksum, and
        `TensorFile.get_attached` returns them; `load_file` leaves them out. No tensor may have
        the same name.
    element_checksums : bool
        As in `qcodec.encode`, for all encoded tensors and attached bytes; `TensorFile.verify`
        and the command ``verify`` check them. Ordinary tensors have none.
    layout : {"pack", "entries"}
        ``"pack"`` is smaller: small tensors share an entry of the safetensors file, and often a
        frame, and tied tensors are stored once. With ``"entries"``, each encoded tensor is an entry
        of its own, ``NAME.qcodec``, as tools need that load one entry after the other
        (`qcodec.transformers`). Then nothing can be attached.
    dry_run : bool
        Whether only the length of the file is returned, and nothing is written.
    summary : Summary, optional
        Is told what is done to each tensor, and how large the error is.

    Returns
    -------
    int
        The file's length in bytes.

    Warns
    -----
    LimitWarning
        If readers need higher limits than the default `qcodec.Limits` for the file.

    Raises
    ------
    TypeError, ValueError
        If a tensor cannot be encoded as the recipe says, or has a reserved name; if metadata
        is not text; if what is attached is not bytes, or has the name of a tensor; if a rule of
        a mapping applies to no tensor; if `filename` has the ending of another format, or is the
        base of a `Delta`; if the layout ``"entries"`` is wanted of a pack.
    OSError
        If the file cannot be written. Folders, sockets and block devices are refused.

    Warns
    -----
    QCodecWarning
        If the recipe quantizes weights and no tensor counts as weights (at least two
        dimensions and 1,024 elements), or if a rule of a `Recipe` matches no tensor.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> weights = {"fc.weight": np.eye(64, dtype="f4"), "fc.bias": np.ones(64, "f4")}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = qcodec.save_file(weights, f"{folder}/net.qc.safetensors")
    ...     loaded = qcodec.load_file(f"{folder}/net.qc.safetensors")
    >>> qcodec.save_file(weights, "net.qc.safetensors", dry_run=True) == size
    True
    >>> size < 1000, all(np.array_equal(loaded[name], weights[name]) for name in weights)
    (True, True)

    What belongs to the net can be in the same file:

    >>> words = {"vocabulary.txt": b"the of and to"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/net.qcodec"
    ...     size = qcodec.save_file(weights, path, {"author": "Ada"}, attached=words)
    ...     with qcodec.safe_open(path) as file:
    ...         print(file.metadata(), file.get_attached("vocabulary.txt"))
    {'author': 'Ada'} b'the of and to'
    """
    output = output_at(filename)
    if not output.is_stream:
        check_not_misleading(filename)
    folder = None if output.is_stream or dry_run else output.place.parent
    with Spool(folder, HELD_BYTES, None if dry_run else output) as spool:
        parts = _parts(
            tensors, metadata, recipe, output, progress, attached, spool, layout, summary,
            profile=profile, effort=effort, threads=threads, element_checksums=element_checksums,
        )  # fmt: skip
        return sum(map(size_of, parts)) if dry_run else replace_file(filename, parts)


def save(
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
    *,
    recipe: RecipeLike = None,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
    attached: AttachedLike = None,
    element_checksums: bool = False,
    layout: Layout = "pack",
    summary: Summary | None = None,
) -> bytes:
    """Encode tensors into the bytes of a safetensors file; see `save_file`.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> qcodec.load(qcodec.save({"a": np.arange(3)}))
    {'a': array([0, 1, 2])}
    """
    parts = _parts(
        tensors, metadata, recipe, None, progress, attached, None, layout, summary,
        profile=profile, effort=effort, threads=threads, element_checksums=element_checksums,
    )  # fmt: skip
    return b"".join(parts)  # type: ignore[arg-type]  # without a spool they are all in memory


def load_file(
    filename: PathLike,
    *,
    framework: str = "numpy",
    device: Device = "cpu",
    dtype: object = None,
    threads: int = 1,
    limits: Limits | None = None,
    backend: Backend = "mmap",
    base: BaseLike = None,
) -> dict[str, Any]:
    """Decode all tensors of a file, whether encoded or ordinary.

    Parameters
    ----------
    filename : path-like
    framework : {"numpy", "pt"}
    device : str or int
        As in `safe_open`.
    dtype : optional
        float32, float16, bfloat16 or float64 for all float tensors; other tensors keep
        their type.
    threads : int
        Number of threads, the calling one included. They decode different tensors, and runs of
        chunks of large ones; fewer are started where that takes longer than the work.
    limits : Limits, optional
        What may be decoded, for each tensor and in total; the default is `qcodec.Limits()`.
    backend : {"mmap", "pread"}
        As in `safe_open`.
    base : path-like or mapping of str to array_like, optional
        The base that `Delta` stored the file against.

    Returns
    -------
    dict of str to numpy.ndarray or torch.Tensor
        In the order of the file. Names that share one stored tensor share one array.

    Raises
    ------
    QCodecError
        If the file or a tensor in it is not valid.
    OSError
        If the file cannot be read.
    """
    with safe_open(filename, framework, device, backend=backend, limits=limits, base=base) as file:
        return file.get_tensors(dtype=dtype, threads=threads)


def load(
    data: Any,
    *,
    framework: str = "numpy",
    device: Device = "cpu",
    dtype: object = None,
    threads: int = 1,
    limits: Limits | None = None,
    base: BaseLike = None,
) -> dict[str, Any]:
    """Decode all tensors of a file that is in memory as a bytes-like object; see `load_file`."""
    limits = limits or DEFAULT_LIMITS
    source = BytesSource(data)
    arrays = _arrays_of(base, limits)
    directory = read_any(source, Opening(limits))
    with TensorFile(source, framework, device, limits, arrays, None, directory) as file:
        return file.get_tensors(dtype=dtype, threads=threads)


def safe_open(
    filename: PathLike,
    framework: str = "numpy",
    device: Device = "cpu",
    *,
    backend: Backend = "mmap",
    limits: Limits | None = None,
    base: BaseLike = None,
    dequantize: bool = False,
) -> TensorFile:
    """Open a file and read its names; each tensor is read when it is requested.

    Parameters
    ----------
    filename : path-like
        A safetensors file, with or without encoded tensors, or a pack; a file of PyTorch, NumPy,
        ONNX or GGUF; an index of shards, or a folder with a checkpoint.
    framework : {"numpy", "pt"}
        The type of the returned tensors: NumPy arrays or torch tensors.
    device : str or int
        The device of torch tensors.
    backend : {"mmap", "pread"}
        Map the file, or read the ranges that are needed. Use ``"pread"`` if another process
        may truncate the file while it is open: with a mapping, the operating system may then
        kill this process.
    limits : Limits, optional
        What may be decoded at once; the default is `qcodec.Limits()`.
    base : path-like or mapping of str to array_like, optional
        The base that `Delta` stored the file against. It is read tensor by tensor.
    dequantize : bool
        Whether tensors of GGUF's types Q8_0 and Q4_0 are float32; otherwise they are uint8, the
        bytes of their blocks.

    Returns
    -------
    TensorFile
        A context manager with ``keys()``, ``get_tensor(name)``, ``get_slice(name)`` and the other
        methods of safetensors' class. It is pickled by its path, so that other processes can
        receive it; that the file is still the same is checked by its size and time.

    Raises
    ------
    QCodecError
        If the file's head is not valid.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/net.qc.safetensors"
    ...     size = qcodec.save_file({"weight": np.arange(12.0).reshape(3, 4)}, path)
    ...     with qcodec.safe_open(path) as file:
    ...         print(file.keys(), file.get_slice("weight")[1, ::2])
    ['weight'] [4. 6.]
    """
    limits = limits or DEFAULT_LIMITS
    source, directory = open_any(filename, backend, limits, dequantize)
    arrays = None
    try:
        arrays = _arrays_of(base, limits)
        close_base = arrays.file.close if isinstance(arrays, FileArrays) else None
        reopen = partial(
            _reopened, _absolute(filename), versions_of(source), framework, device, backend=backend,
            limits=limits, base=_absolute(base), dequantize=dequantize,
        )  # fmt: skip
        return TensorFile(source, framework, device, limits, arrays, close_base, directory, reopen)
    except BaseException:
        source.close()
        if isinstance(arrays, FileArrays):
            arrays.file.close()
        raise


def _reopened(
    path: str, versions: list[tuple[int, int]], *arguments: Any, **options: Any
) -> TensorFile:
    """Open a file that was pickled.

    Raises
    ------
    ValueError
        If it was changed or replaced since it was opened first.
    """
    file = safe_open(path, *arguments, **options)
    found = versions_of(file.source)
    if found != versions:
        file.close()
        raise ValueError(
            f"file {path!r} changed since it was opened and pickled: size and time of change are "
            f"{found}, they were {versions}"
        )
    return file


def _absolute(path: Any) -> Any:
    """Return a path that other processes can open, and anything else unchanged."""
    is_path = isinstance(path, str | bytes | os.PathLike)
    return str(Path(os.fsdecode(path)).absolute()) if is_path else path


def _parts(
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str] | None,
    recipe: RecipeLike,
    output: Output | None,
    progress: Progress | None,
    attached: AttachedLike,
    spool: Spool | None,
    layout: Layout,
    summary: Summary | None,
    **encoding: Any,
) -> Parts:
    is_pack = output is not None and is_pack_path(output.path)
    check_layout(layout, is_pack, bool(attached))
    check_metadata(metadata)
    check_names(tensors, attached)
    with opened_bases(recipe_for(recipe, tensors), output, _open_base) as (opened, base):
        others = encode_attached(attached or {}, **encoding)  # first: a wrong value costs no time
        contents = encode_tensors(
            tensors, opened, progress=progress, ordinary=not is_pack, spool=spool,
            may_share=layout == "pack", summary=summary, **encoding,
        )  # fmt: skip
    if base is not None:
        metadata = {**(metadata or {}), BASE_KEY: base}
    if is_pack:
        parts = pack_parts(contents | others, metadata, encoding["profile"])
    else:
        parts = safetensors_parts(contents | others, metadata, encoding["profile"], layout)
    _warn_of_limits(parts)
    return parts


def _warn_of_limits(parts: Parts) -> None:
    """Warn if readers need higher limits than the default ones."""
    try:
        file = TensorFile(PartsSource(parts), limits=DEFAULT_LIMITS)
        file.check_total()
        for name in file.attached():
            DEFAULT_LIMITS.check_tensor(file.encoded(name).nbytes, file.source.size)
    except LimitError as error:
        warn_of(error)


def _arrays_of(base: BaseLike, limits: Limits = DEFAULT_LIMITS) -> Mapping[str, Any] | None:
    return base if base is None or isinstance(base, Mapping) else _open_base(base, limits)


def _open_base(path: PathLike, limits: Limits = DEFAULT_LIMITS) -> FileArrays:
    what = f"base {quoted(os.fspath(path))}"
    with naming_base(what):
        return FileArrays(safe_open(path, limits=limits), what)
