"""GGUF files, those of llama.cpp: a head of keys and tensors, and aligned data.

Floats and integers are ordinary tensors. Of quantized types, the blocks are kept as they are: an
array of bytes, whose last dimension is that of the blocks.

Source: ggml's document "GGUF", versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from functools import partial
from typing import Any

import numpy as np

from .._base.messages import quoted, shape_text
from .._file.directory import Directory
from .._io.source import Readable
from ..errors import CorruptError, UnsupportedError
from ..limits import Limits
from .directories import directory_of
from .gguf_blocks import BLOCKS, BlockType
from .located import Located
from .reading import Stream

Array = np.ndarray[Any, Any]

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = "general.alignment"
_DEFAULT_ALIGNMENT = 32
_MAX_ALIGNMENT = 1 << 20
_MAX_DIMS = 4
_STRING, _ARRAY = 8, 9
#: Kinds of struct by the numbers of types of values.
_NUMBERS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
#: Types of tensors whose elements are plain, as safetensors spells them.
_PLAIN = {0: "F32", 1: "F16", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 30: "BF16"}


def read_gguf(source: Readable, limits: Limits, dequantize: bool = False) -> Directory:
    """Read the directory of a GGUF file.

    Parameters
    ----------
    source : Readable
    limits : Limits
    dequantize : bool
        Whether tensors of types whose floats qcodec knows (Q8_0, Q4_0) are tensors of float32.

    Raises
    ------
    QCodecError
        If it is broken, larger than the limits allow, or of another version.
    """
    stream = Stream(source, what="GGUF head")
    if stream.take(4) != MAGIC:
        raise CorruptError("not a GGUF file", 0)
    version = stream.number("I")
    if version not in _VERSIONS:
        what = f"version {version}" if version < 1 << 16 else "a big-endian file"
        raise UnsupportedError(f"GGUF: {what}, allowed are versions 2 and 3", 4)
    tensors, keys = stream.number("Q"), stream.number("Q")
    limits.check_count(tensors)
    limits.check_count(keys, "keys of a GGUF file")
    alignment = _read_keys(stream, keys, limits)
    infos = [_info(stream, limits) for _ in range(tensors)]
    limits.check_header(stream.position)
    start = min(-(-stream.position // alignment) * alignment, source.size)

    def tensor(kind: int, shape: tuple[int, ...], offset: int) -> Located:
        if offset % alignment:
            raise CorruptError(f"GGUF: data at byte {offset:,}, not a multiple of {alignment}")
        return _tensor(kind, shape, start + offset, source, dequantize)

    found = [(name, tensor(kind, shape, offset)) for name, shape, kind, offset in infos]
    return directory_of(found, source, limits, format="GGUF")


def _read_keys(stream: Stream, keys: int, limits: Limits) -> int:
    """Read all keys and values; return the alignment of the data."""
    alignment = _DEFAULT_ALIGNMENT
    for _ in range(keys):
        key, kind = _text(stream, limits), stream.number("I")
        value = _value(stream, kind)
        if key == _ALIGNMENT and isinstance(value, int):
            alignment = value
    if not 0 < alignment <= _MAX_ALIGNMENT:
        raise CorruptError(f"GGUF: an alignment of {alignment:,} bytes")
    return alignment


def _text(stream: Stream, limits: Limits) -> str:
    size = stream.number("Q")
    limits.check_header(size)
    try:
        return stream.take(size).decode("utf-8")
    except UnicodeDecodeError:
        raise CorruptError("GGUF: a name is not UTF-8", stream.position) from None


def _value(stream: Stream, kind: int) -> object:
    """Read one value; only numbers are returned."""
    if kind in _NUMBERS:
        return stream.number(_NUMBERS[kind])
    if kind == _STRING:
        stream.skip(stream.number("Q"))
        return None
    if kind != _ARRAY:
        raise CorruptError(f"GGUF: a value of type {kind}, allowed are 0 to 12", stream.position)
    inner, count = stream.number("I"), stream.number("Q")
    if inner in _NUMBERS:
        stream.skip(count * struct.calcsize(_NUMBERS[inner]))
    elif inner == _STRING:
        for _ in range(count):  # each takes 8 bytes, so the file's end ends this
            stream.skip(stream.number("Q"))
    else:
        raise UnsupportedError(f"GGUF: an array of values of type {inner}", stream.position)
    return None


def _info(stream: Stream, limits: Limits) -> tuple[str, tuple[int, ...], int, int]:
    """Read name, shape, type and offset of a tensor."""
    name, dims = _text(stream, limits), stream.number("I")
    if dims > _MAX_DIMS:
        what = f"GGUF: tensor {quoted(name)} has {dims:,} dimensions, allowed are {_MAX_DIMS}"
        raise CorruptError(what, stream.position)
    shape = tuple(reversed([stream.number("Q") for _ in range(dims)]))
    return name, shape, stream.number("I"), stream.number("Q")


def _tensor(
    kind: int, shape: tuple[int, ...], offset: int, source: Readable, dequantize: bool
) -> Located:
    if kind in _PLAIN:
        return Located(_PLAIN[kind], shape, offset, source.size)
    if kind not in BLOCKS:
        raise UnsupportedError(f"GGUF: a tensor of type {kind}, which is not known")
    blocks = BLOCKS[kind]
    if not shape or shape[-1] % blocks.elements:
        raise CorruptError(
            f"GGUF: {blocks.name} of shape {shape_text(shape)}: rows have blocks of "
            f"{blocks.elements} elements"
        )
    row = shape[-1] // blocks.elements * blocks.bytes
    raw = Located("U8", (*shape[:-1], row), offset, source.size)
    if not dequantize or blocks.dequantize is None:
        return raw
    return raw._replace(
        dtype="F32", shape=shape, size=math.prod(raw.shape), convert=partial(_floats, blocks, shape)
    )


def _floats(blocks: BlockType, shape: tuple[int, ...], data: Array) -> Array:
    assert blocks.dequantize is not None
    return blocks.dequantize(data.reshape(-1, blocks.bytes)).reshape(shape)
