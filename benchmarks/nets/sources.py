"""What nets are made of: the data, MiniLM, and the nets that were made before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from qcodec.interop import dcnet
from qcodec.quantized import Quantized
from recipes import squeezenet_net

from ..evidence.datasets import cifar_train, mnist
from ..peers import plain
from ..peers.case import Array
from . import convolutional, text, transformer
from .training import Effort


class AbsentError(Exception):
    """Data that a net is made of is not there; the message names it."""


@dataclass(frozen=True)
class Sources:
    """What nets are made of.

    Attributes
    ----------
    folder : Path
        Nets that are there are not made again.
    data : Path
    model : Path or None
        MiniLM's file.
    effort : Effort
    """

    folder: Path
    data: Path
    model: Path | None = None
    effort: Effort = field(default_factory=Effort)

    def kept(self, name: str, make: Callable[[], Mapping[str, Array]]) -> dict[str, Array]:
        """The tensors in the file of this name, which is made if it is not there."""
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            print(f"making {name} ...", file=sys.stderr, flush=True)
            plain.write(make(), path)
        return plain.read(path)

    def _of_data(self, name: str) -> Path:
        path = self.data / name
        if not path.exists():
            raise AbsentError(f"{name} is not in the folder of data")
        return path

    def digits(self) -> tuple[Array, Array]:
        """MNIST's images for training, and their labels."""
        return mnist(self._of_data("mnist").parent, "train")

    def pictures(self) -> tuple[Array, Array]:
        """Those of CIFAR-10, and their labels."""
        return cifar_train(self._of_data("cifar10_sample.npz").parent)

    def convolutional(self) -> dict[str, Array]:
        """The second set's."""
        steps = self.effort.convolutional
        return self.kept(
            f"convolutional_{steps}", lambda: convolutional.trained(*self.digits(), steps)
        )

    def transformer(self) -> dict[str, Array]:
        """The second set's."""
        steps = self.effort.transformer
        release = "".join(map(str, sys.version_info[:3]))
        return self.kept(
            f"transformer_{steps}_{release}",
            lambda: transformer.trained(text.characters(), steps),
        )

    def resnet20(self) -> dict[str, Array]:
        """Trained for CIFAR-10."""
        return plain.read(self._of_data("resnet20_cifar10.safetensors"))

    def squeezenet(self) -> dict[str, Array]:
        """Deep Compression's SqueezeNet, decoded: most of its weights are zero."""
        path = self._of_data("squeezenet_dc.net")
        found = squeezenet_net.tensors(dcnet.read(path, squeezenet_net.layers(self.data)))
        return {
            name: one.dequantize() if isinstance(one, Quantized) else one
            for name, one in found.items()
        }

    def minilm(self) -> dict[str, Array]:
        """Its first layer, and every 32nd row of the words."""
        if self.model is None:
            raise AbsentError("MiniLM is not there")
        words = "embeddings.word_embeddings.weight"
        found = {
            name: array
            for name, array in plain.read(self.model).items()
            if array.dtype == np.float32 and (".layer." not in name or ".layer.0." in name)
        }
        return {**found, words: found[words][::32].copy()}
