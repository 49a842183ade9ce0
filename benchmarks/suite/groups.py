"""The groups of measurements by name, and the run of the requested ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from itertools import chain

from . import codecs, data, frames, memory, numeric, placement, streams, threads
from .growth import run as growth
from .result import Results
from .settings import Settings


def _streams(results: Results, settings: Settings) -> None:
    sets = chain(data.synthetic(settings.symbols), data.real(settings.symbols, settings.places))
    streams.measure(results, sets, settings.effort)


def _codecs(results: Results, settings: Settings) -> None:
    codecs.measure(results, settings.array, settings.places, settings.effort)


def _frames(results: Results, settings: Settings) -> None:
    frames.measure(results, settings.weights, settings.effort, settings.threads)


def _numeric(results: Results, settings: Settings) -> None:
    numeric.measure(results, settings.clustered, settings.effort)


def _training(results: Results, settings: Settings) -> None:
    if find_spec("torch") is None:
        warnings.warn("torch: skipped: it is not installed", stacklevel=2)
        return
    from . import applying, training

    training.measure(results, settings.effort)
    applying.measure(results, settings.effort)


def _memory(results: Results, settings: Settings) -> None:
    memory.measure(results, settings.memory)


def _threads(results: Results, settings: Settings) -> None:
    threads.measure(results, settings.weights, max(settings.threads), settings.effort)


def _placement(results: Results, settings: Settings) -> None:
    placement.measure(results, settings.weights, settings.effort)


def _growth(results: Results, settings: Settings) -> None:
    growth.measure(results, settings.extent, settings.effort)


GROUPS: dict[str, Callable[[Results, Settings], None]] = {
    "streams": _streams,
    "codecs": _codecs,
    "frames": _frames,
    "numeric": _numeric,
    "training": _training,
    "memory": _memory,
    "threads": _threads,
    "placement": _placement,
    "growth": _growth,
}
#: Groups that use the path of the process, which is chosen when qcodec is imported.
ONE_PATH_A_PROCESS = ("frames",)


def run(names: list[str], settings: Settings) -> tuple[Results, list[str]]:
    """Measure these groups; the remarks say what was skipped and why."""
    results = Results()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in names:
            GROUPS[name](results, settings)
    remarks = [str(warning.message) for warning in caught if warning.category is UserWarning]
    return results, list(dict.fromkeys(remarks))
