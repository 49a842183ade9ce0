"""Frames of kind delta that decode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tests.writers.delta_writer import Delta
from tests.writers.frame_writer import (
    DELTA_POSITIONS,
    DTYPES,
    FLOATS,
    ITEM_SIZES,
    Frame,
    write_frame,
)
from tests.writers.stream_writer import CODING_IDS

from .valid import coder, elements_of


def near(dtype: str, count: int) -> tuple[list[bytes], bytes]:
    """Elements and a base: some equal, some near, some with other signs, some specials."""
    size, random = ITEM_SIZES[dtype], np.random.default_rng(DTYPES.index(dtype))
    base = elements_of(dtype, count)
    words = [int.from_bytes(element, "little") for element in base]
    for at in range(count // 2, count):
        words[at] += int(random.integers(-300, 300)) * (at % 3)
        words[at] ^= (at % 7 == 0) << 8 * size - 1
    elements = [(word % (1 << 8 * size)).to_bytes(size, "little") for word in words]
    return elements[::-1] if dtype == "f16" else elements, b"".join(base)


def delta_files() -> Iterator[tuple[str, bytes]]:
    steps = {"f32": 120, "f16": 18, "bf16": 100, "f64": 1050}
    for number, dtype in enumerate(FLOATS):
        elements, base = near(dtype, 24)
        delta = Delta(base, steps[dtype], ((1, 1), (3, 2), (2, 1), (1, 4))[number])
        frame = Frame(dtype, "delta", "dense", (2, 12), range(24), elements, delta=delta)
        yield f"delta_{dtype}.frame", write_frame(frame, coder(list(CODING_IDS)[number]))
    elements, far = near(dtype, 600)
    delta = Delta(far, 0, (1, 4))
    chunked = Frame(dtype, "delta", "dense", (2, 300), range(600), elements, 256, delta=delta)
    yield "delta_chunked.frame", write_frame(chunked, coder("huffman"))
    for positions in DELTA_POSITIONS[1:]:
        elements, far = near("bf16", 600)
        stored = range(0, 600, 7)
        changed = [elements[at] for at in stored]
        few = Frame("bf16", "delta", positions, (600,), stored, changed, gap_width=4)
        few = replace(few, delta=Delta(far, 100))
        yield f"delta_{positions}.frame", write_frame(few, coder("contexts"))
        few = replace(few, chunk_elements=256)
        yield f"delta_{positions}_chunked.frame", write_frame(few, coder("bitpacked"))
    same = replace(frame, elements=[base[at : at + 8] for at in range(0, 192, 8)])
    yield "delta_of_nothing.frame", write_frame(same, coder("constant"))
    empty = Frame("f32", "delta", "dense", (0,), [], [], delta=Delta(b"", 7))
    yield "delta_empty.frame", write_frame(empty, coder("constant"))
