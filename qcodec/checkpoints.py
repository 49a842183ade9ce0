"""Checkpoint folders, as Hugging Face's libraries write them: a smaller one out of a large one.

A checkpoint is a folder with the weights of a model in safetensors files (or others that
`safe_open` reads), perhaps in several shards with an index, and with files that say what to do with
them: ``config.json``, a tokenizer. The compressed folder has the same files. Its safetensors files
hold frames, and its ``config.json`` tells transformers so (`qcodec.transformers`).
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ._base.messages import quoted
from ._file.container import Content, Opaque, Ordinary, safetensors_parts
from ._file.recoding import Recoded, check_readable
from ._file.saving import Progress, encode_tensors
from ._file.tensor_file import TensorFile
from ._formats import shards
from ._io.atomic import replace_file
from ._io.later import HELD_BYTES, Later, Spool, size_of
from ._io.source import PathLike
from .errors import naming
from .files import RecipeLike, safe_open
from .limits import Limits
from .recipes import recipe_for

#: Bytes of a safetensors file, unless there is a larger tensor: as in Hugging Face's libraries.
MAX_SHARD_BYTES = 5_000_000_000
_CONFIG = "config.json"
_QUANTIZATION = "quantization_config"
_METHOD = {"quant_method": "qcodec"}
_SINGLE = "model.safetensors"
#: Weights of the same model for other libraries, which the compressed folder does without.
_OTHER_WEIGHTS = ("pytorch_model", "tf_model", "flax_model", "rust_model", "model.safetensors")


def encode_checkpoint(
    source: PathLike,
    target: PathLike,
    *,
    recipe: RecipeLike = None,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
    limits: Limits | None = None,
    keep_split: bool = False,
    max_shard_bytes: int = MAX_SHARD_BYTES,
    force: bool = False,
    element_checksums: bool = False,
    skip_unreadable: bool = False,
) -> int:
    """Compress a checkpoint folder into another one, completely or not at all.

    Tensors are read, encoded and written one after the other, so a checkpoint may be larger than
    the memory. All files that are not weights are copied.

    Parameters
    ----------
    source : path-like
        A folder with one checkpoint, or its index.
    target : path-like
        The folder to write. It appears when it is complete; what a killed run left beside it is
        removed by the next one.
    recipe : Recipe, Codec, mapping, str or None
    profile : str
    effort, threads : int
    progress : callable, optional
        As in `save_file`.
    limits : Limits, optional
        As in `safe_open`.
    keep_split : bool
        Whether each tensor stays in the shard where it was. Otherwise shards have up to
        `max_shard_bytes`.
    max_shard_bytes : int
        Bytes of a safetensors file, unless a single tensor is larger.
    force : bool
        Whether a folder that exists is replaced.
    element_checksums : bool
        As in `save_file`.
    skip_unreadable : bool
        Whether tensors of kinds that qcodec does not read are left out; otherwise they are an
        error.

    Returns
    -------
    int
        The bytes of the safetensors files.

    Raises
    ------
    FileExistsError
        If `target` exists and is not empty.
    ValueError
        If `target` is the folder that is read, or in it.
    QCodecError, TypeError, ValueError
        As `safe_open` and `save_file`; if ``config.json`` says that the weights are quantized by
        another method.
    OSError
        If a file cannot be read or written.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(f"{folder}/net")
    ...     save_file({"w": np.zeros((64, 64), "f4")}, f"{folder}/net/model.safetensors")
    ...     size = qcodec.checkpoints.encode_checkpoint(f"{folder}/net", f"{folder}/small")
    ...     print(sorted(os.listdir(f"{folder}/small")), size < 1000)
    ['model.safetensors'] True
    """
    _check_config(Path(os.fsdecode(source)))
    with (
        safe_open(source, backend="pread", limits=limits) as file,
        _new_folder(source, target, force) as folder,
        Spool(folder, HELD_BYTES) as spool,
    ):
        check_readable(file, skip_unreadable)
        chosen = recipe_for(recipe, file.directory.tensors)
        contents = encode_tensors(
            Recoded(file, chosen), chosen, profile=profile, effort=effort,
            threads=threads, progress=progress, may_share=False, spool=spool,
            element_checksums=element_checksums,
        )  # fmt: skip
        split = _kept_split(file) if keep_split else _split(contents, max_shard_bytes)
        metadata = {"format": "pt", **(file.metadata() or {})}
        size = _write_shards(folder, contents, split, metadata, profile, file)
        _copy_others(Path(os.fsdecode(source)), folder, file)
        method = {**_METHOD, "dtype": _main_type(file)}
        _change_config(folder, lambda config: config | {_QUANTIZATION: method})
    return size


def decode_checkpoint(
    source: PathLike,
    target: PathLike,
    *,
    dtype: object = None,
    threads: int = 1,
    progress: Progress | None = None,
    limits: Limits | None = None,
    keep_split: bool = False,
    max_shard_bytes: int = MAX_SHARD_BYTES,
    force: bool = False,
) -> int:
    """Write a compressed checkpoint folder as one for programs without qcodec.

    Parameters
    ----------
    source, target : path-like
    dtype : optional
        float32, float16, bfloat16 or float64 for all float tensors.
    threads : int
    progress : callable, optional
    limits : Limits, optional
    keep_split : bool
    max_shard_bytes : int
    force : bool
        As in `encode_checkpoint`.

    Returns
    -------
    int
        The bytes of the safetensors files.

    Raises
    ------
    FileExistsError, QCodecError, OSError
        As `encode_checkpoint`.
    """
    with (
        safe_open(source, backend="pread", limits=limits) as file,
        _new_folder(source, target, force) as folder,
    ):
        check_readable(file)
        file.check_total(dtype)
        contents: dict[str, Content] = {}
        for name in file.offset_keys():
            contents[name] = file.ordinary_on_demand(name, dtype=dtype, threads=threads)
            if progress is not None:
                progress(len(contents), len(file), name)
        split = _kept_split(file) if keep_split else _split(contents, max_shard_bytes)
        metadata = {"format": "pt", **(file.metadata() or {})}
        size = _write_shards(folder, contents, split, metadata, "balanced", file)
        _copy_others(Path(os.fsdecode(source)), folder, file)
        _change_config(folder, _without_method)
    return size


# ---- shards ----

#: The names of the tensors of each file, by its name.
_Split = dict[str, list[str]]


def _kept_split(file: TensorFile) -> _Split:
    """Return the files of the checkpoint as they are."""
    files, ends = list(file.directory.files), []
    at = 0
    for size in file.directory.files.values():
        at += size
        ends.append(at)
    found: _Split = {}
    for name, stored in file.directory.tensors.items():
        number = next((n for n, end in enumerate(ends) if stored.offset < end), -1)
        shard = files[number] if files else _SINGLE
        found.setdefault(str(Path(shard).with_suffix(".safetensors")), []).append(name)
    return found


def _split(contents: Mapping[str, Content], most: int) -> _Split:
    """Return tensors in order, in files of up to so many bytes."""
    groups: list[list[str]] = []
    left = 0
    for name, content in contents.items():
        size = _size_of(content)
        if not groups or size > left:
            groups.append([])
            left = most
        groups[-1].append(name)
        left -= size
    if len(groups) < 2:
        return {_SINGLE: groups[0] if groups else []}
    return {
        f"model-{number:05}-of-{len(groups):05}.safetensors": names
        for number, names in enumerate(groups, 1)
    }


def _size_of(content: Content) -> int:
    if isinstance(content, Ordinary):
        return content.array.nbytes
    if isinstance(content, Opaque):
        return content.data.nbytes
    assert isinstance(content, bytes | Later), "tensors do not share frames here"
    return size_of(content)


def _write_shards(
    folder: Path,
    contents: Mapping[str, Content],
    split: _Split,
    metadata: dict[str, str],
    profile: str,
    file: TensorFile,
) -> int:
    """Write all files, and an index if there are several; return their bytes."""
    size = 0
    for shard, names in split.items():
        some = {name: contents[name] for name in names}
        parts = safetensors_parts(some, metadata, profile, "entries")
        (folder / shard).parent.mkdir(parents=True, exist_ok=True)
        size += replace_file(folder / shard, parts)
    if list(split) != [_SINGLE]:
        index = {
            "metadata": {
                "total_parameters": _parameters(file),
                "total_size": sum(map(_size_of, contents.values())),
            },
            "weight_map": {name: shard for shard, names in split.items() for name in sorted(names)},
        }
        text = json.dumps(index, indent=2, sort_keys=True) + "\n"
        replace_file(folder / f"{_SINGLE}{shards.INDEX}", [text.encode()])
    return size


def _parameters(file: TensorFile) -> int:
    """Return the number of elements; tied ones count once."""
    tensors = file.directory.tensors
    own = {stored.identity: name for name, stored in tensors.items()}
    return sum(math.prod(file.get_slice(name).get_shape()) for name in own.values())


# ---- other files ----


def _copy_others(source: Path, folder: Path, file: TensorFile) -> None:
    """Copy all files of a checkpoint folder that are not its weights."""
    source = source if source.is_dir() else source.parent
    weights = {*file.directory.files}

    def ignored(place: str, names: list[str]) -> list[str]:
        if Path(place) != source:
            return []
        return [
            name
            for name in names
            if name in weights or name.startswith(_OTHER_WEIGHTS) or _is_shard(name)
        ]

    shutil.copytree(source, folder, ignore=ignored, dirs_exist_ok=True)


def _is_shard(name: str) -> bool:
    return name.startswith("model-") and name.endswith(".safetensors")


def _config(path: Path) -> dict[str, Any] | None:
    """Return the configuration of a checkpoint; None if there is none."""
    if not path.is_file():
        return None
    with naming(str(path), "file"):
        config = json.loads(path.read_bytes())
        if not isinstance(config, dict):
            raise ValueError("is no JSON object")
    return config


def _check_config(source: Path) -> None:
    """Refuse weights that another method quantized: transformers knows one method per model."""
    folder = source if source.is_dir() else source.parent
    found = (_config(folder / _CONFIG) or {}).get(_QUANTIZATION)
    method = found.get("quant_method") if isinstance(found, dict) else found
    if method not in (None, _METHOD["quant_method"]):
        raise ValueError(
            f"{folder / _CONFIG}: weights are quantized by {quoted(str(method))}, and transformers "
            "decodes one method for each model: encode the model that was quantized, or the files "
            "of weights alone"
        )


def _main_type(file: TensorFile) -> str:
    """Return the type of most weights, for configurations without one."""
    sizes: Counter[str] = Counter()
    for name, stored in file.directory.tensors.items():
        if not stored.opaque and file.element_type(name).is_float:
            sizes[file.element_type(name).name] += math.prod(file.get_slice(name).get_shape())
    return sizes.most_common(1)[0][0] if sizes else "float32"


def _change_config(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    config = _config(folder / _CONFIG)
    if config is not None:
        text = json.dumps(change(config), indent=2, ensure_ascii=False) + "\n"
        replace_file(folder / _CONFIG, [text.encode()])


def _without_method(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != _QUANTIZATION}


# ---- the folder that is written ----


@contextmanager
def _new_folder(source: PathLike, target: PathLike, force: bool) -> Iterator[Path]:
    """Yield a folder that becomes `target` in the end, unless there is an error."""
    place, read = Path(os.fsdecode(target)), Path(os.fsdecode(source))
    read = (read if read.is_dir() else read.parent).resolve()
    if read in (place.resolve(), *place.resolve().parents) or place.resolve() in read.parents:
        raise ValueError(f"{place}: is the folder that is read, or in it, or around it")
    if place.exists() and (not place.is_dir() or any(place.iterdir())) and not force:
        raise FileExistsError(f"{place}: exists and is not an empty folder")
    partial = place.parent / f".{place.name}.qcodec-partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(parents=True)
    try:
        yield partial
        old = place.parent / f".{place.name}.qcodec-old"
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        partial.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
