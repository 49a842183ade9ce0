"""Measurements, and the keys to find them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .measure import Spread


@dataclass(frozen=True)
class Key:
    """Which measurement.

    Attributes
    ----------
    group : str
        What was measured together, such as ``"streams"``.
    data : str
        Such as ``"km16"``.
    method : str
        A coding, a codec or a peer.
    action : str
        ``"encode"``, ``"decode"``, ...
    path : str
        The instruction sets that ours used; empty for peers.
    """

    group: str
    data: str
    method: str
    action: str
    path: str = ""


@dataclass(frozen=True)
class Result:
    """One measurement.

    Attributes
    ----------
    key : Key
    spread : Spread
        Seconds of one call.
    work : int
        What one call does, in `unit`.
    unit : str
        ``"symbols"``, ``"weights"``, ``"bytes"``, ``"decisions"`` or ``"calls"``.
    share : float or None
        Size in % of the entropy (streams) or of the input (codecs).
    figure : float or None
        A measured number that is not a time: memory as a multiple, an exponent.
    """

    key: Key
    spread: Spread
    work: int
    unit: str
    share: float | None = None
    figure: float | None = None

    @property
    def rate(self) -> float:
        """10^9 units a second, by the median."""
        return self.work / self.spread.median / 1e9

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self) | {"rate": self.rate}


class Results(dict[Key, Result]):
    """All of a run, by key."""

    def record(self, result: Result) -> None:
        """Add one."""
        self[result.key] = result

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[str, Any]]) -> Results:
        """What `Result.as_dict` made plain."""
        found = cls()
        for row in rows:
            key, spread = Key(**row["key"]), Spread(**row["spread"])
            numbers = (row[name] for name in ("work", "unit", "share", "figure"))
            found.record(Result(key, spread, *numbers))
        return found

    def of(self, group: str) -> Iterable[Result]:
        """Those of a group, in the order of measuring."""
        return (result for result in self.values() if result.key.group == group)
