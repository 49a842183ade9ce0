"""AlexNet and VGG-16 at the densities and bits of Deep Compression: SYNTHETIC weights.

No checkpoint is needed. Weights are Gaussian. Each layer is pruned by magnitude to the published
density, shared by k-means from linear starts with the published bits, and coded. So this measures
the coding alone. The positions of kept weights are purely random, and their values are the two
tails of a Gaussian. Trained weights are more regular and easier to code, so the paper's own coding
of the same numbers is measured too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import qcodec
from qcodec.quantized import Quantized

from .paper_coding import PaperCoding, paper_coding
from .published_shapes import NETS, Net, Shape
from .report import Report, report, table

if TYPE_CHECKING:
    from qcodec.torch import Run

#: ``scale`` divides the numbers of outputs and inputs of large layers.
SETTINGS: dict[str, Any] = {"scale": 1, "profile": "small"}
SHORT: dict[str, Any] = {"scale": 32}

_MIN_CHANNELS = 16
_COLUMNS = (
    "synthetic net", "float32, MB", "paper's coding, fixed width", "paper's coding, Huffman",
    "qcodec", "entropy", "smaller by", "paper: MB", "smaller by",
)  # fmt: skip


def load_data(folder: Path, short: bool) -> None:
    """Returns None: the weights are made up."""


def run(_data: None, run: Run, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Make, prune, share and code both nets.

    Parameters
    ----------
    _data : None
    run : Run
        Its folder gets one file per net.
    settings : mapping
        ``seed``; ``scale``: 1 for the published shapes; ``profile``: as in `qcodec.encode`.
    """
    files, rows, tables = {}, [], []
    for number, net in enumerate(scaled(net, settings["scale"]) for net in NETS):
        random = np.random.default_rng([settings["seed"], number])
        found, layers = compress(
            net, random, run.folder / f"{net.name}.qcodec", settings["profile"]
        )
        files[net.name] = found
        rows.append(_row(net, found))
        tables.append(f"{net.name}, synthetic (the paper):\n\n{layers.markdown(net.table)}")
    return {
        "paper": {_size_name(net): net.megabytes_compressed for net in NETS},
        "ours": {**{_size_name(net): _megabytes(files[net.name]) for net in NETS}, "files": files},
        "tables": [table(_COLUMNS, rows), *tables],
        "notes": [
            "SYNTHETIC: Gaussian weights at the published densities and bits, not trained nets.",
            "MB are 10^6 bytes, as in the paper. Its bits are per entry, fillers included; ours "
            "are per kept weight.",
            "Entropy: that of the codes alone, plus that of the positions, where each weight is "
            "kept independently with the layer's density; biases count as they are. No coding of "
            "such numbers can be smaller, except by chance.",
        ],
    }


def compress(
    net: Net, random: np.random.Generator, path: Path, profile: str
) -> tuple[dict[str, int], Report]:
    """Compress one net into a file. Only one layer at a time is in memory as floats.

    Parameters
    ----------
    net : Net
    random : numpy.random.Generator
    path : pathlib.Path
        The file to write.
    profile : str

    Returns
    -------
    found : dict
        ``bytes``, ``elements``, ``paper_bitpacked_bytes``, ``paper_huffman_bytes`` and
        ``entropy_bytes``, each including biases as float32.
    layers : Report
    """
    tensors: dict[str, Any] = {}
    codings: list[PaperCoding] = []
    entropy = 0.0
    for layer in net.layers:
        quantized = shared_weights(net, layer, random)
        biases = random.standard_normal(layer.shape[0], np.float32)
        tensors |= {f"{layer.name}.weight": quantized, f"{layer.name}.bias": biases}
        codings.append(paper_coding(quantized, net.gap_bits))
        entropy += entropy_bits(quantized) / 8
    size = qcodec.save_file(tensors, path, profile=profile)
    biases_bytes = 4 * sum(layer.shape[0] for layer in net.layers)
    found = {
        "bytes": size,
        "elements": net.elements,
        "paper_bitpacked_bytes": biases_bytes + sum(coding.bitpacked_bytes for coding in codings),
        "paper_huffman_bytes": biases_bytes + sum(coding.huffman_bytes for coding in codings),
        "entropy_bytes": biases_bytes + math.ceil(entropy),
    }
    return found, report(path)


def shared_weights(net: Net, layer: Shape, random: np.random.Generator) -> Quantized:
    """Gaussian weights, pruned and shared by the layer's row of the paper's table."""
    row = net.table[layer.name]
    weights = random.standard_normal(layer.size, np.float32).reshape(layer.shape)
    weights *= np.float32(math.sqrt(2 * layer.shape[0] / layer.size))  # He's initialisation
    codec = qcodec.DeepCompression(int(row.weight_bits), prune=qcodec.Density(row.kept / 100))
    return codec.quantize(weights)


def entropy_bits(quantized: Quantized) -> float:
    """The order-0 entropy of the codes and of the mask of kept weights, in bits.

    Examples
    --------
    >>> weights = np.array([[1.0, 0, 0, 2.0, 1.0, 2.0, 0, 0]], np.float32)
    >>> entropy_bits(qcodec.DeepCompression(2).quantize(weights))
    12.0
    """
    counts = np.bincount(quantized.codes)
    kept = [quantized.stored, quantized.size - quantized.stored]
    return _bits_of(counts) + _bits_of(np.array(kept))


def scaled(net: Net, scale: int) -> Net:
    """The net with fewer channels, for short runs."""
    if scale == 1:
        return net

    def fewer(channels: int) -> int:
        return channels if channels <= _MIN_CHANNELS else max(channels // scale, _MIN_CHANNELS)

    layers = tuple(
        Shape(layer.name, (fewer(layer.shape[0]), fewer(layer.shape[1]), *layer.shape[2:]))
        for layer in net.layers
    )
    return Net(net.name, layers, net.table, net.gap_bits, net.megabytes, net.megabytes_compressed)


def _bits_of(counts: np.ndarray) -> float:
    present = counts[counts > 0]
    return float(-(present * np.log2(present / present.sum())).sum())


def _size_name(net: Net) -> str:
    return f"{net.name}, MB (ours: synthetic)"


def _megabytes(found: Mapping[str, int]) -> float:
    return round(found["bytes"] / 1e6, 2)


def _row(net: Net, found: Mapping[str, int]) -> tuple[str, ...]:
    floats = 4 * found["elements"]
    names = ("paper_bitpacked_bytes", "paper_huffman_bytes", "bytes", "entropy_bytes")
    sizes = [f"{found[name]:,}" for name in names]
    return (
        net.name,
        f"{floats / 1e6:.1f}",
        *sizes,
        f"{floats / found['bytes']:.1f}x",
        f"{net.megabytes_compressed}",
        f"{net.megabytes / net.megabytes_compressed:.0f}x",
    )
