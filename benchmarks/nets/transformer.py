"""A transformer that predicts the next character, 640,000 weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .training import SEED, repeatable, train, weights_of

if TYPE_CHECKING:
    import torch

LAYERS, CONTEXT = 3, 64
_CHARACTERS, _WIDTH, _HEADS = 128, 128, 4
_BATCH = 16
# The last part of the text is not trained on.
_TRAINED = 0.95
_TESTS = 200


def network() -> torch.nn.Module:
    """Embeddings, encoder layers that look back only, and scores of all characters."""
    import torch
    from torch import nn

    class Transformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(_CHARACTERS, _WIDTH)
            self.places = nn.Embedding(CONTEXT, _WIDTH)
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(
                    _WIDTH, _HEADS, 4 * _WIDTH, 0.0, "gelu", batch_first=True, norm_first=True
                )
                for _ in range(LAYERS)
            )
            self.norm = nn.LayerNorm(_WIDTH)
            self.scores = nn.Linear(_WIDTH, _CHARACTERS, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            future = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool).triu(1)
            x = self.characters(x) + self.places.weight
            for layer in self.layers:
                x = layer(x, src_mask=future)
            return self.scores(self.norm(x))

    return Transformer()


def trained(text: bytes, steps: int) -> dict[str, Any]:
    """Its weights after so many steps on the first part of the text."""
    with repeatable():
        net = network()
        train(net, batches(text), steps)
    return weights_of(net)


def batches(text: bytes) -> Callable[[np.random.Generator], tuple[torch.Tensor, torch.Tensor]]:
    """What gives rows of the first part of the text, and the characters that follow."""
    import torch

    codes = np.frombuffer(text, np.uint8).astype(np.int64)
    last = int(_TRAINED * len(codes)) - CONTEXT - 1

    def batch(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        rows = _rows(codes, random.integers(last, size=_BATCH))
        return torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, 1:])

    return batch


def bits_a_character(weights: dict[str, Any], text: bytes) -> float:
    """Cross entropy on the part of the text that was not trained on."""
    import torch

    codes = np.frombuffer(text, np.uint8).astype(np.int64)
    unseen = codes[int(_TRAINED * len(codes)) :]
    starts = np.random.default_rng(SEED).integers(len(unseen) - CONTEXT - 1, size=_TESTS)
    rows = torch.from_numpy(_rows(unseen, starts))
    net = network().eval()
    net.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in weights.items()})
    with torch.no_grad():
        scores = net(rows[:, :-1]).flatten(0, 1)
    loss = torch.nn.functional.cross_entropy(scores, rows[:, 1:].flatten())
    return float(loss) / math.log(2)


def _rows(codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return codes[starts[:, None] + np.arange(CONTEXT + 1)]
