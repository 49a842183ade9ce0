"""Gradual pruning during training.

Stages of pruning and retraining are from Han, Pool, Tran and Dally 2015 (arXiv 1506.02626),
section 3.3. The cubic schedule is from Zhu and Gupta 2017 (arXiv 1710.01878), section 3.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ...codecs.pruning import Density
from ..pruning import prune
from ..rules import check_rule
from ..tensors import matching

#: From the elapsed fraction of the schedule to the finished fraction of the pruning.
Schedule = Callable[[float], float]


def cubic(progress: float) -> float:
    """1 - (1 - progress)^3: prunes fast at first, while many weights are redundant.

    Examples
    --------
    >>> [cubic(progress) for progress in (0.0, 0.5, 1.0)]
    [0.0, 0.875, 1.0]
    """
    return 1 - (1 - progress) ** 3


def stepwise(parts: Sequence[float]) -> Schedule:
    """A schedule of stages of equal length, with retraining between them.

    Parameters
    ----------
    parts : sequence of float
        The finished fraction of the pruning from the beginning of each stage; the last is
        usually 1. The last stage begins at the end of the schedule.

    Returns
    -------
    callable

    Raises
    ------
    ValueError
        If `parts` is empty, falls somewhere, or is not within 0 to 1.

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
    """Prunes gradually while an optimizer runs, from all weights to target densities.

    All tensors get their masks at once, at first with all weights kept, so the names in state
    dicts never change. Pruned weights stay pruned. From step `stop` on, the target is reached. A
    stopped run may continue with another `stop`; if that step is over, the next step prunes to
    the target.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `prune`.
    targets : mapping of str to Density
        Keys are regular expressions that are searched for in plain names.
    start, stop : int
        Steps of the optimizer after which pruning begins and is complete. If both are 0, the
        model is pruned to the target at once.
    every : int
        Number of steps between two prunings.
    schedule : callable
        `cubic`, a schedule of `stepwise`, or any other function from 0..1 to 0..1.

    Raises
    ------
    TypeError
        If a target is not a `Density`, or a number of steps is not an integer.
    ValueError
        If a pattern matches no parameter, steps are not 0 <= start <= stop and every >= 1, the
        schedule returns a number outside 0 to 1 (also from `step`), or a weight is NaN or
        infinite (also from `step`, which can be called again: nothing is counted or masked).

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
        for place, target in matching(model, targets):
            check_rule(place.name, target, Density)
        self.start, self.stop = _integer("start", start), _integer("stop", stop)
        self.every = _integer("every", every)
        if not 0 <= self.start <= self.stop or self.every < 1:
            raise ValueError(
                f"start={start}, stop={stop}, every={every}: "
                "allowed are 0 <= start <= stop and every >= 1"
            )
        self.model, self.targets, self.schedule = model, dict(targets), schedule
        self.steps = 0
        self._reached: dict[str, float] = {}
        self._prune(self._densities(0) if self.start == 0 else dict.fromkeys(targets, 1.0))

    def step(self) -> None:
        """Count a step of the optimizer, and prune if a pruning is due."""
        steps = self.steps + 1
        over = steps - self.start
        if over >= 0 and (over % self.every == 0 or steps >= self.stop):
            self._prune(self._densities(steps))
        self.steps = steps

    def state_dict(self) -> dict[str, Any]:
        """Returns the number of steps, and the reached densities by pattern.

        The masks are in the model's own state dict.
        """
        return {"steps": self.steps, "densities": dict(self._reached)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state_dict` returned. Load the model separately.

        Raises
        ------
        TypeError, ValueError
            If the state is invalid. Nothing has changed then.
        """
        if not {"steps", "densities"} <= state.keys():
            raise ValueError(f"found {sorted(state)}, allowed is a state with densities and steps")
        steps, reached = _integer("steps", state["steps"]), dict(state["densities"])
        if steps < 0:
            raise ValueError(f"steps={steps}: allowed is 0 and more")
        self.steps, self._reached = steps, reached

    def _densities(self, steps: int) -> dict[str, float]:
        """The densities of the schedule after a number of steps, by pattern."""
        length = self.stop - self.start
        progress = (steps - self.start) / length if steps < self.stop else 1.0
        done = float(self.schedule(progress))
        if not 0 <= done <= 1:  # NaN, too
            raise ValueError(f"schedule({progress}) is {done}, allowed are 0 to 1")
        return {
            pattern: 1 - done * (1 - target.density) for pattern, target in self.targets.items()
        }

    def _prune(self, wanted: dict[str, float]) -> None:
        if wanted == self._reached:
            return
        rules = {pattern: Density(density) for pattern, density in wanted.items()}
        prune(self.model, rules)
        self._reached = wanted


def _integer(name: str, value: object) -> int:
    """A number of steps of any integer type. Floats are refused, not rounded."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}={value!r}: allowed is an integer") from None
