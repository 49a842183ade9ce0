"""The real nets: the weights that every method stores, and in which forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from qcodec import Codebook, Codec, Recipe, Ternary
from qcodec.interop import dcnet
from qcodec.recipes import Rule
from recipes import squeezenet_net

from ..evidence import lenet5, resnet20, squeezenet
from ..evidence.quantizing import quantized
from ..evidence.report import Row, at_least
from .case import Array, Case
from .compare import PROFILES, Comparison
from .forms import Form


def cases(data: Path, model: Path | None) -> Iterator[Callable[[], Case]]:
    """Those whose data is there; each is made when it is called, and dropped after that."""
    for make in (squeezenet_file, squeezenet_sorted, lenet5_4bit, lenet5_priced):
        yield partial(make, data)
    for make in (resnet20_16_levels, resnet20_priced, resnet20_ternary):
        yield partial(make, data)
    if model is not None:
        for make in (minilm_4bit, minilm_ternary, minilm_bfloat16, minilm_float32):
            yield partial(make, model)
        for make in (minilm_bfloat16, minilm_float32):
            yield partial(in_one_array, partial(make, model))


def squeezenet_file(data: Path) -> Case:
    """The authors' file: byte compressors get its bytes."""
    original = (data / "squeezenet_dc.net").read_bytes()
    layers = squeezenet_net.layers(data)
    tensors = squeezenet_net.tensors(dcnet.read(original, layers))

    def rebuild(streams: list[Array], _: bytes) -> dict[str, Array]:
        network = dcnet.read(streams[0].tobytes(), layers)
        return {
            name: tensor if isinstance(tensor, np.ndarray) else tensor.dequantize()
            for name, tensor in squeezenet_net.tensors(network).items()
        }

    def forms() -> list[Form]:
        return [Form("the .net file", [np.frombuffer(original, np.uint8)], b"", rebuild)]

    return Case("SqueezeNet .net", tensors, forms)


def squeezenet_sorted(data: Path) -> Case:
    """Its arrays, each codebook in ascending order: the same weights."""
    network = dcnet.read(data / "squeezenet_dc.net", squeezenet_net.layers(data))
    tensors = squeezenet_net.tensors(squeezenet.with_sorted_codebooks(network))
    return Case("SqueezeNet, sorted codebooks", tensors)


def lenet5_4bit(data: Path) -> Case:
    """Pruned by ADMM; 4 bits by k-means, biases of float32."""
    tensors = load_file(data / "lenet5_admm.safetensors")
    return Case("LeNet-5, 4 bits", quantized(tensors, lenet5.recipe()))


def lenet5_priced(data: Path) -> Case:
    """Entropy-constrained codebooks, biases of 4 bits."""
    tensors = lenet5.pruned(load_file(data / "lenet5_admm.safetensors"))
    recipe = lenet5.priced_recipe(tensors)
    return Case("LeNet-5, entropy-constrained", quantized(tensors, recipe))


def resnet20_16_levels(data: Path) -> Case:
    """All convolutions and the last layer."""
    weights = resnet20.weights(data)
    return Case("ResNet-20, 16 levels", quantized(weights, _all_by(resnet20.SHARED)))


def resnet20_priced(data: Path) -> Case:
    """The same with at most 32 levels, chosen by error and entropy."""
    weights = resnet20.weights(data)
    return Case("ResNet-20, entropy-constrained", quantized(weights, _all_by(resnet20.PRICED)))


def resnet20_ternary(data: Path) -> Case:
    """All convolutions but the first."""
    weights = resnet20.inner_convolutions(data)
    return Case("ResNet-20, ternary", quantized(weights, _all_by(resnet20.TERNARY)))


def _all_by(codec: Codec) -> Recipe:
    """Small tensors, too."""
    return Recipe([Rule("", codec)])


def minilm_4bit(model: Path) -> Case:
    """Matrices by k-means, the rest as it is."""
    recipe = Recipe(weights=Codebook(4))
    return Case("MiniLM, 4 bits", quantized(_floats(model), recipe))


def minilm_ternary(model: Path) -> Case:
    """Matrices by ternary weight networks' rule."""
    recipe = Recipe(weights=Ternary("twn", scales=1))
    return Case("MiniLM, ternary", quantized(_floats(model), recipe))


def minilm_float32(model: Path) -> Case:
    """Every bit."""
    return Case("MiniLM, lossless float32", _floats(model), goals=against_zipnn)


def minilm_bfloat16(model: Path) -> Case:
    """Every bit of the upper halves."""
    halves = {
        name: (array.view(np.uint32) >> 16).astype(np.uint16)
        for name, array in _floats(model).items()
    }
    return Case("MiniLM, lossless bfloat16", halves, goals=against_zipnn)


def in_one_array(make: Callable[[], Case]) -> Case:
    """As compressors of arrays get it; of our files, one of one tensor."""
    case = make()
    arrays = [tensor for tensor in case.tensors.values() if isinstance(tensor, np.ndarray)]
    flat = np.concatenate([array.reshape(-1) for array in arrays])
    return replace(case, title=f"{case.title}, in one array", tensors={"weights": flat})


def _floats(model: Path) -> dict[str, Array]:
    return {name: a for name, a in load_file(model).items() if a.dtype == np.float32}


def against_zipnn(comparison: Comparison) -> list[Row]:
    """How much faster our files decode than zipnn's, both on one thread."""
    rows = []
    zipnn = comparison.of("zipnn")
    for profile in PROFILES:
        ours = comparison.of(f"qcodec {profile}")
        if zipnn is not None and ours is not None:
            faster = round(zipnn.tensors.median / ours.tensors.median, 2)
            what = f"decode, {profile}, times as fast as zipnn"
            rows.append(at_least(comparison.case.title, what, faster, 3, 5))
    return rows
