"""Deep Compression of a net for MNIST (paper 1), and a smaller file by one price per bit.

One trained net yields two files. `paper.qcodec` follows Han, Mao and Dally (arXiv 1510.00149): the
net is pruned by magnitude to the densities of their tables and retrained, then weights are shared
by k-means from linear starts, and centroids are trained. For `net.qcodec` the net is first pruned
and then quantized at a price per bit that rises during training, with the float net as teacher.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from qcodec import Affine, Codebook, DeepCompression, Density, Sparse
from qcodec.dead_neurons import Layers
from qcodec.torch import (
    GradualPruning,
    Run,
    load,
    plain_tensors,
    prune_at_price,
    prune_dead_neurons,
    round_centroids,
    share,
    share_latent_at_price,
)
from qcodec.torch.export import quantized_of
from qcodec.torch.tensors import places

from .data import Data
from .deep_compression_tables import PaperLayer
from .exported import Exported, exported, float_bytes, rightly
from .paper_coding import paper_coding
from .report import report
from .stages import Stages

_WEIGHTS, _BIASES = r"\.weight$", r"\.bias$"
_GAP_BITS = 5


class Prices:
    """A price that rises in equal ratios while an optimizer runs, and an action at each price.

    Parameters
    ----------
    do : callable
        Called with the price, first on creation.
    first, last : float
        The range of the price.
    steps : int
        Number of steps until the last price.
    every : int
        Number of steps between two prices.
    """

    def __init__(self, do: Any, first: float, last: float, steps: int, every: int) -> None:
        self.do, self.first, self.last, self.end, self.every = do, first, last, steps, every
        self.steps = 0
        do(first)

    def step(self) -> None:
        """Count a step, and call `do` if a new price is due."""
        self.steps += 1
        if self.steps % self.every == 0 or self.steps == self.end:
            part = min(self.steps / max(self.end, 1), 1.0)
            self.do(self.first * (self.last / self.first) ** part)

    def state_dict(self) -> dict[str, int]:
        """Returns the number of steps. The rest of the state is in the model."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Continue from a state."""
        self.steps = state["steps"]


def run(
    data: Data,
    run: Run,
    settings: dict[str, Any],
    network: type[torch.nn.Module],
    paper: Mapping[str, PaperLayer],
) -> dict[str, Any]:
    """Train a net, compress it in both ways, and measure both files.

    Parameters
    ----------
    data : Data
    run : Run
    settings : dict of str
        The settings of `Stages`; ``dropout`` of the float net; ``shift when sparse``, in pixels;
        ``bits`` of a code, ``bias_bits``; ``paper densities`` and ``paper bits`` by layer; and a
        dict per stage, with ``epochs`` and ``rate``. Stages at prices also have ``prices`` (the
        first and the last), ``rising`` (the fraction of the stage in which prices rise) and
        ``every`` (steps between two prices).
    network : type
        The class of the net; takes a dropout.
    paper : mapping of str to PaperLayer
        The paper's table, by the names of our layers.
    """
    torch.manual_seed(settings["seed"])
    stages = Stages(data, run, settings)
    dense = network(settings["dropout"]).to(memory_format=torch.channels_last)
    stages.train(dense, "dense", **settings["dense"])
    # A net of few weights cannot learn as many shifts.
    stages = Stages(data, run, {**settings, "shift": settings["shift when sparse"]})
    paths = run.folder / "net.qcodec", run.folder / "paper.qcodec"
    priced = _at_a_price(dense, network, stages, paths[0])
    like_paper, authors_bytes = _as_in_the_paper(dense, network, stages, paths[1])
    size = float_bytes(dense)
    return {
        "ours": {
            "bytes as float32": size,
            "test error of the float net, %": _error(rightly(dense, data.test)),
            **_figures(priced, size),
            **{f"{name}, as in the paper": it for name, it in _figures(like_paper, size).items()},
            "bytes, as in the paper and coded as there": authors_bytes,
        },
        "validation_error": _error(rightly(_loaded(network, paths[0]), data.validation)),
        "tables": [
            f"At one price of a bit:\n\n{report(paths[0]).markdown()}",
            f"As in the paper:\n\n{report(paths[1]).markdown(paper)}",
        ],
    }


