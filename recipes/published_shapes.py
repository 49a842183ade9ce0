"""The layers of AlexNet and VGG-16 as Caffe has them, with the paper's densities and bits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .deep_compression_tables import ALEXNET, VGG_16, PaperLayer


@dataclass(frozen=True)
class Shape:
    """A layer.

    Attributes
    ----------
    name : str
    shape : tuple of int
        (outputs, inputs, height, width) or (outputs, inputs); inputs are counted per group.
    """

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of weights."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Net:
    """A net that Deep Compression was applied to.

    Attributes
    ----------
    name : str
    layers : tuple of Shape
    table : dict of str to PaperLayer
        The paper's results.
    gap_bits : int
        Width of the paper's relative index.
    megabytes, megabytes_compressed : float
        The paper's sizes, in 10^6 bytes.
    """

    name: str
    layers: tuple[Shape, ...]
    table: dict[str, PaperLayer]
    gap_bits: int
    megabytes: float
    megabytes_compressed: float

    @property
    def elements(self) -> int:
        """The number of weights and biases."""
        return sum(layer.size + layer.shape[0] for layer in self.layers)


def _convolutions(name: str, kernel: int, *shapes: tuple[int, int]) -> tuple[Shape, ...]:
    return tuple(
        Shape(f"{name}{number}", (outputs, inputs, kernel, kernel))
        for number, (outputs, inputs) in enumerate(shapes, 1)
    )


#: conv2, conv4 and conv5 have two groups, and thus half of the inputs.
_ALEXNET = (
    Shape("conv1", (96, 3, 11, 11)),
    Shape("conv2", (256, 48, 5, 5)),
    Shape("conv3", (384, 256, 3, 3)),
    Shape("conv4", (384, 192, 3, 3)),
    Shape("conv5", (256, 192, 3, 3)),
    Shape("fc6", (4096, 9216)),
    Shape("fc7", (4096, 4096)),
    Shape("fc8", (1000, 4096)),
)

_VGG_16 = (
    *_convolutions("conv1_", 3, (64, 3), (64, 64)),
    *_convolutions("conv2_", 3, (128, 64), (128, 128)),
    *_convolutions("conv3_", 3, (256, 128), (256, 256), (256, 256)),
    *_convolutions("conv4_", 3, (512, 256), (512, 512), (512, 512)),
    *_convolutions("conv5_", 3, (512, 512), (512, 512), (512, 512)),
    Shape("fc6", (4096, 25088)),
    Shape("fc7", (4096, 4096)),
    Shape("fc8", (1000, 4096)),
)

NETS = (
    Net("AlexNet", _ALEXNET, ALEXNET, 4, 240, 6.9),
    Net("VGG-16", _VGG_16, VGG_16, 5, 552, 11.3),
)
