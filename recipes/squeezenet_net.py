"""The Deep Compression authors' SqueezeNet: their `.net` file as tensors by name, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qcodec
from qcodec.interop import dcnet


def layers(data: Path) -> list[dcnet.Layer]:
    """What the `.net` file does not say about its layers."""
    rows = json.loads((data / "squeezenet_dc.layers.json").read_text())
    return [dcnet.Layer(row["name"], tuple(row["shape"]), row["bits"]) for row in rows]


def tensors(network: Mapping[str, dcnet.LayerData]) -> dict[str, Any]:
    """Its weights and biases by name, as `save_file` takes them."""
    found: dict[str, Any] = {}
    for name, layer in network.items():
        found[f"{name}.weight"] = layer.weights
        found[f"{name}.bias"] = layer.biases
    return found


def net_of(path: Path, names: list[str]) -> bytes:
    """The `.net` file again, from one of ours."""
    with qcodec.safe_open(path, "numpy") as file:
        network = {
            name: dcnet.LayerData(
                file.encoded(f"{name}.weight").quantized(),
                file.get_tensor(f"{name}.bias"),
            )
            for name in names
        }
    return dcnet.write(network)
