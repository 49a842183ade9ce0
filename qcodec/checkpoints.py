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
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ._base.messages import quoted
from ._file.container import Content, Opaque, Ordinary, safetensors_parts
from ._file.recoding import Reading, Recoded, check_readable
from ._file.saving import Progress, encode_tensors
from ._file.tensor_file import TensorFile
from ._formats import folder_original, other_files, shards
from ._formats.original import NAME, needs_original, original_of
from ._io.atomic import replace_file
from ._io.folders import new_folder
from ._io.later import HELD_BYTES, Later, Part, Spool, size_of
from ._io.source import PathLike
from .errors import naming
from .files import RecipeLike, safe_open
from .limits import DEFAULT_LIMITS, Limits
from .recipes import recipe_for

#: Bytes of a safetensors file, unless there is a larger tensor: as in Hugging Face's libraries.
MAX_SHARD_BYTES = 5_000_000_000
_CONFIG = "config.json"
_QUANTIZATION = "quantization_config"
_METHOD = {"quant_method": "qcodec"}
_SINGLE = "model.safetensors"
#: Weights of the same model for other libraries, which the compressed folder does without.
_OTHER_WEIGHTS = (
    *("pytorch_model", "tf_model", "flax_model", "rust_model", "model.safetensors"),
    *("consolidated.", "original/consolidated."),
)


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
    max_shard_bytes: int | None = None,
    force: bool = False,
    element_checksums: bool = False,
    skip_unreadable: bool = False,
) -> int:
    """Compress a checkpoint folder into another one, completely or not at all.

    Tensors are read, encoded and written one after the other, so a checkpoint may be larger than
    the memory. All files that are not weights are copied. What else `decode_checkpoint` needs to
    write the same files again is in ``original.qcodec``.

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
    max_shard_bytes : int, optional
        Bytes of a safetensors file, unless a single tensor is larger. The default is
        `MAX_SHARD_BYTES`.
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
    ...     zeros = {"w": np.zeros((64, 64), "f4")}
    ...     save_file(zeros, f"{folder}/net/model.safetensors", {"format": "pt"})
    ...     size = qcodec.checkpoints.encode_checkpoint(f"{folder}/net", f"{folder}/small")
    ...     print(sorted(os.listdir(f"{folder}/small")), size < 1000)
    ['model.safetensors'] True
    """
    place = Path(os.fsdecode(source))
    _check_config(_folder_of(place))
    with (
        safe_open(source, backend="pread", limits=limits) as file,
        new_folder(target, _folder_of(place), force) as folder,
        Spool(folder, HELD_BYTES) as spool,
    ):
        check_readable(file, skip_unreadable)
        others = _others(place, file)
        chosen = recipe_for(recipe, file.directory.tensors)
        contents = encode_tensors(
            Recoded(file, chosen), chosen, profile=profile, effort=effort,
            threads=threads, progress=progress, may_share=False, spool=spool,
            element_checksums=element_checksums,
        )  # fmt: skip
        split = _kept_split(file) if keep_split else _split(contents, max_shard_bytes)
        size = _write_shards(folder, contents, split, profile, file)
        other_files.copy(others, folder)
        folder_original.keep(folder, _kept(place, folder, file, limits))
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
    max_shard_bytes: int | None = None,
    force: bool = False,
) -> int:
    """Write a compressed checkpoint folder as one for programs without qcodec.

    Unless `dtype`, `keep_split` or `max_shard_bytes` say otherwise, the files are those that were
    encoded: their names, which tensor is in which, and where nothing was quantized, every byte. If
    other tensors were put into the folder since, it is written as for `max_shard_bytes`.

    Parameters
    ----------
    source, target : path-like
    dtype : optional
        float32, float16, bfloat16 or float64 for all float tensors.
    threads : int
    progress : callable, optional
    limits : Limits, optional
    keep_split : bool
        Whether each tensor stays in the shard where it is now.
    max_shard_bytes : int, optional
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
    place, limits = Path(os.fsdecode(source)), limits or DEFAULT_LIMITS
    with (
        safe_open(source, backend="pread", limits=limits) as file,
        new_folder(target, _folder_of(place), force) as folder,
    ):
        check_readable(file)
        file.check_total(dtype)
        others = _others(place, file)
        kept = folder_original.kept_in(_folder_of(place), limits)
        read = Reading(file, progress)
        files = None
        if NAME in kept and dtype is None and not keep_split and max_shard_bytes is None:
            decode = partial(read, threads=threads)
            files = folder_original.files_as_before(kept[NAME], file, decode, limits)
        if files is not None:
            size = _write_files(folder, files)
        else:
            contents: dict[str, Content] = {
                name: file.ordinary_on_demand(name, dtype=dtype, threads=threads, read=read)
                for name in file.offset_keys()
            }
            split = _kept_split(file) if keep_split else _split(contents, max_shard_bytes)
            size = _write_shards(folder, contents, split, "balanced", file)
        other_files.copy(others, folder)
        _change_config(folder, _without_method)
        _restore_config(folder, kept)
    return size


# ---- what is kept of the folder that was encoded ----


def _kept(place: Path, folder: Path, file: TensorFile, limits: Limits | None) -> dict[str, bytes]:
    """Return what the same files can be written from, but for the tensors."""
    directory = file.directory
    if any(stored.ordinary is None for stored in directory.tensors.values()):
        return folder_original.kept_in(_folder_of(place), limits or DEFAULT_LIMITS)
    kept: dict[str, bytes] = {}
    main, written = _main_file(place).name, replace(directory, metadata=_metadata(file))
    if not directory.format and (main != _SINGLE or needs_original(file.source, written)):
        original = original_of(file.source, directory, main)
        if original is not None:
            kept[NAME] = original.to_bytes()
    config = _config(folder / _CONFIG)
    if config is not None:
        text = (folder / _CONFIG).read_bytes()
        if text != _config_text(config):
            kept[_CONFIG] = text
    return kept


def _restore_config(folder: Path, kept: Mapping[str, bytes]) -> None:
    """Write ``config.json`` as it was, byte for byte, unless it was changed since."""
    text = kept.get(_CONFIG)
    if text is not None and json.loads(text) == _config(folder / _CONFIG):
        replace_file(folder / _CONFIG, [text])


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


def _split(contents: Mapping[str, Content], most: int | None) -> _Split:
    """Return tensors in order, in files of up to so many bytes."""
    most = MAX_SHARD_BYTES if most is None else most
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
    profile: str,
    file: TensorFile,
) -> int:
    """Write all files, and an index if there are several; return their bytes."""
    size = 0
    for shard, names in split.items():
        some = {name: contents[name] for name in names}
        parts = safetensors_parts(some, _metadata(file), profile, "entries")
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


def _metadata(file: TensorFile) -> dict[str, str]:
    """Return the metadata of each file; Hugging Face's loaders refuse files without a format."""
    return {"format": "pt", **(file.metadata() or {})}


