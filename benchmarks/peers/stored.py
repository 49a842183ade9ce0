"""A case as one method stores it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Stored:
    """What was written, and how to read it.

    Attributes
    ----------
    method, form : str
        Who, and what it was given.
    bytes : int
    decompress : callable, optional
        Gives what the compressor was given; absent where that is the tensors themselves.
    tensors : callable
        Gives the decoded tensors.
    own : bool
        Whether it is ours.
    """

    method: str
    form: str
    bytes: int
    decompress: Callable[[], object] | None
    tensors: Callable[[], dict[str, Any]]
    own: bool = False


def bytes_of(given: object) -> bytes | bytearray:
    """The bytes of an array or of whatever holds bytes."""
    if isinstance(given, np.ndarray):
        return given.tobytes()
    return given if isinstance(given, bytes | bytearray) else bytes(given)  # type: ignore[arg-type]
