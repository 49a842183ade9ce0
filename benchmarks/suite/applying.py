"""The cost of applying a method of `qcodec.torch` to models with more and more layers."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

import qcodec
import qcodec.torch as methods

from .measure import Effort, in_turns
from .result import Key, Result, Results
from .training import OWN, PEERS, Apply, net, one_thread

#: How many layers of 16 × 16.
COUNTS = {"100 layers": 100, "1,000 layers": 1_000, "10,000 layers": 10_000}
WIDTH = 16
ROUNDS = 3
#: A method is left out where it would take longer, even if its time grows only by the layers.
MAX_SECONDS = 60

_PRICE = 1e-4
_PRICED = {r"weight$": qcodec.Sparse(qcodec.Codebook(4))}


def _pruned_gradually(model: torch.nn.Module) -> None:
    pruning = methods.GradualPruning(model, {r"weight$": qcodec.Density(0.1)}, 0, 1, every=1)
    pruning.step()


METHODS: dict[str, Apply] = {
    **OWN,
    "GradualPruning, made and one step": _pruned_gradually,
    "prune_at_price": lambda model: methods.prune_at_price(model, _PRICED, _PRICE),
    "share_at_price": lambda model: methods.share_at_price(model, _PRICED, _PRICE),
    **PEERS,
}


def measure(results: Results, effort: Effort, counts: Mapping[str, int] = COUNTS) -> None:
    """Each method on a new model each time, which is made outside the time."""
    with one_thread(), _nothing_else_to_collect():
        chosen = dict(METHODS)
        for apply in chosen.values():
            apply(net(2, WIDTH))  # imports, and what is made once
        sizes = list(counts.values())
        for (name, count), larger in zip(counts.items(), [*sizes[1:], None], strict=True):
            for method, seconds in _measure_one(results, name, count, chosen, effort).items():
                if larger is not None and seconds * larger / count > MAX_SECONDS:
                    del chosen[method]
                    warnings.warn(
                        f"{method}: left out above {name}, which took {seconds:.0f} s",
                        stacklevel=2,
                    )


@contextmanager
def _nothing_else_to_collect() -> Iterator[None]:
    """Python's search for garbage sees the models alone, whatever else the process has made."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _measure_one(
    results: Results, name: str, count: int, chosen: Mapping[str, Apply], effort: Effort
) -> dict[str, float]:
    """One number of layers; the seconds of each method."""
    models: dict[str, torch.nn.Module] = {}

    def renew(method: str) -> None:
        models.clear()
        models[method] = net(count, WIDTH)
        gc.collect()

    def job(method: str) -> None:
        chosen[method](models[method])

    jobs = {method: lambda method=method: job(method) for method in chosen}
    spreads = in_turns(jobs, min(ROUNDS, effort.rounds), before=renew)
    for method, spread in spreads.items():
        results.record(Result(Key("applying", name, method, "apply"), spread, count, "layers"))
    return {method: spread.median for method, spread in spreads.items()}
