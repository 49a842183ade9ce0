"""Endings of file names, and the formats that they stand for.

`save_file` writes a bare pack if the name ends in ``.qcodec``, and otherwise a safetensors file. It
refuses endings of other formats, which would mislead later readers. The command line takes only
the endings of the formats that it writes. Endings are compared without regard to case. The names
of devices and pipes are not checked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath

from .._io.source import PathLike

PACK = ".qcodec"
SAFETENSORS = ".safetensors"
NPZ = ".npz"

#: Endings of other formats, which would mislead readers of a safetensors file.
_OF_OTHER_FORMATS = {
    *(".npz", ".npy", ".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib"),
    *(".h5", ".hdf5", ".keras", ".onnx", ".gguf", ".ggml", ".msgpack", ".tflite", ".pb"),
    *(".mlmodel", ".pdparams", ".net", ".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst"),
    *(".json", ".toml", ".yaml", ".yml", ".txt", ".csv", ".py", ".png"),
}


def is_pack_path(path: PathLike) -> bool:
    """Whether a file of this name is written as a bare pack."""
    return _ends(path, PACK)


def is_npz_path(path: PathLike) -> bool:
    """Whether a file of this name is NumPy's ``.npz``."""
    return _ends(path, NPZ)


def is_file_path(path: PathLike) -> bool:
    """Whether a name has the ending of a format, qcodec's or another: then it is no folder's.

    Examples
    --------
    >>> is_file_path("net.onnx"), is_file_path("Llama-3.1"), is_file_path("net.qcodec")
    (True, False, True)
    """
    ending = PurePath(os.fsdecode(path)).suffix.lower()
    return ending in {*_OF_OTHER_FORMATS, PACK, SAFETENSORS}


def check_not_misleading(path: PathLike) -> None:
    """Raise `ValueError` if the name has the ending of another format.

    Examples
    --------
    >>> check_not_misleading("net.pt")
    Traceback (most recent call last):
        ...
    ValueError: 'net.pt' ends in .pt, which is another format: allowed are .qc.safetensors, \
.safetensors and .qcodec
    """
    ending = PurePath(os.fsdecode(path)).suffix
    if ending.lower() in _OF_OTHER_FORMATS:
        raise ValueError(
            f"{os.fsdecode(path)!r} ends in {ending}, which is another format: "
            f"allowed are .qc{SAFETENSORS}, {SAFETENSORS} and {PACK}"
        )


def check_says_format(path: PathLike, allowed: Sequence[str]) -> None:
    """Raise `ValueError` unless the name has one of the allowed endings.

    Examples
    --------
    >>> check_says_format("net.pt", (".safetensors", ".npz"))
    Traceback (most recent call last):
        ...
    ValueError: net.pt: the ending must say the format: allowed are .safetensors, .npz
    """
    if not any(_ends(path, ending) for ending in allowed):
        listed = ", ".join(allowed)
        message = f"the ending must say the format: allowed are {listed}"
        raise ValueError(f"{os.fsdecode(path)}: {message}")


def _ends(path: PathLike, ending: str) -> bool:
    return os.fsdecode(path).lower().endswith(ending)
