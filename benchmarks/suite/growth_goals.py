"""The goals for how time and memory grow."""

from __future__ import annotations

from functools import cache

from .goals import EACH, EXPONENT, TIME, TIMES, Goal
from .growth import by_groups
from .growth.extent import Extent
from .growth.run import ALL_SIZES, GROUP, IMPORT, LARGEST, everything
from .growth.series import Growth, Series
from .result import Key

_IMPORT_MICROS = 30_000
_MEASURES = {"exponent": EXPONENT, "cliff": TIMES, "spread": TIMES}


@cache
def goals() -> list[Goal]:
    """Those of all series, of pairs, and of the import."""
    found = [goal for series in everything(Extent()) for goal in _of_series(series)]
    for name, where in by_groups.PAIRS:
        what = by_groups.title(name, where)
        key = Key(GROUP, what, ALL_SIZES, "time")
        found.append(Goal(what, TIMES, key, None, by_groups.PAIRS_MAXIMUM))
    return [*found, Goal(IMPORT, TIME, Key(GROUP, IMPORT, LARGEST, "work"), None, _IMPORT_MICROS)]


def _of_series(series: Series) -> list[Goal]:
    found = [
        _of_growth(series, quantity, growth)
        for quantity, growth in (("time", series.time), ("memory", series.memory))
        if growth is not None and growth.maximum is not None
    ]
    for measure, maximum in ((EACH, series.each), (TIME, series.call)):
        if maximum is not None:
            key = Key(GROUP, series.name, LARGEST, "work")
            found.append(Goal(f"{series.name}: at the largest size", measure, key, None, maximum))
    return found


def _of_growth(series: Series, quantity: str, growth: Growth) -> Goal:
    key = Key(GROUP, series.name, ALL_SIZES, quantity)
    what = f"{series.name}: {growth.what} of {quantity} by {series.unit}"
    assert growth.maximum is not None, "only limited growth is a goal"
    return Goal(what, _MEASURES[growth.what], key, None, growth.maximum)
