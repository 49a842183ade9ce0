"""Alternating pruning and retraining (paper 3), for any MNIST net."""

from __future__ import annotations

from typing import Any

import torch

from qcodec import Density
from qcodec.torch import (
    AdjustedDropout,
    Run,
    frozen,
    l2,
    plain_tensors,
    plot_sensitivity,
    prune,
    sensitivity,
    write_sensitivity,
)

from .data import Data
from .exported import exported, rightly
from .report import report
from .stages import CHOSEN, Stages


def run(
    data: Data, run: Run, settings: dict[str, Any], network: type[torch.nn.Module]
) -> dict[str, Any]:
    """Train a net, prune and retrain it in rounds, and store it.

    Parameters
    ----------
    data : Data
    run : Run
    settings : dict of str
        The settings of `Stages`, and: ``dense`` and ``retrain`` with their ``epochs`` and
        ``rate``; ``dropout`` of the dense net; ``dropouts``, by the weight that they follow;
        ``l2``; ``densities``, the final ones; ``done``, the finished fraction of the pruning at
        the end of each round; ``phases``, the frozen layers in each phase of a round; ``last``,
        epochs at the end; ``scan``, densities of the sensitivity scan.
    network : type
        The class of the net; takes a dropout.
    """
    torch.manual_seed(settings["seed"])
    stages = Stages(data, run, settings)
    model = network(settings["dropout"])
    penalty = l2(model, {"weight": settings["l2"]})
    stages.train(model, "dense", **settings["dense"], penalty=penalty)
    dense = rightly(model, data.test)
    _scan(model, stages, settings)
    dropout = AdjustedDropout(model, settings["dropouts"])
    for number, done in enumerate(settings["done"], 1):
        prune(model, _rules(settings["densities"], done))
        dropout.update()
        for phase, fixed in enumerate(settings["phases"], 1):
            with frozen(model, fixed):
                name = f"round {number}.{phase}"
                stages.train(model, name, **settings["retrain"], penalty=penalty)
    stages.train(model, "last", **settings["last"], penalty=penalty)
    return _result(model, network, dense, stages)


def _rules(densities: dict[str, float], done: float) -> dict[str, Density]:
    return {pattern: Density(1 - done * (1 - density)) for pattern, density in densities.items()}


def _scan(model: torch.nn.Module, stages: Stages, settings: dict[str, Any]) -> None:
    """Figure 6: the accuracy on validation images when a single layer is pruned."""
    rows = sensitivity(model, settings["densities"], settings["scan"], stages.validation)
    write_sensitivity(rows, stages.run.folder / "sensitivity.csv")
    plot_sensitivity(rows, stages.run.folder / "sensitivity.png", "accuracy on validation images")


def _result(
    model: torch.nn.Module, network: type[torch.nn.Module], dense: torch.Tensor, stages: Stages
) -> dict[str, Any]:
    path = stages.run.folder / "net.qcodec"
    found = exported(model, network(), path, None, stages.data.test)
    tensors = plain_tensors(model)
    parameters = sum(tensor.numel() for tensor in tensors.values())
    kept = sum(int(tensor.count_nonzero()) for tensor in tensors.values())
    return {
        "ours": {
            "parameters": parameters,
            "parameters kept": kept,
            "fewer parameters, times": round(parameters / kept, 2),
            "test error of the dense net, %": round(100 - 100 * float(dense.double().mean()), 2),
            "test error, %": round(100 - found.accuracy, 2),
            "bytes, every kept bit": found.size,
        },
        "validation_accuracy": stages.validation(model),
        "tables": [report(path).markdown()],
        "notes": [CHOSEN],
    }
