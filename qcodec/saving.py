"""Tensors to what a file holds: which codec each gets, and which are the same tensor."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np

from .arrays import as_array, as_float32
from .codecs import Codec, Delta, Lossless, Raw
from .container import Alias, Content, Ordinary
from .dtypes import element_type
from .quantized import Quantized
from .recipes import Recipe
from .tensor import encode
from .threads import in_order

#: Called after each tensor: how many are done, how many there are, and its name.
Progress = Callable[[int, int, str], None]
#: Address, shape, strides and dtype.
_Memory = tuple[int, tuple[int, ...], tuple[int, ...], str]


def encode_tensors(
    tensors: Mapping[str, Any],
    recipe: Recipe,
    *,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
    ordinary: bool = True,
) -> dict[str, Content]:
    """Encode every tensor as the recipe says.

    Parameters
    ----------
    tensors : mapping of str to array_like, torch.Tensor, Quantized or Ordinary
        Values are asked for one after the other, so a mapping may load them when asked.
    recipe : Recipe
    profile : str
    effort : int
        As in `encode`.
    threads : int
        Tensors that are encoded at the same time.
    progress : callable, optional
        Called with the number of tensors done, of all tensors, and the name.
    ordinary : bool
        Whether there is a place for ordinary tensors; else they are encoded without loss.

    Raises
    ------
    TypeError, ValueError
        As `encode` does; a note on the error names the tensor.
    """
    aliases = _tied(tensors, recipe, ordinary)

    def encode_one(name: str) -> Content:
        if name in aliases:
            return Alias(aliases[name])
        try:
            return _encode(name, tensors[name], recipe, ordinary, profile=profile, effort=effort)
        except (TypeError, ValueError) as error:
            error.add_note(f"tensor {name!r}")
            raise

    contents: dict[str, Content] = {}
    with closing(in_order(encode_one, tensors, threads)) as encoded:
        for name, content in zip(tensors, encoded, strict=True):
            contents[name] = content
            if progress is not None:
                progress(len(contents), len(tensors), name)
    return contents


def _encode(name: str, value: Any, recipe: Recipe, ordinary: bool, **encoding: Any) -> Content:
    if isinstance(value, Quantized):
        return encode(value, **encoding)
    tensor = value if isinstance(value, Ordinary) else Ordinary(*as_array(value))
    codec = recipe.codec_for(name, tensor.array.shape, tensor.element.name)
    if codec is None and ordinary:
        return tensor
    codec = Lossless() if codec is None else codec
    codec = codec.for_tensor(name, tensor.array.shape, tensor.element.name)
    return encode(_quantize(tensor, codec), codec, **encoding)


def _quantize(tensor: Ordinary, codec: Codec) -> Quantized:
    """By the codec, told what the elements are where the array's dtype does not tell."""
    array, element = tensor.array, tensor.element
    if element_type(array.dtype) == element:
        return codec.quantize(array)
    if isinstance(codec, Raw | Lossless | Delta):
        return replace(codec, dtype=element.name).quantize(array)
    quantized = codec.quantize(as_float32(array, element))
    if quantized.kind == "raw":
        raise TypeError(f"{codec!r} needs ml_dtypes for {element.name}: pip install ml_dtypes")
    return replace(quantized, dtype=element.name)


def _tied(tensors: Mapping[str, Any], recipe: Recipe, ordinary: bool) -> dict[str, str]:
    """Names of tensors that are an earlier one under the same codec, and its name."""
    if not isinstance(tensors, dict):
        # Another mapping may give each array the memory of one that is gone.
        return {}
    first: dict[_Memory, str] = {}
    aliases: dict[str, str] = {}
    for name, value in tensors.items():
        memory = _memory(value)
        original = name if memory is None else first.setdefault(memory, name)
        if original != name:
            shape, dtype = tuple(value.shape), element_type(value.dtype).name
            codec = recipe.codec_for(name, shape, dtype)
            may_alias = codec is not None or not ordinary
            if may_alias and codec == recipe.codec_for(original, shape, dtype):
                aliases[name] = original
    return aliases


def _memory(value: Any) -> _Memory | None:
    """Where a tensor's elements are, and how they lie; None if it has no memory of its own."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor) and value.numel():
        return (value.data_ptr(), tuple(value.shape), value.stride(), str(value.dtype))
    if isinstance(value, np.ndarray) and value.size:
        return (value.ctypes.data, value.shape, value.strides, str(value.dtype))
    return None
