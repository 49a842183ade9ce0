"""One call whose memory is measured, alone in a process.

`python -m benchmarks.suite.memory_case CASE BYTES` prints it.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

import qcodec
from qcodec._io.source import Backend
from qcodec.cli.main import main as command_line
from qcodec.recipes import READY_MADE

from . import data, peak
from .measure import Job

#: Tensors of a file; each is an equal part of the bytes.
TENSORS = 4
#: What runs before the call that counts: imports, and what is made once.
WARM_UP_BYTES = 1 << 16
_ROW = 1 << 10
_DENSITY = 0.1

# From bytes of weights and a folder: the call, and the bytes that its memory is divided by.
Prepare = Callable[[int, Path, str], tuple[Job, int]]


def weights(size: int, recipe: str) -> np.ndarray:
    """Rows of Gaussian float32; for Deep Compression most are zero, as in a pruned net."""
    array = data.gaussian(size // 4 // _ROW * _ROW)
    if recipe == "deep-compression":
        array[np.random.default_rng(3).random(len(array), np.float32) >= _DENSITY] = 0
    return array.reshape(-1, _ROW)


def _tensors(size: int, recipe: str) -> dict[str, np.ndarray]:
    whole = weights(size, recipe)
    return {f"{at}.weight": part for at, part in enumerate(np.array_split(whole, TENSORS))}


def _encode(size: int, folder: Path, recipe: str) -> tuple[Job, int]:  # noqa: ARG001
    array, codec = weights(size, recipe), READY_MADE[recipe].weights
    return lambda: qcodec.encode(array, codec), array.nbytes


def _decode(size: int, folder: Path, recipe: str) -> tuple[Job, int]:  # noqa: ARG001
    array = weights(size, recipe)
    frame = qcodec.encode(array, READY_MADE[recipe].weights)
    return lambda: qcodec.decode(frame), array.nbytes


def _save_file(size: int, folder: Path, recipe: str) -> tuple[Job, int]:
    tensors = _tensors(size, recipe)
    path = folder / f"{size}.qcodec"
    return lambda: qcodec.save_file(tensors, path, recipe=recipe), size // TENSORS


def _load_file(size: int, folder: Path, recipe: str, backend: Backend = "mmap") -> tuple[Job, int]:
    _save_file(size, folder, recipe)[0]()
    return lambda: qcodec.load_file(folder / f"{size}.qcodec", backend=backend), size


def _command_encode(size: int, folder: Path, recipe: str) -> tuple[Job, int]:
    path = folder / f"{size}.safetensors"
    with path.open("wb") as file:  # without qcodec: no memory of this process is left for the call
        file.writelines(_safetensors(_tensors(size, recipe)))
    words = ["encode", str(path), str(folder / f"{size}.qcodec"), "--recipe", recipe]
    return lambda: _run(words), size // TENSORS


def _command_decode(size: int, folder: Path, recipe: str) -> tuple[Job, int]:
    _save_file(size, folder, recipe)[0]()
    words = ["decode", str(folder / f"{size}.qcodec"), str(folder / f"{size}.safetensors")]
    return lambda: _run(words), size // TENSORS


def _safetensors(tensors: dict[str, np.ndarray]) -> list[bytes | memoryview]:
    header, end = {}, 0
    for name, array in tensors.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    start = len(text).to_bytes(8, "little") + text
    return [start, *(array.data.cast("B") for array in tensors.values())]


def _run(words: list[str]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert command_line([*words, "--force"]) == 0, said.getvalue()


@dataclass(frozen=True)
class Case:
    """A call, the recipe that it uses, and what its memory is divided by, in words."""

    action: str
    recipe: str
    of: str
    prepare: Prepare


_RECIPES = ("lossless", "codebook4", "int8", "deep-compression")
_ACTIONS: tuple[tuple[str, str, Prepare, tuple[str, ...]], ...] = (
    ("encode", "the tensor", _encode, _RECIPES),
    ("decode", "the output", _decode, _RECIPES),
    ("save_file", "one tensor of 4", _save_file, _RECIPES[:2]),
    ("load_file", "all 4 outputs", _load_file, _RECIPES[:2]),
    ("load_file by pread", "all 4 outputs", partial(_load_file, backend="pread"), _RECIPES[:2]),
    ("qcodec encode", "one tensor of 4", _command_encode, _RECIPES[:2]),
    ("qcodec decode", "one tensor of 4", _command_decode, _RECIPES[:2]),
)
CASES = {
    f"{action}, {recipe}": Case(action, recipe, of, prepare)
    for action, of, prepare, recipes in _ACTIONS
    for recipe in recipes
}


def main() -> int:
    """Measure the case that the arguments name, and print what it took as JSON."""
    case, size = CASES[sys.argv[1]], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        case.prepare(WARM_UP_BYTES, folder, case.recipe)[0]()
        job, whole = case.prepare(size, folder, case.recipe)
        started = time.process_time()
        memory = peak.above(job)
        print(json.dumps([memory, whole, time.process_time() - started]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
