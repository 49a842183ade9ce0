"""The three stages of Deep Compression; each writes a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..codecs import Codec, DeepCompression, Lossless, Sparse
from ..files import load_file, save_file

Array = np.ndarray[Any, Any]
Tensors = Mapping[str, Array]


@dataclass(frozen=True)
class Stage:
    """One way to store the network.

    Attributes
    ----------
    name : str
        What was done to the weights; also the name of the file.
    codec : Codec
        The codec of weights. Biases keep every bit.
    profile : str
        As in `qcodec.encode`; ``"fixed"`` does without entropy coding.
    """

    name: str
    codec: Codec
    profile: str

    def path(self, folder: Path) -> Path:
        """Return the path of the stage's file."""
        return folder / f"{self.name}.qcodec"

    def save(self, tensors: Tensors, folder: Path) -> None:
        """Write the stage's file."""
        recipe = {r"\.weight$": self.codec, r"\.bias$": Lossless()}
        save_file(tensors, self.path(folder), recipe=recipe, profile=self.profile)

    def expected(self, tensors: Tensors) -> dict[str, Array]:
        """Return what the file must decode to: the quantizer's values, without encoding."""
        return {
            name: self.codec.quantize(array).dequantize() if name.endswith(".weight") else array
            for name, array in tensors.items()
        }

    def is_bit_equal(self, tensors: Tensors, folder: Path) -> bool:
        """Whether the file decodes to exactly what the quantizer chose."""
        decoded, expected = load_file(self.path(folder)), self.expected(tensors)
        return decoded.keys() == expected.keys() and all(
            decoded[name].dtype == array.dtype
            and decoded[name].shape == array.shape
            and decoded[name].tobytes() == array.tobytes()
            for name, array in expected.items()
        )


#: The columns P, P+Q and P+Q+H of the paper's tables.
STAGES = (
    Stage("pruned", Sparse(Lossless(), positions="gaps"), "fixed"),
    Stage("quantized", DeepCompression(bits=4), "fixed"),
    Stage("coded", DeepCompression(bits=4), "small"),
)
