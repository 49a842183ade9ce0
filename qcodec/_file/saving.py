"""Encodes the tensors of a file: chooses each one's codec, and finds shared tensors."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import numpy as np

from .._base.arrays import as_array, unusual_tensor
from .._base.messages import quoted
from .._base.threads import in_order
from ..codecs import Codec, Lossless
from ..dtypes import element_type
from ..errors import naming, warn_caller
from ..quantized import Quantized
from ..recipes import Recipe
from ..tensor import encode_frame
from .bundling import Small, joined, may_join
from .container import LARGE_FRAME_BYTES, Alias, Content, Opaque, Ordinary

#: Called after each tensor with the number of finished tensors, of all tensors, and its name.
Progress = Callable[[int, int, str], None]
#: The limit of packs (format, section 8).
_MAX_NAME_BYTES = 1024
#: Address, shape, strides, and element type.
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
    tensors : mapping of str to array_like, torch.Tensor, Quantized, Ordinary or Opaque
        Values are requested one after the other, so a mapping may load them on demand.
    recipe : Recipe
    profile : str
    effort : int
        As in `encode`.
    threads : int
        Number of tensors that are encoded at the same time.
    progress : callable, optional
        Called with the number of finished tensors, of all tensors, and the name.
    ordinary : bool
        Whether the file can hold ordinary tensors; if not, they are encoded without loss.

    Raises
    ------
    TypeError, ValueError
        As `encode` does; the message names the tensor.
    """
    aliases = _tied(tensors, recipe, ordinary)
    kept: dict[str, str] = {}

    def encode(quantized: Quantized, codec: Codec | None) -> bytes:
        return encode_frame(quantized, codec, profile=profile, effort=effort)

    def encode_one(name: str) -> Content | Small:
        if name in aliases:
            return Alias(aliases[name])
        with naming(name):
            found = _quantize(name, tensors[name], recipe, ordinary, kept)
            if isinstance(found, Ordinary | Opaque):
                return found
            quantized, codec = found
            frame = encode(quantized, codec)
            joins = len(frame) < LARGE_FRAME_BYTES and may_join(quantized, codec, profile)
            return Small(quantized, codec, frame) if joins else frame

    contents: dict[str, Content] = {}
    small: dict[str, Small] = {}
    with closing(in_order(encode_one, tensors, threads)) as encoded:
        for name, content in zip(tensors, encoded, strict=True):
            if isinstance(content, Small):
                small[name] = content
                contents[name] = content.frame
            else:
                contents[name] = content
            if progress is not None:
                progress(len(contents), len(tensors), name)
    _warn_if_all_are_kept(recipe, kept)
    return contents | joined(small, encode)


def _warn_if_all_are_kept(recipe: Recipe, kept: Mapping[str, str]) -> None:
    """Warn if a recipe quantizes weights and there are none; `kept` has the reasons."""
    if recipe.weights is None or recipe.weights.is_lossless or not all(kept.values()) or not kept:
        return
    reasons = Counter(kept.values())
    counts = ", ".join(f"{count:,} with {reason}" for reason, count in reasons.items())
    warn_caller(
        f"no tensor was quantized: all {len(kept):,} keep every bit ({counts}); "
        "a rule that names a tensor quantizes it whatever its shape"
    )


def _quantize(
    name: str, value: Any, recipe: Recipe, ordinary: bool, kept: dict[str, str]
) -> Ordinary | Opaque | tuple[Quantized, Codec | None]:
    if isinstance(value, Quantized):
        kept[name] = ""
        return value, None
    tensor = value if isinstance(value, Ordinary | Opaque) else Ordinary(*as_array(value))
    codec = recipe.codec_for(name, tensor.shape, tensor.type_name)
    if codec is None or codec.is_lossless:
        why = recipe.why_no_weight(tensor.shape, tensor.type_name)
        kept[name] = why or "a rule that keeps every bit"
    else:
        kept[name] = ""
    if codec is None and ordinary:
        return tensor
    if isinstance(tensor, Opaque):
        raise TypeError(_opaque_error(tensor, ordinary))
    codec = Lossless() if codec is None else codec
    codec = codec.for_tensor(name, tensor.shape, tensor.type_name)
    return codec.quantize(tensor), codec


def _opaque_error(tensor: Opaque, ordinary: bool) -> str:
    what = f"elements of type {tensor.type_name} cannot be encoded"
    if not ordinary:
        return f"{what}, and a pack cannot store them otherwise: write a .safetensors file"
    return f"{what}: a rule 'keep' for the tensor (in Python: None) stores its bytes unchanged"


def _tied(tensors: Mapping[str, Any], recipe: Recipe, ordinary: bool) -> dict[str, str]:
    """Map each name whose tensor is an earlier one with the same codec to the earlier name."""
    if not isinstance(tensors, dict):
        # Another mapping may load each array on demand, into the memory of a freed one.
        return {}
    first: dict[_Memory, str] = {}
    aliases: dict[str, str] = {}
    for name, value in tensors.items():
        memory = _memory(value)
        original = name if memory is None else first.setdefault(memory, name)
        if original != name:
            with naming(original):
                shape, dtype = tuple(value.shape), element_type(value.dtype).name
            codec = recipe.codec_for(name, shape, dtype)
            may_alias = codec is not None or not ordinary
            if may_alias and codec == recipe.codec_for(original, shape, dtype):
                aliases[name] = original
    return aliases


def _memory(value: Any) -> _Memory | None:
    """Return what identifies a tensor's memory; None if it has no memory of its own."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if unusual_tensor(value) or not value.data_ptr():
            return None
        # If the negative bit is set, the tensor's values are the negated ones of its memory.
        kind = f"{value.dtype} {value.device}{' negative' if value.is_neg() else ''}"
        return (value.data_ptr(), tuple(value.shape), value.stride(), kind)
    if isinstance(value, np.ndarray) and value.size and not isinstance(value, np.ma.MaskedArray):
        return (value.ctypes.data, value.shape, value.strides, str(value.dtype))
    return None


def check_names(tensors: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError unless every kind of file can hold these names."""
    if not isinstance(tensors, Mapping):
        kind = type(tensors).__name__
        raise TypeError(f"a {kind} was given; allowed is a mapping of names to arrays")
    for name in tensors:
        if not isinstance(name, str):
            raise TypeError(f"a tensor is called {name!r}: allowed names are str")
        try:
            size = len(name.encode("utf-8"))
        except UnicodeEncodeError:
            raise ValueError(
                f"a tensor is called {quoted(name)}: allowed names are Unicode"
            ) from None
        if size > _MAX_NAME_BYTES:
            raise ValueError(
                f"a tensor is called {quoted(name)}, {size:,} bytes of UTF-8; "
                f"allowed are {_MAX_NAME_BYTES:,}"
            )
