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
        Steps of each net.
    """

    convolutional: int = 1200
    transformer: int = 700


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
) -> None:
    """AdamW, one cycle of the learning rate, cross entropy.

    Parameters
    ----------
    net : torch.nn.Module
        Inputs to scores, of which the last axis is the classes.
    batch : callable
        Gives inputs and classes.
    steps : int
    """
    import torch

    random = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(net.parameters(), lr=_LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, steps)
    for _ in range(steps):
        inputs, classes = batch(random)
        loss = torch.nn.functional.cross_entropy(net(inputs).flatten(0, -2), classes.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


def weights_of(net: torch.nn.Module) -> dict[str, Any]:
    """Its float32 parameters and statistics by name."""
    return {
        name: tensor.detach().numpy().copy()
        for name, tensor in net.state_dict().items()
        if tensor.is_floating_point()
    }
