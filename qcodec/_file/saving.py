"""Encodes the tensors of a file: chooses each one's codec, and finds shared tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from math import inf
from typing import Any

from .._base.arrays import as_array
from .._base.threads import in_order
from .._io.later import Spool
from ..codecs import Codec, Lossless
from ..errors import naming, warn_caller
from ..quantize.groups import GroupsError
from ..quantized import Quantized
from ..recipes import Recipe
from ..tensor import encode_frame
from .bundling import Small, joined, may_join, may_wait
from .container import LARGE_FRAME_BYTES, Content, OnDemand, Opaque, Ordinary
from .repeated_frames import Repeated
from .repeats import repeats

#: Tensors without loss of up to this size are encoded by the calling thread.
_QUICK_BYTES = 1 << 16

#: Called after each tensor with the number of finished tensors, of all tensors, and its name.
Progress = Callable[[int, int, str], None]


def encode_tensors(
    tensors: Mapping[str, Any],
    recipe: Recipe,
    *,
    profile: str = "balanced",
    effort: int = 5,
    threads: int = 1,
    progress: Progress | None = None,
    element_checksums: bool = False,
    ordinary: bool = True,
    may_share: bool = True,
    spool: Spool | None = None,
) -> dict[str, Content]:
    """Encode every tensor as the recipe says.

    Parameters
    ----------
    tensors : mapping of str to array_like, torch.Tensor, Quantized, Ordinary or Opaque
        Values are requested one after the other, so a mapping may load them on demand.
    recipe : Recipe
    profile : str
    effort : int
    element_checksums : bool
        As in `encode`.
    threads : int
        Number of tensors that are encoded at the same time.
    progress : callable, optional
        Called with the number of finished tensors, of all tensors, and the name.
    ordinary : bool
        Whether the file can hold ordinary tensors; if not, they are encoded without loss.
    may_share : bool
        Whether the file can hold several tensors in one frame, and several names of one tensor.
    spool : Spool, optional
        Where large frames wait until they are written, if not in memory. Ordinary tensors are then
        requested again when they are written.

    Raises
    ------
    TypeError, ValueError
        As `encode` does; the message names the tensor.
    """

    def treatment(name: str, shape: tuple[int, ...], dtype: str) -> object:
        codec = recipe.codec_for(name, shape, dtype)
        return Lossless() if codec is None and not ordinary else codec

    def exact(name: str, shape: tuple[int, ...], dtype: str) -> object:
        codec = treatment(name, shape, dtype)
        return isinstance(codec, Codec) and codec.is_lossless

    aliases = repeats(tensors, treatment, exact) if may_share else {}
    targets = {alias.target for alias in aliases.values()}
    kept: dict[str, str] = {}

    def encode(quantized: Quantized, codec: Codec | None, threads: int = 1) -> bytes:
        return encode_frame(
            quantized, codec, profile=profile, effort=effort, threads=threads,
            element_checksums=element_checksums,
        )  # fmt: skip

    def encode_one(name: str) -> Content | Small:
        if name in aliases:
            return aliases[name]
        with naming(name):
            found = _quantize(name, tensors[name], recipe, ordinary, kept)
            if isinstance(found, Ordinary | Opaque):
                return found if spool is None else _on_demand(name, found, tensors)
            quantized, codec = found
            if not may_share or not may_join(quantized, codec, profile):
                return encode(quantized, codec)
            small = Small(quantized, codec, encode)
            is_small = may_wait(quantized, codec) or len(small.frame) < LARGE_FRAME_BYTES
            return small if is_small else small.frame

    def is_quick(name: str) -> bool:
        """Whether a tensor takes most of its time in Python: threads would wait for each other."""
        if name in aliases:
            return True
        # Other mappings may load each tensor on demand.
        value = tensors[name] if isinstance(tensors, dict) else None
        if isinstance(value, Quantized) or getattr(value, "nbytes", inf) > _QUICK_BYTES:
            return False
        try:
            tensor = _tensor_of(value)
        except (TypeError, ValueError):  # raised again when it is the tensor's turn
            return False
        return bool(exact(name, tensor.shape, tensor.type_name))

    contents: dict[str, Content] = {}
    small: dict[str, Small] = {}
    seen = Repeated()
    others = [name for name in tensors if threads == 1 or not is_quick(name)]
    elsewhere = set(others)
    with closing(in_order(encode_one, others, threads)) as encoded:
        for name in tensors:
            content = next(encoded) if name in elsewhere else encode_one(name)
            # What has two names stays, so that no name stands for what stands for another.
            known = seen.known(content, name) if may_share and name not in targets else None
            if known is not None:
                contents[name] = known
            elif isinstance(content, Small):
                contents[name] = b""  # its place in the order
                small[name] = content
            elif spool and isinstance(content, bytes) and len(content) >= LARGE_FRAME_BYTES:
                contents[name] = spool.keep(content)
            else:
                contents[name] = content
            del content, known  # large ones must not stay while the next is encoded
            if progress is not None:
                progress(len(contents), len(tensors), name)
    _warn_if_all_are_kept(recipe, kept)
    return contents | joined(small, partial(encode, threads=threads), threads)


def _on_demand(
    name: str, found: Ordinary | Opaque, tensors: Mapping[str, Any]
) -> Ordinary | Opaque | OnDemand:
    """Return what requests the tensor again when it is written; it is not kept until then.

    Elements of less than a byte are kept: that they fit is checked before anything is written.
    """
    if isinstance(found, Ordinary) and found.element.packed_bits:
        return found

    def read() -> Ordinary | Opaque:
        with naming(name):
            return _tensor_of(tensors[name])

    return OnDemand.like(name, found, read)


def _tensor_of(value: Any) -> Ordinary | Opaque:
    return value if isinstance(value, Ordinary | Opaque) else Ordinary(*as_array(value))


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
    tensor = _tensor_of(value)
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
    try:
        return codec.quantize(tensor), codec
    except GroupsError:
        if codec is not recipe.weights:  # a rule names the tensor
            raise
        kept[name] = "groups of too few elements"
        return Lossless().quantize(tensor), Lossless()


def _opaque_error(tensor: Opaque, ordinary: bool) -> str:
    what = f"elements of type {tensor.type_name} cannot be encoded"
    if not ordinary:
        return f"{what}, and a pack cannot store them otherwise: write a .safetensors file"
    return f"{what}: a rule 'keep' for the tensor (in Python: None) stores its bytes unchanged"
