"""Pruning little by little, while training goes on.

Stages of pruning and retraining are those of Han, Pool, Tran and Dally 2015 (arXiv 1506.02626),
section 3.3; the cubic schedule is that of Zhu and Gupta 2017 (arXiv 1710.01878), section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ..prunings import Density
from .pruning import prune
from .tensors import matching

#: From the part of the schedule that is over to the part of the pruning that is done.
Schedule = Callable[[float], float]


def cubic(progress: float) -> float:
    """1 - (1 - progress)^3: many at first, while there are many that nothing needs.

    Examples
    --------
    >>> [cubic(progress) for progress in (0.0, 0.5, 1.0)]
    [0.0, 0.875, 1.0]
    """
    return 1 - (1 - progress) ** 3


def stepwise(parts: Sequence[float]) -> Schedule:
    """A schedule of stages that are equally long, with retraining between them.

    Parameters
    ----------
    parts : sequence of float
        The part of the pruning that is done when each stage begins; the last is usually 1.
        The last stage begins at the schedule's end.

    Raises
    ------
    ValueError
        If they are not from 0 to 1, or do not rise, or there are none.

    Examples
    --------
    >>> schedule = stepwise([0.5, 0.8, 1.0])
    >>> [schedule(progress) for progress in (0.0, 0.4, 0.5, 0.99, 1.0)]
    [0.5, 0.5, 0.8, 0.8, 1.0]
    """
    rising = list(parts)
    if not rising or rising != sorted(rising) or not 0 <= rising[0] <= rising[-1] <= 1:
        raise ValueError(f"parts={parts}: allowed are numbers from 0 to 1 that rise")
    return lambda progress: rising[math.floor(progress * (len(rising) - 1) + 1e-9)]


class GradualPruning:
    """Masks that become sparser while an optimizer runs, from all weights to a target.

    All weights are masked from the beginning, with nothing left out, so that state dicts and
    optimizers see the same names all the time. What is pruned stays so.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `prune`.
    targets : mapping of str to Density
        By regular expression, searched for in plain names.
    start, stop : int
        Steps of the optimizer after which pruning begins and is done.
    every : int
        Steps between two prunings.
    schedule : callable
        `cubic`, one from `stepwise`, or any other from 0..1 to 0..1.

    Raises
    ------
    ValueError
        If a pattern finds no parameter, or steps are not 0 <= start <= stop and every >= 1.

    Examples
    --------
    >>> import torch, qcodec
    >>> from qcodec.torch import densities
    >>> model = torch.nn.Linear(10, 10)
    >>> pruning = GradualPruning(model, {"weight": qcodec.Density(0.2)}, 0, 4, every=2)
    >>> for step in range(4):
    ...     # loss.backward(), optimizer.step(), and then
    ...     pruning.step()
    ...     print(densities(model)["weight"])
    1.0
    0.3
    0.3
    0.2
    """

    def __init__(
        self,
        model: torch.nn.Module,
        targets: Mapping[str, Density],
        start: int,
        stop: int,
        every: int = 100,
        schedule: Schedule = cubic,
    ) -> None:
        if not 0 <= start <= stop or every < 1:
            raise ValueError(
                f"start={start}, stop={stop}, every={every}: "
                "allowed are 0 <= start <= stop and every >= 1"
            )
        matching(model, targets)  # before anything is changed
        self.model, self.targets = model, dict(targets)
        self.start, self.stop, self.every, self.schedule = start, stop, every, schedule
        self.steps = 0
        self._prune(schedule(0.0) if start == 0 else 0.0)

    def step(self) -> None:
        """Count a step of the optimizer, and prune if it is time."""
        self.steps += 1
        over, length = self.steps - self.start, self.stop - self.start
        if 0 <= over <= length and (over % self.every == 0 or over == length):
            self._prune(self.schedule(over / length if length else 1.0))

    def state_dict(self) -> dict[str, Any]:
        """The steps that were counted; the masks are in the model's own state dict."""
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave; the model is loaded by itself."""
        self.steps = int(state["steps"])

    def _prune(self, done: float) -> None:
        rules = {
            pattern: Density(1 - done * (1 - target.density))
            for pattern, target in self.targets.items()
        }
        prune(self.model, rules)
