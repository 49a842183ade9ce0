"""Symbols to code: synthetic ones, and those of real nets where these are available."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from qcodec import Codebook, Ternary
from qcodec.interop import dcnet
from recipes import squeezenet_net

from ..evidence import minilm

# The deviation of weights in the layers of common nets: where exponents lie.
_DEVIATION = 0.04


@dataclass(frozen=True)
class SymbolSet:
    """Symbols of one kind.

    Attributes
    ----------
    name : str
    width : int
        Bits that hold each.
    symbols : ndarray of uint8, shape (n,)
    """

    name: str
    width: int
    symbols: np.ndarray

    @property
    def entropy(self) -> float:
        """Bits a symbol, of order 0."""
        counts = np.bincount(self.symbols)
        shares = counts[counts > 0] / len(self.symbols)
        return float(-(shares * np.log2(shares)).sum())


@dataclass(frozen=True)
class Places:
    """Where real nets are.

    Attributes
    ----------
    data : Path or None
        The folder of SqueezeNet and ResNet-20.
    minilm : Path or None
        The model file of all-MiniLM-L6-v2.
    """

    data: Path | None = None
    minilm: Path | None = None

    def model(self) -> Path | None:
        """MiniLM's file: the one that was named, or the installed package's."""
        return self.minilm or minilm.find_model()


def gaussian(count: int) -> np.ndarray:
    """float32 weights as of one layer, the same each time."""
    weights = np.random.default_rng(1).standard_normal(count, np.float32)
    return weights * np.float32(_DEVIATION)


def exponents(weights: np.ndarray) -> np.ndarray:
    """The eight bits of the exponents of float32, and so of bfloat16."""
    return (np.ascontiguousarray(weights).view(np.uint32) >> 23).astype(np.uint8)


def k_means(count: int, bits: int) -> np.ndarray:
    """Indices of shared values of Gaussian weights, by Lloyd's steps from equal ones.

    The exact optimum for 256 values is so even (7.7 bits of 8) that zstd stores it raw.
    """
    return Codebook(bits, init="linear").quantize(gaussian(count)).codes.reshape(-1)


def trits(count: int, zeros: float) -> np.ndarray:
    """0, 1, 2 for -1, 0, +1: a share is zero, the signs are even."""
    draws = np.random.default_rng(2).random(count)
    return np.where(draws < zeros, 1, np.where(draws < (1 + zeros) / 2, 0, 2)).astype(np.uint8)


def synthetic(count: int) -> Iterator[SymbolSet]:
    """The sets of docs/benchmarks.md, `count` symbols each."""
    makers: dict[str, tuple[int, Callable[[], np.ndarray]]] = {
        "km16": (4, lambda: k_means(count, 4)),
        "km64": (6, lambda: k_means(count, 6)),
        "km256": (8, lambda: k_means(count, 8)),
        "tern70": (2, lambda: trits(count, 0.7)),
        "tern90": (2, lambda: trits(count, 0.9)),
        "exponents": (8, lambda: exponents(gaussian(count))),
    }
    for name, (width, make) in makers.items():
        yield SymbolSet(name, width, make())


def real(count: int, places: Places) -> Iterator[SymbolSet]:
    """The first symbols, `count` at most, of the nets that are there."""
    model = places.model()
    if model is not None:
        weights = load_file(model)[minilm.WORDS].reshape(-1)[:count]
        yield SymbolSet("MiniLM, 4 bits", 4, Codebook(4).quantize(weights).codes)
        yield SymbolSet("MiniLM exponents", 8, exponents(weights))
    if places.data is not None:
        yield from _squeezenet(count, places.data)
        yield from _resnet(count, places.data)


def _squeezenet(count: int, folder: Path) -> Iterator[SymbolSet]:
    original = (folder / "squeezenet_dc.net").read_bytes()
    layers = dcnet.read(original, squeezenet_net.layers(folder)).values()
    codes = [layer.weights.codes for layer in layers]
    gaps = [_gaps(layer.weights.positions) for layer in layers]
    yield SymbolSet("SqueezeNet codes", 8, np.concatenate(codes).astype(np.uint8)[:count])
    yield SymbolSet("SqueezeNet gaps", 4, np.concatenate(gaps)[:count])


def _gaps(positions: np.ndarray | None) -> np.ndarray:
    """Zeros between stored weights, at most 15 as in 4-bit gaps."""
    assert positions is not None, "the layers of SqueezeNet are sparse"
    gaps = np.diff(positions.astype(np.int64), prepend=-1) - 1
    return np.minimum(gaps, 15).astype(np.uint8)


def _resnet(count: int, folder: Path) -> Iterator[SymbolSet]:
    tensors = load_file(folder / "resnet20_cifar10.safetensors")
    weights = np.concatenate([a.reshape(-1) for a in tensors.values() if a.ndim == 4])
    codes = Ternary().quantize(weights).codes.reshape(-1)[:count]
    yield SymbolSet("ResNet-20, ternary", 2, codes)
