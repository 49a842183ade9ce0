"""The cost of a training step with each method of `qcodec.torch`, beside a plain step.

All steps run on one thread. The optimizer is made after the method is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch.nn.utils import parametrize
from torch.nn.utils import prune as torch_prune

import qcodec
import qcodec.torch as methods

from .measure import Effort, Job, interleave
from .result import Key, Result, Results

Apply = Callable[[torch.nn.Module], object]

#: Layers and their width.
NETS = {"4 layers of 1,024 x 1,024": (4, 1024), "100 layers of 64 x 64": (100, 64)}
BATCH = 32
#: A sample takes so many times as long as others: several steps, the caches warm.
LONGER = 50

_DENSITY = 0.1
_BITS = 4
_WEIGHTS = r"weight$"


class FakeQuantized(torch.nn.Module):
    """What torch has for fixed-point weights, as a parametrization."""

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.step = float(weight.detach().abs().max()) / (1 << (_BITS - 1))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Rounded, with a straight-through gradient."""
        half = 1 << (_BITS - 1)
        return torch.fake_quantize_per_tensor_affine(weight, self.step, 0, -half, half - 1)


def _each_layer(change: Callable[[torch.nn.Module], object]) -> Apply:
    """To all dense layers of a model."""

    def apply(model: torch.nn.Module) -> None:
        for layer in list(model):
            if isinstance(layer, torch.nn.Linear):
                change(layer)

    return apply


def _pruned_and_shared(model: torch.nn.Module) -> None:
    methods.prune(model, {_WEIGHTS: qcodec.Density(_DENSITY)})
    methods.share(model, {_WEIGHTS: qcodec.Codebook(_BITS)})


#: Our methods, by their names in the table.
OWN: dict[str, Apply] = {
    "masks": lambda model: methods.prune(model, {_WEIGHTS: qcodec.Density(_DENSITY)}),
    "shared": lambda model: methods.share(model, {_WEIGHTS: qcodec.Codebook(_BITS)}),
    "masks, then shared": _pruned_and_shared,
    "latent": lambda model: methods.share_latent(model, {_WEIGHTS: qcodec.Codebook(_BITS)}),
    "fixed point": lambda model: methods.fix_points(model, {_WEIGHTS: qcodec.FixedPoint(_BITS)}),
    "ternary": lambda model: methods.ternarize(model, {_WEIGHTS: qcodec.TrainedTernary(0.05)}),
}
PEERS: dict[str, Apply] = {
    "torch.nn.utils.prune": _each_layer(
        lambda layer: torch_prune.l1_unstructured(layer, "weight", 1 - _DENSITY)
    ),
    "torch.fake_quantize_per_tensor_affine": _each_layer(
        lambda layer: parametrize.register_parametrization(
            layer, "weight", FakeQuantized(layer.weight)
        )
    ),
    "torch's parametrize, by the identity": _each_layer(
        lambda layer: parametrize.register_parametrization(layer, "weight", torch.nn.Identity())
    ),
}


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def net(layers: int, width: int) -> torch.nn.Sequential:
    """Dense layers that neither swell nor fade what passes: no subnormal numbers come up."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(*(torch.nn.Linear(width, width) for _ in range(layers)))
    with torch.no_grad():
        for layer in model:
            layer.weight.normal_(std=width**-0.5)
    return model


def step_of(model: torch.nn.Module, width: int) -> Job:
    """One step of training: forward, backward and SGD."""
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    inputs, targets = torch.randn(BATCH, width), torch.arange(BATCH) % width

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()

    return step


def measure(results: Results, effort: Effort, nets: Mapping[str, tuple[int, int]] = NETS) -> None:
    """Steps of the same net with nothing, with each method and with each peer, in turns."""
    longer = Effort(effort.rounds, LONGER * effort.seconds)
    with one_thread():
        for name, (layers, width) in nets.items():
            jobs: dict[str, Job] = {}
            for method, apply in {"plain": lambda _: None, **OWN, **PEERS}.items():
                model = net(layers, width)
                apply(model)
                jobs[method] = step_of(model, width)
            for method, spread in interleave(jobs, longer).items():
                results.record(Result(Key("training", name, method, "step"), spread, 1, "steps"))
