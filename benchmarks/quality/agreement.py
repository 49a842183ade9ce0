"""How far two nets agree."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Figures = dict[str, float]


def cosines(one: Sequence[Array], other: Sequence[Array]) -> NDArray[np.float64]:
    """The cosine of each input's output; 1 where both are zero, and 0 where one is or is no number.

    Parameters
    ----------
    one, other : sequence of ndarray
        The outputs by input, of any shape.
    """
    return np.array([_cosine(a, b) for a, b in zip(one, other, strict=True)])


def _cosine(one: Array, other: Array) -> float:
    one, other = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    norms = np.sqrt((one @ one) * (other @ other))
    if norms == 0:
        return float(not one.any() and not other.any())
    found = float(one @ other / norms)
    return found if np.isfinite(found) else 0.0


def of_cosines(found: NDArray[np.float64], name: str = "") -> Figures:
    """Their mean and the worst."""
    what = f"cosine, {name}" if name else "cosine"
    return {f"{what}, mean": float(found.mean()), f"{what}, worst": float(found.min())}


def of_answers(scores: Array, found: Array) -> Figures:
    """The share of inputs with the same top answer, and how decided the float net was otherwise.

    Parameters
    ----------
    scores, found : ndarray, (inputs, classes)
        Probabilities of the float net and of the other.
    """
    same = scores.argmax(axis=1) == found.argmax(axis=1)
    margin = margins(scores)[~same].max() if not same.all() else 0.0
    return {"same answer": float(same.mean()), "largest margin lost": float(margin)}


def margins(scores: Array) -> NDArray[np.float64]:
    """By how much the top answer is more probable than the second."""
    highest = np.sort(scores.astype(np.float64), axis=1)[:, -2:]
    return np.asarray(highest[:, 1] - highest[:, 0])


def nearest(vectors: Array) -> NDArray[np.int64]:
    """The most similar other vector of each unit vector."""
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    return similar.argmax(axis=1)


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Symbols to insert, to delete or to replace (Levenshtein)."""
    row = list(range(len(other) + 1))
    for count, symbol in enumerate(one, 1):
        before, row[0] = row[0], count
        for place, found in enumerate(other, 1):
            changed = before + (symbol != found)
            before, row[place] = row[place], min(changed, row[place] + 1, row[place - 1] + 1)
    return row[-1]


def of_texts(texts: Sequence[Sequence[Hashable]], found: Sequence[Sequence[Hashable]]) -> Figures:
    """The share of lines with the same text, and of symbols that need no edit."""
    pairs = list(zip(texts, found, strict=True))
    same = sum(tuple(a) == tuple(b) for a, b in pairs) / len(pairs)
    symbols = sum(max(len(a), len(b)) for a, b in pairs)
    wrong = sum(edit_distance(a, b) for a, b in pairs)
    return {"same text": same, "same characters": 1 - wrong / max(1, symbols)}
