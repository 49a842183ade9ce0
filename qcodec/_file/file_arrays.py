"""The base of a file: the arrays of another file, read on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import BaseError, MissingTensorError, QCodecError
from .tensor_file import TensorFile

Array = np.ndarray[Any, Any]


class FileArrays(Mapping[str, Array]):
    """The arrays of a base's open file, each read on demand.

    Parameters
    ----------
    file : TensorFile
    what : str
        The file's name in errors.
    """

    def __init__(self, file: TensorFile, what: str = "the base") -> None:
        self.file = file
        self._what = what

    def __getitem__(self, name: str) -> Array:
        with naming_base(self._what):
            return self.file.read_array(name)[0]

    def __contains__(self, name: object) -> bool:
        return name in self.file

    def __iter__(self) -> Iterator[str]:
        return iter(self.file.offset_keys())

    def __len__(self) -> int:
        return len(self.file)


@contextmanager
def naming_base(what: str) -> Iterator[None]:
    """Turn an error about the base into a `BaseError` whose message begins with `what`."""
    try:
        yield
    except MissingTensorError:  # not a fault of the base: a mapping raises it for a missing key
        raise
    except QCodecError as error:
        message = f"{what}: {error}"
        raise BaseError(message, error.offset, error.found, error.allowed) from error
