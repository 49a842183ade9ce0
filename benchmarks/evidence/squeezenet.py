"""SqueezeNet of Deep Compression's authors: read, written, and coded without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

import qcodec
from qcodec.interop import dcnet
from qcodec.quantized import Groups, Quantized
from recipes.squeezenet_net import layers, net_of, tensors

from .report import Row, at_most, size_of, timed

CASE = "SqueezeNet .net"
# Of a profile: the goal and, if there is one, the moonshot.
GOALS = {"balanced": (530_500, 525_900), "small": (530_500, 525_900)}
SORTED_GOAL = (524_500, 520_000)


def run(data: Path, folder: Path) -> list[Row]:
    """One file a profile, and the `.net` from it again, byte for byte."""
    original = (data / "squeezenet_dc.net").read_bytes()
    network = dcnet.read(original, layers(data))
    rows = [Row(CASE, "bytes of the original", len(original))]
    same = dcnet.write(network) == original
    rows.append(Row(CASE, "read and written again", str(same), "True", same))
    for profile, goal in GOALS.items():
        path = folder / f"squeezenet_{profile}.qcodec"
        with timed(rows, CASE, f"encode, {profile}"):
            qcodec.save_file(tensors(network), path, profile=profile)
        rows.append(at_most(CASE, f"bytes, {profile}", size_of(path), *goal))
        with timed(rows, CASE, f"decode, {profile}"):
            qcodec.load_file(path)
        same = net_of(path, list(network)) == original
        rows.append(Row(CASE, f".net from the {profile} file", str(same), "True", same))
    return rows + _sorted(network, folder)


def with_sorted_codebooks(
    network: Mapping[str, dcnet.LayerData],
) -> dict[str, dcnet.LayerData]:
    """The same weights, bit for bit, by codebooks in ascending order."""
    return {
        name: dcnet.LayerData(_with_sorted_codebook(layer.weights), layer.biases)
        for name, layer in network.items()
    }


def _with_sorted_codebook(weights: Quantized) -> Quantized:
    assert weights.codebook is not None
    (book,) = weights.codebook.values
    order = np.argsort(book, kind="stable")
    ranks = np.argsort(order).astype(np.uint8)
    return replace(weights, codes=ranks[weights.codes], codebook=Groups(book[order][None]))


def _sorted(network: Mapping[str, dcnet.LayerData], folder: Path) -> list[Row]:
    """One file of the sorted codebooks, and its weights beside the authors'."""
    path = folder / "squeezenet_sorted.qcodec"
    qcodec.save_file(tensors(with_sorted_codebooks(network)), path, profile="small")
    decoded = qcodec.load_file(path)
    same = all(
        decoded[f"{name}.weight"].tobytes() == layer.weights.dequantize().tobytes()
        for name, layer in network.items()
    )
    return [
        at_most(CASE, "bytes, small, sorted codebooks", size_of(path), *SORTED_GOAL),
        Row(CASE, "weights from the file of sorted codebooks", str(same), "True", same),
    ]