def _write_files(folder: Path, files: Mapping[str, list[Part]]) -> int:
    """Write all files; return the bytes of those with tensors."""
    size = 0
    for name, parts in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        written = replace_file(folder / name, parts)
        size += 0 if name.endswith(shards.INDEX) else written
    return size


def _parameters(file: TensorFile) -> int:
    """Return the number of elements; tied ones count once."""
    tensors = file.directory.tensors
    own = {stored.identity: name for name, stored in tensors.items()}
    return sum(math.prod(file.get_slice(name).get_shape()) for name in own.values())


# ---- other files ----


def _others(place: Path, file: TensorFile) -> dict[str, Path]:
    """Return all files of a checkpoint folder that are not its weights."""
    weights = {*file.directory.files, _main_file(place).name}

    def is_weight(name: str) -> bool:
        return (
            name in weights
            or name.startswith((*_OTHER_WEIGHTS, folder_original.FILE))
            or (name.startswith("model-") and name.endswith(".safetensors"))
        )

    return other_files.other_files(_folder_of(place), is_weight)


def _folder_of(place: Path) -> Path:
    return place if place.is_dir() else place.parent


def _main_file(place: Path) -> Path:
    return shards.main_file(place) if place.is_dir() else place


def _config(path: Path) -> dict[str, Any] | None:
    """Return the configuration of a checkpoint; None if there is none."""
    if not path.is_file():
        return None
    with naming(str(path), "file"):
        config = json.loads(path.read_bytes())
        if not isinstance(config, dict):
            raise ValueError("is no JSON object")
    return config


def _check_config(folder: Path) -> None:
    """Refuse weights that another method quantized: transformers knows one method per model."""
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
        replace_file(folder / _CONFIG, [_config_text(change(config))])


def _config_text(config: dict[str, Any]) -> bytes:
    return (json.dumps(config, indent=2, ensure_ascii=False) + "\n").encode()


def _without_method(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != _QUANTIZATION}
