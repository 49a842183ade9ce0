"""How much is measured, and where the real nets are."""

from __future__ import annotations

from dataclasses import dataclass

from .data import Places
from .measure import Effort


@dataclass(frozen=True)
class Settings:
    """What the groups need to know.

    Attributes
    ----------
    places : Places
    effort : Effort
    symbols : int
        Of a set for the integer codings: they and their code stay in the caches.
    array : int
        Elements of an array for the Python packages.
    weights : int
        Of a whole frame: its floats do not fit into the caches.
    clustered : int
        Weights for k-means.
    threads : tuple of int
        For whole frames.
    """

    places: Places
    effort: Effort
    symbols: int = 1 << 20
    array: int = 1 << 21
    weights: int = 1 << 24
    clustered: int = 1_000_000
    threads: tuple[int, ...] = (1, 2)
