"""Files of tensors, with the names and meanings of the safetensors library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .atomic import replace_file
from .codecs import Codec
from .container import pack_parts, safetensors_parts
from .limits import DEFAULT_LIMITS, Limits
from .recipes import Recipe, as_recipe
from .saving import Progress, encode_tensors
from .source import Backend, BytesSource, PathLike, open_source
from .tensor_file import TensorFile

Array = np.ndarray[Any, Any]
RecipeLike = Recipe | Codec | Mapping[str, Any] | str | None

PACK_SUFFIX = ".qc"


def save_file(
    tensors: Mapping[str, Any],
    path: PathLike,
    recipe: RecipeLike = None,
    *,
    metadata: Mapping[str, str] | None = None,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
) -> int:
    """Encode tensors into a file, which replaces an old one whole or not at all.

    The file is a safetensors file, or a bare pack if its name ends in ``.qc``. In a
    dict, tensors that are the same memory are stored once.

    Parameters
    ----------
    tensors : mapping of str to array_like, torch.Tensor or Quantized
    path : path-like
    recipe : Recipe, Codec, mapping, str or None
        As `qcodec.recipes.as_recipe` takes it; the default loses nothing. Tensors that it
        leaves alone are ordinary safetensors tensors (in a pack: lossless).
    metadata : mapping of str to str, optional
        Not in a pack, which has no place for it.
    profile : str
    effort : int
        As in `qcodec.encode`.
    threads : int
        Tensors that are encoded at the same time.
    progress : callable, optional
        Called after each tensor with the number of tensors done, of all, and the name.

    Returns
    -------
    int
        The file's length.

    Raises
    ------
    TypeError, ValueError
        If a tensor cannot be encoded as the recipe says, or has a name that files need.
    OSError
        If the file cannot be written; the old one is then as it was.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> weights = {"fc.weight": np.eye(64, dtype="f4"), "fc.bias": np.ones(64, "f4")}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = qcodec.save_file(weights, f"{folder}/net.qc.safetensors")
    ...     loaded = qcodec.load_file(f"{folder}/net.qc.safetensors")
    >>> size < 1000, all(np.array_equal(loaded[name], weights[name]) for name in weights)
    (True, True)
    """
    encoding = {"profile": profile, "effort": effort, "threads": threads, "progress": progress}
    return replace_file(path, _parts(tensors, recipe, metadata, is_pack_path(path), **encoding))


def save(
    tensors: Mapping[str, Any],
    recipe: RecipeLike = None,
    *,
    metadata: Mapping[str, str] | None = None,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
) -> bytes:
    """Encode tensors into the bytes of a safetensors file; see `save_file`.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> qcodec.load(qcodec.save({"a": np.arange(3)}))
    {'a': array([0, 1, 2])}
    """
    encoding = {"profile": profile, "effort": effort, "threads": threads, "progress": progress}
    return b"".join(_parts(tensors, recipe, metadata, False, **encoding))


def load_file(
    path: PathLike,
    *,
    dtype: object = None,
    threads: int = 1,
    limits: Limits | None = None,
    backend: Backend = "mmap",
) -> dict[str, Array]:
    """Decode all tensors of a file, encoded or not.

    Parameters
    ----------
    path : path-like
        A safetensors file or a pack; its first bytes tell which.
    dtype : optional
        float32, float16, bfloat16 or float64 for all float tensors; others keep theirs.
    threads : int
        Chunks that are decoded at the same time.
    limits : Limits, optional
    backend : {"mmap", "pread"}

    Returns
    -------
    dict of str to numpy.ndarray
        In the order of the file. Tensors that were stored once are one array.

    Raises
    ------
    QCodecError
        If the file or a tensor in it is not valid.
    OSError
        If the file cannot be read.
    """
    with safe_open(path, backend=backend, limits=limits) as file:
        return _load_all(file, dtype, threads)


def load(
    data: bytes | bytearray | memoryview,
    *,
    dtype: object = None,
    threads: int = 1,
    limits: Limits | None = None,
) -> dict[str, Array]:
    """Decode all tensors of a file in memory; see `load_file`."""
    with TensorFile(BytesSource(data), limits=limits or DEFAULT_LIMITS) as file:
        return _load_all(file, dtype, threads)


def safe_open(
    filename: PathLike,
    framework: str = "numpy",
    device: str = "cpu",
    *,
    backend: Backend = "mmap",
    limits: Limits | None = None,
) -> TensorFile:
    """Open a file and read its names; tensors are read when they are asked for.

    Parameters
    ----------
    filename : path-like
        A safetensors file, with or without encoded tensors, or a pack.
    framework : {"numpy", "pt"}
        What tensors come as.
    device : str
        Where torch tensors go.
    backend : {"mmap", "pread"}
        Map the file, or read the ranges that are needed.
    limits : Limits, optional

    Returns
    -------
    TensorFile
        A context manager with ``keys()``, ``get_tensor(name)``, ``get_slice(name)``.

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
    source = open_source(filename, backend)
    try:
        return TensorFile(source, framework, device, limits or DEFAULT_LIMITS)
    except BaseException:
        source.close()
        raise


def is_pack_path(path: PathLike) -> bool:
    """Whether a file of this name is written as a bare pack."""
    return os.fspath(path).endswith(PACK_SUFFIX)


def _parts(
    tensors: Mapping[str, Any],
    recipe: RecipeLike,
    metadata: Mapping[str, str] | None,
    is_pack: bool,
    **encoding: Any,
) -> list[bytes]:
    if is_pack and metadata:
        raise ValueError("a pack has no place for metadata: save as .qc.safetensors")
    contents = encode_tensors(tensors, as_recipe(recipe), ordinary=not is_pack, **encoding)
    return pack_parts(contents) if is_pack else safetensors_parts(contents, metadata)


def _load_all(file: TensorFile, dtype: object, threads: int) -> dict[str, Array]:
    loaded: dict[str, Array] = {}
    for name, stored in file.directory.tensors.items():
        if stored.target in loaded:
            loaded[name] = loaded[stored.target]
            continue
        keeps_type = dtype is None or not file.element_type(name).is_float
        loaded[name] = file.get_tensor(name, dtype=None if keeps_type else dtype, threads=threads)
    return loaded
