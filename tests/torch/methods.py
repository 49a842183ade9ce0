"""All training methods, and how tests call them for a model."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from qcodec import Codebook, Density, FixedPoint, Sparse
from qcodec.torch import (
    Admm,
    GradualPruning,
    export,
    fix_activations,
    fix_points,
    load,
    prune,
    prune_dead_neurons,
    round_centroids,
    share,
    share_at_price,
    share_latent,
    ternarize,
)

LAYERS = [("0.weight", "0.bias"), ("2.weight", "2.bias"), ("4.weight", "4.bias")]


@dataclass
class Case:
    """A model, its inputs, and the arguments of methods for it.

    Attributes
    ----------
    plain : callable
        Makes an unchanged model of the same structure.
    rule : str
        Regular expression for the weights that methods change.
    sharable : str
        Regular expression for the weights that are shared before `round_centroids`.
    layers : list
        Layers for `prune_dead_neurons`.
    source : callable, optional
        Makes the model whose file is loaded; the default is `plain`.
    storable : bool
        Whether `export` accepts the model.
    method : str
        The called method.
    """

    model: torch.nn.Module
    inputs: torch.Tensor
    plain: Callable[[], torch.nn.Module]
    rule: str = r"weight$"
    sharable: str = r"weight$"
    layers: list = field(default_factory=lambda: LAYERS)
    source: Callable[[], torch.nn.Module] | None = None
    storable: bool = True
    method: str = ""


# ---- methods ----


def _gradual(case, _):
    pruning = GradualPruning(case.model, {case.rule: Density(0.5)}, 0, 2, every=1)
    pruning.step()
    pruning.step()


def _admm(case, _):
    admm = Admm(case.model, {case.rule: Density(0.5)}, rho=0.1)
    admm.penalty()
    admm.update()
    admm.prune()


#: Each method, as it is called for a case; the second argument is a folder.
METHODS: dict[str, Callable] = {
    "prune": lambda case, _: prune(case.model, {case.rule: Density(0.5)}),
    "GradualPruning": _gradual,
    "Admm": _admm,
    "prune_dead_neurons": lambda case, _: prune_dead_neurons(case.model, case.layers),
    "share": lambda case, _: share(case.model, {case.rule: Codebook(2)}),
    "share_at_price": lambda case, _: share_at_price(
        case.model, {case.rule: Sparse(Codebook(2))}, 1e-3
    ),
    "round_centroids": lambda case, _: round_centroids(case.model),
    "share_latent": lambda case, _: share_latent(case.model, {case.rule: Codebook(2)}),
    "fix_points": lambda case, _: fix_points(case.model, {case.rule: FixedPoint(4)}),
    "ternarize": lambda case, _: ternarize(case.model, {case.rule: Density(0.5)}),
    "fix_activations": lambda case, _: fix_activations(case.model, FixedPoint(6), [case.inputs]),
    "export": lambda case, folder: export(case.model, folder / "exported.qcodec"),
    "load": lambda case, folder: load(case.model, folder / "loaded.qcodec"),
}


def prepare(case: Case, folder) -> None:
    """Prepare for a method: share values to round, write a file to load."""
    if case.method == "round_centroids" and case.sharable:
        share(case.model, {case.sharable: Codebook(2)})
    if case.method == "load":
        export(trained((case.source or case.plain)(), seed=1), folder / "loaded.qcodec")


def apply(case: Case, folder) -> None:
    prepare(case, folder)
    METHODS[case.method](case, folder)


# ---- models ----


def net(*sizes: int, dtype=torch.float32) -> torch.nn.Sequential:
    """Dense layers with ReLUs between them; unit 3 of the first has no outputs."""
    sizes = sizes or (8, 16, 16, 4)
    torch.manual_seed(0)
    modules = []
    for inputs, outputs in itertools.pairwise(sizes):
        modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    with torch.no_grad():
        model[2].weight[:, 3] = 0
    return model.to(dtype)


def trained(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The same model with other weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn(parameter.shape, generator=generator).to(parameter) / 10
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx] = 0
    return model


def inputs_of(*shape: int, dtype=torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7)).to(dtype)
