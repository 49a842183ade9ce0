"""A net with its inputs: what answers, and how answers are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import qcodec
from qcodec import Recipe

from .agreement import Figures

Tensors = Mapping[str, Any]
_WEIGHTS = Recipe()


class Net(ABC):
    """A trained net, and many inputs.

    Attributes
    ----------
    name : str
    inputs : str
        What the inputs are, and their number.
    source : pathlib.Path
        The file of the net, or its folder.
    """

    name: str
    inputs: str
    source: Path

    @property
    def file(self) -> Path:
        """The file with the weights."""
        return self.source

    @property
    def encoded_name(self) -> str:
        """What the encoded file is called."""
        return "net.qc.safetensors"

    def tensors(self, path: Path | None = None) -> dict[str, Any]:
        """All tensors of the net's own file, or of another one."""
        return dict(qcodec.load_file(path or self.file))

    @abstractmethod
    def outputs(self, path: Path) -> Any:
        """What the net of this file says to all inputs."""

    @abstractmethod
    def compare(self, expected: Any, found: Any) -> Figures:
        """How far what was found agrees with what the float net says."""

    @abstractmethod
    def write(self, tensors: Tensors, path: Path) -> None:
        """Write the net with these tensors in place of its own, in its own format."""


def is_weight(array: Any) -> bool:
    """Whether recipes take a tensor for weights: two dimensions and 1,024 elements at least."""
    return not _WEIGHTS.why_no_weight(array.shape, array.dtype.name)


def sqnr(original: Tensors, decoded: Tensors) -> float:
    """The signal-to-quantization-noise ratio of all weights together, in dB."""
    signal = noise = 0.0
    for name, array in original.items():
        if is_weight(array):
            exact = np.asarray(array, np.float64)
            signal += float(np.sum(exact**2))
            noise += float(np.sum((exact - np.asarray(decoded[name], np.float64)) ** 2))
    return float(10 * np.log10(signal / noise)) if noise else float("inf")