def _at_a_price(
    dense: torch.nn.Module, network: type[torch.nn.Module], stages: Stages, path: Path
) -> Exported:
    """Prune at rising prices, retrain, quantize at rising prices, train the centroids."""
    settings = stages.settings
    recipe = {_WEIGHTS: Sparse(Codebook(settings["bits"]))}
    layers = _layers(dense)
    model = _copy(dense, network)
    _train_at_prices(model, "prune", lambda p: prune_at_price(model, recipe, p), dense, stages)
    prune_dead_neurons(model, layers)
    stages.train(model, "retrain", **settings["retrain"], teacher=dense)
    _train_at_prices(
        model, "latent", lambda p: share_latent_at_price(model, recipe, p), dense, stages
    )
    shared = _copy(model, network)
    prune_dead_neurons(shared, layers)
    share(shared, recipe)
    stages.train(shared, "centroids", **settings["centroids"], teacher=dense)
    round_centroids(shared)
    biases = {_BIASES: Affine(settings["bias_bits"])}
    return exported(shared, network(), path, biases, stages.data.test, layers)


def _train_at_prices(
    model: torch.nn.Module,
    stage: str,
    do: Callable[[float], None],
    teacher: torch.nn.Module,
    stages: Stages,
) -> None:
    """Train one stage with an action at rising prices."""
    settings = dict(stages.settings[stage])
    rising = math.ceil(settings.pop("rising") * settings["epochs"] * len(stages.batches))
    first, last = settings.pop("prices")
    prices = Prices(do, first, last, rising, settings.pop("every"))

    def kept() -> dict[str, float]:
        return {"kept": float(sum(_weight_counts(model)))}

    stages.train(
        model,
        stage,
        **settings,
        teacher=teacher,
        after_step=prices.step,
        extras={"prices": prices},
        measure=kept,
    )


def _as_in_the_paper(
    dense: torch.nn.Module, network: type[torch.nn.Module], stages: Stages, path: Path
) -> tuple[Exported, int]:
    """Prune by magnitude, retrain, share by k-means; also measure the authors' coding."""
    settings = stages.settings
    model = _copy(dense, network)
    targets = {rf"^{name}\.weight$": it for name, it in settings["paper densities"].items()}
    steps = settings["paper prune"]["epochs"] * len(stages.batches) // 2
    pruning = GradualPruning(
        model, {name: Density(it) for name, it in targets.items()}, 0, steps, max(steps // 20, 1)
    )
    stages.train(
        model, "paper prune", **settings["paper prune"], after_step=pruning.step,
        extras={"pruning": pruning},
    )  # fmt: skip
    bits = settings["paper bits"].items()
    share(model, {rf"^{name}\.weight$": DeepCompression(it) for name, it in bits})
    stages.train(model, "paper centroids", **settings["paper centroids"])
    gaps = {
        rf"^{name}\.weight$": Sparse(Codebook(it), positions="gaps", gap_bits=_GAP_BITS)
        for name, it in bits
    }
    found = exported(_copy(model, network), network(), path, gaps, stages.data.test)
    return found, _authors_bytes(model)


def _authors_bytes(model: torch.nn.Module) -> int:
    """The bytes of the same numbers in the authors' coding, with biases as float32."""
    total = 0
    for place in places(model):
        quantized = quantized_of(place)
        if quantized is None:
            total += 4 * place.value.numel()
        else:
            total += paper_coding(quantized, _GAP_BITS).huffman_bytes
    return total


def _copy(model: torch.nn.Module, network: type[torch.nn.Module]) -> torch.nn.Module:
    """A plain net with the weights that a model computes with."""
    plain = network().to(memory_format=torch.channels_last)
    plain.load_state_dict(plain_tensors(model))
    return plain


def _loaded(network: type[torch.nn.Module], path: Path) -> torch.nn.Module:
    model = network()
    load(model, path)
    return model


def _layers(model: torch.nn.Module) -> Layers:
    """Names of weights and biases, from input to output."""
    return [(f"{name}.weight", f"{name}.bias") for name, part in model.named_children()
            if hasattr(part, "weight")]  # fmt: skip


def _weight_counts(model: torch.nn.Module) -> list[int]:
    tensors = plain_tensors(model).values()
    return [int(tensor.count_nonzero()) for tensor in tensors if tensor.dim() > 1]


def _figures(found: Exported, size: int) -> dict[str, float]:
    return {
        "test error, %": _error(found.right),
        "bytes": found.size,
        "smaller, times": round(size / found.size, 1),
    }


def _error(right: torch.Tensor) -> float:
    return round(100 - 100 * float(right.double().mean()), 4)
