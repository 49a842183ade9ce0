"""Converts the Deep Compression authors' SqueezeNet between `.net` file and named tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qcodec
from qcodec.interop import dcnet


def layers(data: Path) -> list[dcnet.Layer]:
    """The layers' names, shapes and bits, which the `.net` file does not contain."""
    rows = json.loads((data / "squeezenet_dc.layers.json").read_text())
    return [dcnet.Layer(row["name"], tuple(row["shape"]), row["bits"]) for row in rows]


def tensors(network: Mapping[str, dcnet.LayerData]) -> dict[str, Any]:
    """Weights and biases by name, for `save_file`."""
    found: dict[str, Any] = {}
    for name, layer in network.items():
        found[f"{name}.weight"] = layer.weights
        found[f"{name}.bias"] = layer.biases
    return found


def net_of(path: Path, names: list[str]) -> bytes:
    """Rebuild the `.net` file from a qcodec file."""
    with qcodec.safe_open(path, "numpy") as file:
        network = {
            name: dcnet.LayerData(
                file.encoded(f"{name}.weight").quantized(),
                file.get_tensor(f"{name}.bias"),
            )
            for name in names
        }
    return dcnet.write(network)
