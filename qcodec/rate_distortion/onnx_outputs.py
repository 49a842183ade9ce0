"""Runs an ONNX net with other weights, by onnxruntime."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._file.container import Opaque, Ordinary
from .._formats.original import original_of
from .._formats.rewriting import files_of
from .._io.atomic import replace_file
from .._io.source import PathLike
from ..dtypes import element_type
from ..files import safe_open

Array = np.ndarray[Any, Any]


def onnx_outputs(
    path: PathLike, inputs: Mapping[str, Any]
) -> Callable[[Mapping[str, Array]], list[Array]]:
    """Return a function that runs a net on sample inputs, with some of its tensors replaced.

    Each time the file is written anew, into a temporary folder.

    Parameters
    ----------
    path : path-like
        An ONNX file.
    inputs : mapping of str to array_like
        By the names of the net's inputs, such as what `numpy.load` returns of an .npz file.

    Returns
    -------
    callable
        As `sensitivities` takes it. It returns the outputs that are floats.

    Raises
    ------
    ImportError
        If onnxruntime is not installed.
    ValueError
        If the file is no ONNX file, or the inputs have other names than those of the net.
    """
    import onnxruntime

    def run(changed: Mapping[str, Array]) -> list[Array]:
        with tempfile.TemporaryDirectory() as folder:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            session = onnxruntime.InferenceSession(
                str(_written(path, changed, Path(folder))), options, ["CPUExecutionProvider"]
            )
            _check_inputs([one.name for one in session.get_inputs()], inputs)
            wanted = [one.name for one in session.get_outputs() if "float" in one.type]
            given = {name: np.asarray(value) for name, value in inputs.items()}
            return [np.asarray(output) for output in session.run(wanted, given)]

    return run


def _written(path: PathLike, changed: Mapping[str, Array], folder: Path) -> Path:
    """Write the net with these tensors in place of its own; return its path."""
    with safe_open(path, backend="pread") as file:
        if file.directory.format != "ONNX":
            raise ValueError(f"{os.fspath(path)!r}: is no ONNX file")
        original = original_of(file.source, file.directory, Path(os.fsdecode(path)).name)
        assert original is not None, "an ONNX file can be written again"

        def read(name: str) -> Ordinary | Opaque:
            if name in changed:
                return Ordinary(changed[name], element_type(changed[name].dtype))
            return file.read_ordinary(name)

        files = files_of(original, read)
        for name, parts in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            replace_file(folder / name, parts)
    return folder / next(iter(files))


def _check_inputs(wanted: list[str], given: Mapping[str, Any]) -> None:
    if sorted(wanted) != sorted(given):
        raise ValueError(
            f"found samples for {', '.join(sorted(given)) or 'nothing'}: the net's inputs are "
            f"{', '.join(sorted(wanted))}"
        )
