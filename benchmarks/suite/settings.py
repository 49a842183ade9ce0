"""How much is measured, and where the real nets are."""

from __future__ import annotations

from dataclasses import dataclass, field

from .data import Places
from .growth.extent import Extent
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
    memory : int
        Bytes of the tensor whose encoding and decoding are measured in memory.
    extent : Extent
        How far sizes grow.
    """

    places: Places
    effort: Effort
    symbols: int = 1 << 20
    array: int = 1 << 21
    weights: int = 1 << 24
    clustered: int = 1_000_000
    threads: tuple[int, ...] = (1, 2)
    memory: int = 400_000_000
    extent: Extent = field(default_factory=Extent)

    @classmethod
    def quick(cls, places: Places, effort: Effort) -> Settings:
        """Sizes that take minutes in all; their figures are no proof of anything."""
        extent = Extent(weights=1 << 20, tensors=1_000, groups=1 << 10)
        return cls(places, effort, array=1 << 20, weights=1 << 20, memory=40_000_000, extent=extent)
