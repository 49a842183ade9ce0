"""Checkpoints in several files: an index says which tensor is in which file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .._base.messages import quoted
from ..errors import CorruptError
from ..limits import Limits

#: The ending of an index, as Hugging Face's libraries write it.
INDEX = ".index.json"
#: Files of a folder that are opened if none is named, in this order.
PREFERRED = (
    f"model.safetensors{INDEX}",
    "model.safetensors",
    f"pytorch_model.bin{INDEX}",
    "pytorch_model.bin",
)


def main_file(folder: Path) -> Path:
    """Return the file that stands for the checkpoint in a folder.

    Raises
    ------
    CorruptError
        If no file does, or several might.
    """
    for name in PREFERRED:
        if (folder / name).is_file():
            return folder / name
    endings = (INDEX, ".safetensors")
    for ending in endings:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found[:4])
            raise CorruptError(f"folder {quoted(str(folder))} has several checkpoints: {names}")
    raise CorruptError(
        f"folder {quoted(str(folder))} has no checkpoint: expected is one of "
        f"{', '.join(PREFERRED)}, or a single .safetensors file"
    )


def read_index(text: bytes, limits: Limits) -> dict[str, str]:
    """Return the file of each tensor, by name, from the text of an index.

    Raises
    ------
    CorruptError
        If the text is no index, or a file is not beside it.
    """
    limits.check_header(len(text))
    try:
        index: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise CorruptError(f"index is not JSON: {lines[0]}") from None
    files = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(files, dict) or not all(isinstance(file, str) for file in files.values()):
        raise CorruptError("index has no weight_map of names to files")
    limits.check_count(len(files))
    for file in set(files.values()):
        check_beside(file)
    return files


def check_beside(name: str) -> None:
    """Raise `CorruptError` unless a name is that of a file in the same folder, or below it.

    Examples
    --------
    >>> check_beside("weights/part.data")
    >>> check_beside("../secret")
    Traceback (most recent call last):
        ...
    qcodec.errors.CorruptError: '../secret' is not a file beside this one
    """
    parts = name.split("/")
    is_plain = all(part not in ("", ".", "..") for part in parts)
    if not is_plain or "\\" in name or "\0" in name or ":" in name:
        raise CorruptError(f"{quoted(name)} is not a file beside this one")
