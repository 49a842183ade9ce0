"""The quantized types of GGUF: how large their blocks are, and the floats of the simplest two.

Source: ggml's `ggml-quants.c`. A block of Q8_0 is a float16 scale and 32 signed bytes; a block of
Q4_0 is a float16 scale and 32 codes of 4 bits, first the low halves of 16 bytes and then the high
ones, of which 8 is subtracted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class BlockType(NamedTuple):
    """A type whose elements are quantized in blocks."""

    name: str
    elements: int
    bytes: int
    dequantize: Callable[[Array], Array] | None = None


def _scales(blocks: Array) -> Array:
    return np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)


def _q8_0(blocks: Array) -> Array:
    codes: Array = blocks[:, 2:].view(np.int8)
    return codes * _scales(blocks)


def _q4_0(blocks: Array) -> Array:
    packed = blocks[:, 2:]
    codes = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.int8) - np.int8(8)
    return codes * _scales(blocks)


#: By the numbers of types of tensors.
BLOCKS = {
    2: BlockType("Q4_0", 32, 18, _q4_0), 3: BlockType("Q4_1", 32, 20),
    6: BlockType("Q5_0", 32, 22), 7: BlockType("Q5_1", 32, 24),
    8: BlockType("Q8_0", 32, 34, _q8_0), 9: BlockType("Q8_1", 32, 36),
    10: BlockType("Q2_K", 256, 84), 11: BlockType("Q3_K", 256, 110),
    12: BlockType("Q4_K", 256, 144), 13: BlockType("Q5_K", 256, 176),
    14: BlockType("Q6_K", 256, 210), 15: BlockType("Q8_K", 256, 292),
    16: BlockType("IQ2_XXS", 256, 66), 17: BlockType("IQ2_XS", 256, 74),
    18: BlockType("IQ3_XXS", 256, 98), 19: BlockType("IQ1_S", 256, 50),
    20: BlockType("IQ4_NL", 32, 18), 21: BlockType("IQ3_S", 256, 110),
    22: BlockType("IQ2_S", 256, 82), 23: BlockType("IQ4_XS", 256, 136),
    29: BlockType("IQ1_M", 256, 56), 34: BlockType("TQ1_0", 256, 54),
    35: BlockType("TQ2_0", 256, 66), 39: BlockType("MXFP4", 32, 17),
    40: BlockType("NVFP4", 64, 36), 41: BlockType("Q1_0", 128, 18),
}  # fmt: skip
