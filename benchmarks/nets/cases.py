"""Six ways to store each net of the second set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from qcodec import Codebook, DeepCompression, Density, Recipe, Ternary

from ..evidence.datasets import mnist
from ..evidence.quantizing import quantized
from ..peers.case import Array, Case
from . import convolutional, text, transformer
from .sources import Sources
from .training import Effort

MISSING = "Left out: torch, which trains the nets, is not installed."
# No price was searched for: the same as for ResNet-20.
RECIPES = {
    "4 bits": Recipe(weights=Codebook(4)),
    "ternary": Recipe(weights=Ternary("twn", scales=1)),
    "entropy-constrained": Recipe(weights=Codebook(5, rate=0.04)),
    "10 % dense, 4 bits": Recipe(weights=DeepCompression(4, prune=Density(0.1))),
}


@dataclass(frozen=True)
class Net:
    """A trained net.

    Attributes
    ----------
    name, title : str
    weights : dict of str to ndarray of float32
    quality : callable
        What the net with these weights is good for, in words.
    """

    name: str
    title: str
    weights: dict[str, Array]
    quality: Callable[[dict[str, Any]], str]


def cases(folder: Path, data: Path, effort: Effort = Effort()) -> dict[str, Iterator[Any]]:  # noqa: B008
    """Makers of cases by net; none without torch.

    Parameters
    ----------
    folder : Path
        Nets that are there are not trained again.
    data : Path
        Of MNIST.
    effort : Effort
    """
    if find_spec("torch") is None:
        return {}
    sources = Sources(folder, data, effort=effort)
    nets = (_convolutional(sources), _transformer(sources))
    return {_title(net): ways(net) for net in nets}


def _title(net: Net) -> str:
    count = sum(array.size for array in net.weights.values())
    return f"{net.title}, {count:,} weights; as trained: {net.quality(net.weights)}"


def ways(net: Net) -> Iterator[Callable[[], Case]]:
    """Quantized as each recipe says, and every bit as float32 and of bfloat16."""
    for title, recipe in RECIPES.items():
        yield partial(_quantized_case, net, title, recipe)
    yield lambda: Case("float32", net.weights, net=net.name)
    halves = {name: _upper(array) for name, array in net.weights.items()}
    yield lambda: Case("bfloat16", halves, net=net.name)


def _quantized_case(net: Net, title: str, recipe: Recipe) -> Case:
    case = Case(title, quantized(net.weights, recipe), net=net.name)
    return replace(case, note=net.quality(case.decoded()))


def _upper(array: Array) -> Array:
    return (array.view(np.uint32) >> 16).astype(np.uint16)


def _convolutional(sources: Sources) -> Net:
    tests = mnist(sources.data, "t10k")
    return Net(
        "Convolutional",
        "Convolutional network for MNIST",
        sources.convolutional(),
        lambda weights: f"{100 * convolutional.accuracy(weights, *tests):.2f} % right",
    )


def _transformer(sources: Sources) -> Net:
    characters = text.characters()
    return Net(
        "Transformer",
        "Transformer for the standard library's docstrings",
        sources.transformer(),
        lambda weights: f"{transformer.bits_a_character(weights, characters):.3f} bits a character",
    )
