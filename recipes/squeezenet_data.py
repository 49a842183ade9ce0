"""Reads SqueezeNets from a folder: the authors' compressed file, and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from qcodec.interop import dcnet
from qcodec.quantized import Groups, Quantized

from .squeezenet_names import LAYERS
from .squeezenet_net import layers as layers_of_net
from .squeezenet_net import tensors

_NET, _LAYERS = "squeezenet_dc.net", "squeezenet_dc.layers.json"
_SUFFIXES = (".safetensors", ".pth", ".pt")
STAND_IN = "the decoded weights of the authors' file"


@dataclass(frozen=True)
class Networks:
    """The networks to compress.

    Attributes
    ----------
    original : bytes, optional
        The authors' `.net` file.
    layers : list of qcodec.interop.dcnet.Layer
        Its layers.
    checkpoints : dict of str to dict of str to numpy.ndarray
        The tensors of each checkpoint, by file name.
    """

    original: bytes | None
    layers: list[dcnet.Layer]
    checkpoints: dict[str, dict[str, np.ndarray]]


def load_data(folder: Path, short: bool) -> Networks:
    """Load every SqueezeNet in a folder; without a checkpoint, use a stand-in.

    Parameters
    ----------
    folder : pathlib.Path
        Contains ``squeezenet_dc.net`` and ``squeezenet_dc.layers.json``, or checkpoints whose
        names begin with ``squeezenet`` and end in ``.safetensors``, ``.pth`` or ``.pt``, or both.
    short : bool
        If True, use a small made-up net and do not read the folder.

    Raises
    ------
    FileNotFoundError
        If there is no SqueezeNet, or a file is missing.
    """
    if short:
        return made_up()
    paths = sorted(path for path in folder.glob("squeezenet*") if path.suffix in _SUFFIXES)
    checkpoints = {path.name: _read(path) for path in paths}
    if not (folder / _NET).exists():
        if not checkpoints:
            raise FileNotFoundError(
                f"{folder}: neither {_NET} nor squeezenet*{', squeezenet*'.join(_SUFFIXES)}"
            )
        return Networks(None, [], checkpoints)
    if not (folder / _LAYERS).exists():
        raise FileNotFoundError(f"{folder}: {_NET} without {_LAYERS}, its names and shapes")
    return with_stand_in((folder / _NET).read_bytes(), layers_of_net(folder), checkpoints)


def with_stand_in(
    original: bytes,
    layers: list[dcnet.Layer],
    checkpoints: Mapping[str, dict[str, np.ndarray]] | None = None,
) -> Networks:
    """Add the decoded weights of the authors' file if there is no checkpoint.

    They are the weights of a real net, already pruned.
    """
    found = dict(checkpoints or {})
    if not found:
        network = tensors(dcnet.read(original, layers))
        found[STAND_IN] = {
            name: value.dequantize() if isinstance(value, Quantized) else value
            for name, value in network.items()
        }
    return Networks(original, layers, found)


def made_up() -> Networks:
    """Make a `.net` file of a net with SqueezeNet's layers and few channels."""
    random = np.random.default_rng(0)
    layers = [dcnet.Layer(name, _small_shape(name), 8) for name in LAYERS]
    network = {layer.name: _made_up_layer(layer, random) for layer in layers}
    return with_stand_in(dcnet.write(network), layers)


def _small_shape(name: str) -> tuple[int, ...]:
    kernel = 3 if "3x3" in name or name == "conv1" else 1
    return (16, 8, kernel, kernel)


def _made_up_layer(layer: dcnet.Layer, random: np.random.Generator) -> dcnet.LayerData:
    size = math.prod(layer.shape)
    positions = np.flatnonzero(random.random(size) < 0.5)
    values = np.sort(random.standard_normal(255)).astype(np.float32)
    weights = Quantized(
        shape=layer.shape,
        dtype="float32",
        kind="codebook",
        codes=random.integers(1, 256, len(positions), np.uint8),
        positions=positions,
        bits=8,
        codebook=Groups(np.append(np.float32(0), values).reshape(1, -1)),
    )
    return dcnet.LayerData(weights, random.standard_normal(layer.shape[0]).astype(np.float32))


def _read(path: Path) -> dict[str, np.ndarray]:
    if path.suffix == ".safetensors":
        return load_file(path)
    import torch

    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}
