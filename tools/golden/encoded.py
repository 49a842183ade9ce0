"""Frames that the library's encoder made from codes, and must make again from the same codes.

They start from codes, not from floats: the choices of a quantizer may change, but the encoder must
write the same bytes for the same codes on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from qcodec._frame.encode import encode_quantized
from qcodec.quantized import Groups, Quantized

#: Sets of codings of which only one can hold a stream of several symbols: so it does not matter
#: how a profile would choose.
CODINGS = {"bitpacked": 0b0010, "huffman": 0b0101, "contexts": 0b1000}

_HUFFMAN = 0b111  # with what is needed for escapes and mantissas
_SPLIT = 0b1000111  # split or Huffman, whichever is smaller


def encoded_files() -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """(name, bytes, how it was encoded) of every file."""
    for coding, codings in CODINGS.items():
        for positions in ("dense", "gaps", "mask", "csr"):
            choices = _choices(codings, positions)
            yield _file(f"encoded_{positions}_{coding}.frame", _ternary(positions), choices)
        choices = _choices(codings, "dense", chunk=300)
        yield _file(f"encoded_affine_{coding}_chunked.frame", _affine(), choices)
    for name, quantized in _with_many_parameters():
        yield _file(f"encoded_{name}.frame", quantized, _choices(CODINGS["contexts"], "dense"))
    for name, positions, quantized in _located():
        yield _file(f"encoded_split_{name}.frame", quantized, _choices(_SPLIT, positions))
        choices = _choices(CODINGS["contexts"], positions)
        yield _file(f"encoded_contexts_{name}.frame", quantized, choices)
    yield _file("encoded_planes.frame", _weights(), _choices(_HUFFMAN, "dense"))
    choices = _choices(_HUFFMAN | 1 << 6, "dense", chunk=20 * 256)
    yield _file("encoded_planes_split_chunked.frame", _weights(), choices)
    yield _file("encoded_planes_scaled.frame", _halves(), _choices(_HUFFMAN, "dense"))


def _weights() -> Quantized:
    """float32 of which the exponents differ by row, some far from all others."""
    random = np.random.default_rng(2)
    exponents = 122 - random.geometric(0.5, (40, 256)) - 4 * (np.arange(40)[:, None] % 3)
    exponents = np.where(random.random(exponents.shape) < 0.002, 0, exponents)
    signs = random.integers(0, 2, (40, 256))
    mantissas = random.integers(0, 1 << 23, (2, 40, 256)).min(axis=0)  # fewer large ones
    bits = (signs << 31 | exponents << 23 | mantissas).astype(np.uint32)
    return Quantized((40, 256), "float32", "bytes", bits.view(np.float32).reshape(-1))


def _halves() -> Quantized:
    """float16 with a scale per row."""
    halves = _weights().codes.astype(np.float16)
    scales = np.sqrt(np.arange(1, 41, dtype=np.float32))
    return Quantized(
        (40, 256), "float32", "bytes", halves, scale=Groups(scales, 256), codes_dtype="float16"
    )


def _choices(codings: int, positions: str, chunk: int | None = None) -> dict[str, Any]:
    return {"profile": "small", "codings": codings, "positions": positions, "chunk": chunk}


def _file(
    name: str, quantized: Quantized, choices: dict[str, Any]
) -> tuple[str, bytes, dict[str, Any]]:
    return name, encode_quantized(quantized, **choices), choices


def _ternary(positions: str) -> Quantized:
    random = np.random.default_rng(1)
    codes = random.choice(np.array([0, 1, 2], np.uint8), 300, p=[0.1, 0.8, 0.1])
    stored = None if positions == "dense" else np.flatnonzero(codes != 1)
    return Quantized(
        shape=(10, 30),
        dtype="float32",
        kind="codebook",
        codes=codes if stored is None else codes[stored],
        positions=stored,
        bits=2,
        codebook=Groups(np.array([[-0.75, 0, 0.5]], np.float32)),
    )


def _affine() -> Quantized:
    codes = np.random.default_rng(2).binomial(15, 0.5, 750).astype(np.uint8)
    scale = Groups(np.array([0.5, 0.25], np.float32), inner=50)
    return Quantized((15, 50), "float16", "affine", codes, bits=4, scale=scale, zero_point=8)


def _with_many_parameters() -> Iterator[tuple[str, Quantized]]:
    random = np.random.default_rng(4)
    codes = random.integers(0, 16, 480).astype(np.uint8)
    books = np.sort(random.standard_normal((2, 64)).astype(np.float32))
    for name, values in (("deltas", books), ("permuted", random.permutation(books, axis=1))):
        book = Groups(values, inner=240)
        quantized = Quantized((2, 240), "float32", "codebook", codes, None, 6, book)
        yield f"floats_{name}", quantized
    scales = Groups(np.exp(random.standard_normal(60)).astype(np.float32), inner=8)
    points = random.integers(6, 10, 60).astype(np.uint16)
    yield (
        "scales_and_zero_points",
        Quantized((480,), "float32", "affine", codes, bits=4, scale=scales, zero_point=points),
    )


def _located() -> Iterator[tuple[str, str, Quantized]]:
    """(name, positions, tensor): what a code is, or whether it is stored, depends on its place."""
    random = np.random.default_rng(3)
    odd = np.add.outer(np.arange(24), np.arange(40)) % 2 == 1
    skewed = random.choice(np.array([0, 1, 2], np.uint8), (24, 40), p=[0.05, 0.05, 0.9])
    codes = np.where(odd, 2 - skewed, skewed)
    yield "rows_and_columns", "dense", _codebook(codes, None)
    kernels = random.integers(0, 3, (120, 1, 3, 3)).astype(np.uint8)
    kernels[..., 1:] = np.where(random.random((120, 1, 3, 2)) < 0.9, kernels[..., :1], 1)
    yield "kernels", "dense", _codebook(kernels, None)
    codes = np.tile(codes, (2, 2))
    density = np.where(np.arange(48)[:, None] % 3 == 0, 0.6, 0.02)
    stored = np.flatnonzero(random.random((48, 80)) < density)
    yield "mask", "mask", _codebook(2 - codes // 2 * 2, stored)


def _codebook(codes: Any, stored: Any) -> Quantized:
    flat = codes.reshape(-1)
    return Quantized(
        shape=codes.shape,
        dtype="float32",
        kind="codebook",
        codes=flat if stored is None else flat[stored],
        positions=stored,
        bits=2,
        codebook=Groups(np.array([[-0.75, 0, 0.5]], np.float32)),
    )
