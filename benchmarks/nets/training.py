"""Training for a fixed number of steps, from a fixed seed, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

# With one thread the nets are the same however many cores there are.
SEED, THREADS = 0, 1
_LEARNING_RATE = 3e-3


@dataclass(frozen=True)
class Effort:
    """How long to train.

    Attributes
    ----------
    convolutional, transformer : int
        Steps of each net of the second set.
    dense, detector, pitch, mesh : int
        Steps of the nets that are trained for the structured set.
    more : int
        Steps of a net that is trained further, with few levels or adapters.
    """

    convolutional: int = 1200
    transformer: int = 700
    dense: int = 450
    detector: int = 800
    pitch: int = 800
    mesh: int = 2000
    more: int = 200


def batches_of(
    images: np.ndarray, labels: np.ndarray, size: int
) -> Callable[[np.random.Generator], tuple[torch.Tensor, torch.Tensor]]:
    """What gives `size` images at random, and their classes."""
    import torch

    def batch(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        some = random.integers(len(images), size=size)
        return torch.from_numpy(images[some]), torch.from_numpy(labels[some].astype(np.int64))

    return batch


@contextmanager
def repeatable() -> Iterator[None]:
    """Torch with our seed and one thread, and as it was after that."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            yield
    finally:
        torch.set_num_threads(threads)


def train(
    net: torch.nn.Module,
    batch: Callable[[np.random.Generator], tuple[torch.Tensor, torch.Tensor]],
    steps: int,
    loss: Callable[[Any, Any], Any] | None = None,
) -> None:
    """AdamW, one cycle of the learning rate.

    Parameters
    ----------
    net : torch.nn.Module
        Inputs to scores, of which the last axis is the classes.
    batch : callable
        Gives inputs, and classes or what else the loss compares with.
    steps : int
    loss : callable, optional
        Of outputs and what the batch wants; the default is cross entropy.
    """
    import torch

    loss = loss or _cross_entropy
    parameters = [one for one in net.parameters() if one.requires_grad]
    random = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps)
    for _ in range(steps):
        inputs, classes = batch(random)
        optimizer.zero_grad()
        loss(net(inputs), classes).backward()
        optimizer.step()
        schedule.step()


def _cross_entropy(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.nn.functional.cross_entropy(scores.flatten(0, -2), classes.flatten())


def weights_of(net: torch.nn.Module) -> dict[str, Any]:
    """Its float32 parameters and statistics by name."""
    return {
        name: tensor.detach().numpy().copy()
        for name, tensor in net.state_dict().items()
        if tensor.is_floating_point()
    }
