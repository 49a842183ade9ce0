"""The third set: nets and tables with structure that a stream of symbols alone does not show.

`NETS` has them by name. Each is made from the data, MiniLM or a net that was made before, and kept
as a plain safetensors file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from qcodec import Codebook, DeepCompression, Density, Recipe, Ternary

from ..peers.case import Array, Tensors
from . import (
    buffers,
    convolutional,
    dense,
    integers,
    levels,
    lora,
    mesh,
    sounds,
    text,
    transformer,
    variants,
)
from .sources import Sources

Weights = dict[str, Array]

FOUR_BITS = {"4 bits": Recipe(weights=Codebook(4))}
EVERY_WAY = {
    **FOUR_BITS,
    "ternary": Recipe(weights=Ternary("twn", scales=1)),
    "10 % dense": Recipe(weights=DeepCompression(4, prune=Density(0.1))),
    "5 % dense": Recipe(weights=DeepCompression(4, prune=Density(0.05))),
    "1 % dense": Recipe(weights=DeepCompression(4, prune=Density(0.01))),
}
#: The way that all nets are stored in.
EXACTLY = "as it is"


@dataclass(frozen=True)
class Structured:
    """How a net of this set is made and stored.

    Attributes
    ----------
    group : str
        Nets whose ratios are averaged together.
    make : callable
        Sources to tensors; raises AbsentError if one is not there.
    recipes : mapping of str to Recipe
        Ways to store it, besides every bit.
    codes : callable, optional
        The same tensors as the codes that a user with all knowledge would store.
    """

    group: str
    make: Callable[[Sources], Mapping[str, Array]]
    recipes: Mapping[str, Recipe] | None = None
    codes: Callable[[Sources, Weights], Tensors] | None = None


def _dense(sources: Sources) -> Weights:
    return dense.trained(*sources.pictures(), sources.effort.dense)


def _statistics(sources: Sources) -> Weights:
    """The vectors of the dense net alone."""
    net = tensors("dense", sources)
    return {name: array for name, array in net.items() if array.ndim == 1}


def _mesh(sources: Sources) -> Weights:
    return mesh.trained(sources.digits()[0], sources.effort.mesh)


def _levels(rounding: Callable[[], levels.Rounding], sources: Sources) -> Weights:
    batches = convolutional.batches(*sources.digits())
    net, weights = convolutional.network(), sources.convolutional()
    return levels.trained(net, weights, batches, rounding(), sources.effort.more)


def _text_levels(rounding: Callable[[], levels.Rounding], sources: Sources) -> Weights:
    batches = transformer.batches(text.characters())
    net, weights = transformer.network(), sources.transformer()
    return levels.trained(net, weights, batches, rounding(), sources.effort.more)


def _exact_codes(_: Sources, weights: Weights) -> Tensors:
    return {name: levels.exactly(array) or array for name, array in weights.items()}


def _rounded(dtype: str, sources: Sources) -> Weights:
    """The net of 256 levels by row, as int8 dequantized to 16 bits."""
    net = tensors("levels_256_rows", sources)
    return {name: integers.as_type(array, dtype) for name, array in net.items()}


def _rounded_codes(dtype: str, sources: Sources, weights: Weights) -> Tensors:
    net = tensors("levels_256_rows", sources)
    return {name: levels.exactly(net[name], dtype) or weights[name] for name in weights}


def _lora(sources: Sources) -> Weights:
    batches = transformer.batches(text.characters()[::-1])
    net, weights = transformer.network(), sources.transformer()
    return lora.trained(net, weights, batches, sources.effort.more)


def _lora_bfloat16(sources: Sources) -> Weights:
    return {n: integers.as_type(a, "bfloat16") for n, a in tensors("lora", sources).items()}


def _with_buffers(sources: Sources) -> Weights:
    return buffers.with_buffers(sources.transformer(), transformer.LAYERS, transformer.CONTEXT)


def _tied(sources: Sources) -> Weights:
    names = "characters.weight", "scores.weight"
    return variants.unrolled(sources.transformer(), transformer.LAYERS, "layers.", names)


def _dead(of: str, dtype: str, sources: Sources) -> Weights:
    return variants.with_dead_rows(getattr(sources, of)(), 0.3, dtype)


def _converted(of: str, convert: Callable[[Weights], Weights]) -> Structured:
    return Structured("integers", lambda sources: convert(getattr(sources, of)()))


def _few(make: Callable[..., Weights], rounding: Callable[[], levels.Rounding]) -> Structured:
    return Structured("levels", partial(make, rounding), codes=_exact_codes)


def _twin(dtype: str) -> Structured:
    return Structured("levels", partial(_rounded, dtype), codes=partial(_rounded_codes, dtype))


NETS: dict[str, Structured] = {
    "dense": Structured("floats", _dense, EVERY_WAY),
    "statistics": Structured("floats", _statistics),
    "speech": Structured(
        "floats", lambda sources: sounds.trained_detector(sources.effort.detector), FOUR_BITS
    ),
    "pitch": Structured(
        "floats", lambda sources: sounds.trained_pitch_net(sources.effort.pitch), FOUR_BITS
    ),
    "mesh": Structured("floats", _mesh, FOUR_BITS),
    "lora": Structured("floats", _lora),
    "lora_bfloat16": Structured("floats", _lora_bfloat16),
    "buffers": Structured("repeats", lambda _: buffers.all_buffers()),
    "transformer_buffers": Structured("repeats", _with_buffers),
    "tied": Structured("repeats", _tied, FOUR_BITS),
    "dead_rows_convolutional": Structured("repeats", partial(_dead, "convolutional", "float16")),
    "dead_rows_transformer": Structured("repeats", partial(_dead, "transformer", "float16")),
    "dead_rows_bfloat16": Structured("repeats", partial(_dead, "transformer", "bfloat16")),
    "levels_16": _few(_levels, lambda: levels.steps(16, False, True)),
    "levels_16_rows": _few(_levels, lambda: levels.steps(16, True)),
    "levels_256": _few(_levels, lambda: levels.steps(256, False)),
    "levels_256_rows": _few(_levels, lambda: levels.steps(256, True)),
    "levels_256_rows_signed_zeros": _few(_levels, lambda: levels.steps(256, True, True)),
    "levels_shared_16": _few(_levels, lambda: levels.shared(16)),
    "ternary": _few(_levels, levels.ternary),
    "levels_16_rows_transformer": _few(_text_levels, lambda: levels.steps(16, True)),
    "ternary_transformer": _few(_text_levels, levels.ternary),
    "levels_256_rows_bfloat16": _twin("bfloat16"),
    "levels_256_rows_float16": _twin("float16"),
    "int8_minilm": _converted("minilm", integers.int8_by_row),
    "int8_resnet20": _converted("resnet20", integers.int8_by_row),
    "int8_squeezenet": _converted("squeezenet", integers.int8_by_row),
    "uint8_minilm": _converted("minilm", integers.uint8_by_tensor),
    "gptq_minilm": _converted("minilm", integers.gptq),
    "q4_0_minilm": _converted("minilm", partial(integers.gguf, way="q4_0")),
    "q8_0_minilm": _converted("minilm", partial(integers.gguf, way="q8_0")),
    "fp8_minilm": _converted("minilm", integers.fp8),
    "fp8_tensors_minilm": _converted("minilm", partial(integers.fp8, block=None)),
    "mxfp4_minilm": _converted("minilm", integers.mxfp4),
}


def missing() -> str:
    """Which packages that make the nets are not installed, in words; nothing if all are."""
    absent = [package for package in ("torch", "ml_dtypes") if find_spec(package) is None]
    return f"Left out: without {' and '.join(absent)}, no nets are made." if absent else ""


def tensors(name: str, sources: Sources) -> Weights:
    """Those of a net of this set, which is made if it is not in the folder.

    Raises
    ------
    AbsentError
        If data for it is not there.
    """
    return sources.kept(name, lambda: NETS[name].make(sources))
