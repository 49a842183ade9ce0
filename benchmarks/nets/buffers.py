"""Tensors that programs compute and checkpoints contain: no data and no training are needed."""

from __future__ import annotations

import numpy as np

from ..peers.case import Array
from .sounds import basis


def all_buffers() -> dict[str, Array]:
    """One of each kind, named as where they come from."""
    anchors, strides = _anchors()
    return {
        "embeddings.position_ids": np.arange(512)[None],
        "embeddings.token_type_ids": np.zeros((1, 512), np.int64),
        "h.0.attn.bias": causal(256),
        "h.0.attn.masked_bias": np.array(-1e4, np.float32),
        "decoder.tgt_mask": np.triu(np.full((200, 200), -np.inf, np.float32), 1),
        "layers.0.blocks.0.attn.relative_position_index": relative_index(7),
        "layers.0.blocks.0.attn.relative_coords_table": coordinates(8),
        "layers.0.blocks.1.attn_mask": shifted_mask(28, 7, 3),
        "encoder.embed_positions.weight": sinusoids(512, 128),
        "pos_embed": sinusoids(197, 96),
        "rotary_emb.inv_freq": frequencies(64),
        "rotary_emb.cos_cached": np.cos(_angles(512, 64)),
        "rotary_emb.sin_cached": np.sin(_angles(512, 64)),
        "alibi.slopes": (2.0 ** -(8 * np.arange(1, 17) / 16)).astype(np.float32),
        "alibi.bias": _alibi(8, 128),
        "mel_filters": mel_filters(80, 400),
        "stft.window": np.hanning(401)[:400].astype(np.float32),
        "istft.basis": np.ascontiguousarray(basis(128)[:, 0].T),
        "anchors": anchors,
        "strides": strides,
        "norm.num_batches_tracked": np.array(1500),
    }


def causal(length: int) -> Array:
    """True up to the diagonal."""
    return np.tri(length, dtype=np.bool_)[None, None]


def relative_index(window: int) -> Array:
    """Of each pair of places in a window, the row of the table of biases."""
    places = np.stack(np.meshgrid(np.arange(window), np.arange(window), indexing="ij"))
    places = places.reshape(2, -1)
    apart = places[:, :, None] - places[:, None] + window - 1
    return apart[0] * (2 * window - 1) + apart[1]


def coordinates(window: int) -> Array:
    """Distances in a window, spaced by their logarithm."""
    side = np.arange(1 - window, window, dtype=np.float32) * 8 / (window - 1)
    table = np.stack(np.meshgrid(side, side, indexing="ij"), -1)[None]
    return (np.sign(table) * np.log2(np.abs(table) + 1) / 3).astype(np.float32)


def shifted_mask(size: int, window: int, shift: int) -> Array:
    """-100 between places of a window that were no neighbours before the shift."""
    region = np.zeros((size, size), np.int64)
    parts = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    for i, rows in enumerate(parts):
        for j, columns in enumerate(parts):
            region[rows, columns] = 3 * i + j
    windows = region.reshape(size // window, window, -1, window).swapaxes(1, 2)
    windows = windows.reshape(-1, window**2)
    return np.where(windows[:, None] != windows[:, :, None], -100, 0).astype(np.float32)


def sinusoids(places: int, width: int) -> Array:
    """Sines, then cosines, of each place."""
    angles = np.outer(np.arange(places), 1e4 ** -(np.arange(width // 2) / (width // 2)))
    return np.concatenate([np.sin(angles), np.cos(angles)], 1).astype(np.float32)


def frequencies(width: int) -> Array:
    """Of rotary embeddings."""
    return (1e4 ** -(np.arange(0, width, 2) / width)).astype(np.float32)


def _angles(places: int, width: int) -> Array:
    half = np.outer(np.arange(places, dtype=np.float32), frequencies(width))
    return np.concatenate([half, half], 1)[None, None].astype(np.float32)


def _alibi(heads: int, length: int) -> Array:
    slopes = 2.0 ** -np.arange(1, heads + 1)
    apart = np.minimum(np.arange(length) - np.arange(length)[:, None], 0)
    return (slopes[:, None, None] * apart).astype(np.float32)


def mel_filters(bands: int, frame: int) -> Array:
    """Triangles over the bins of a spectrum."""
    top = 2595 * np.log10(1 + 8000 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    bins = np.linspace(0, 8000, frame // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _anchors() -> tuple[Array, Array]:
    """Middles of the cells of three grids, and the cells' sizes."""
    middles, sizes = [], []
    for stride in (8, 16, 32):
        side = np.arange(256 // stride) + 0.5
        x, y = np.meshgrid(side, side)
        middles.append(np.stack([x.ravel(), y.ravel()]))
        sizes.append(np.full((1, x.size), stride))
    return (
        np.concatenate(middles, 1).astype(np.float32),
        np.concatenate(sizes, 1).astype(np.float32),
    )


def with_buffers(weights: dict[str, Array], layers: int, context: int) -> dict[str, Array]:
    """A transformer as some checkpoints have it: masks in each layer, and positions."""
    found = {"embeddings.position_ids": np.arange(context)[None], **weights}
    for layer in range(layers):
        found[f"layers.{layer}.attn.bias"] = causal(context)
        found[f"layers.{layer}.attn.masked_bias"] = np.array(-1e4, np.float32)
    found["rotary_emb.inv_freq"] = frequencies(32)
    return found
