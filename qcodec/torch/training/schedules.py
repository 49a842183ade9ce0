"""Pruning little by little, while training goes on.

Stages of pruning and retraining are those of Han, Pool, Tran and Dally 2015 (arXiv 1506.02626),
section 3.3; the cubic schedule is that of Zhu and Gupta 2017 (arXiv 1710.01878), section 3.
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
    optimizers see the same names all the time. What is pruned stays so. From `stop` on, the
    target is reached, whatever the steps before: a run that was stopped may go on with another
    `stop`, and if that is over already, the next step prunes to the target.

    Parameters
    ----------
    model : torch.nn.Module
        Changed in place, as by `prune`.
    targets : mapping of str to Density
        By regular expression, searched for in plain names.
    start, stop : int
        Steps of the optimizer after which pruning begins and is done. If both are 0, it is
        done at once.
    every : int
        Steps between two prunings.
    schedule : callable
        `cubic`, one from `stepwise`, or any other from 0..1 to 0..1.

    Raises
    ------
    TypeError
        If a target is no `Density`, or a number of steps is no integer.
    ValueError
        If a pattern finds no parameter, steps are not 0 <= start <= stop and every >= 1, the
        schedule gives something else than 0 to 1 (also from `step`), or a weight is NaN or
        infinite (also from `step`, which can be tried again: nothing is counted or masked).

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
        """Count a step of the optimizer, and prune if it is time."""
        steps = self.steps + 1
        over = steps - self.start
        if over >= 0 and (over % self.every == 0 or steps >= self.stop):
            self._prune(self._densities(steps))
        self.steps = steps

    def state_dict(self) -> dict[str, Any]:
        """The steps that were counted, and the densities that were reached, by pattern.

        The masks are in the model's own state dict.
        """
        return {"steps": self.steps, "densities": dict(self._reached)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave; the model is loaded by itself.

        Raises
        ------
        TypeError, ValueError
            If it is no such state. Nothing has changed then.
        """
        if not {"steps", "densities"} <= state.keys():
            raise ValueError(f"found {sorted(state)}, allowed is a state with densities and steps")
        steps, reached = _integer("steps", state["steps"]), dict(state["densities"])
        if steps < 0:
            raise ValueError(f"steps={steps}: allowed is 0 and more")
        self.steps, self._reached = steps, reached

    def _densities(self, steps: int) -> dict[str, float]:
        """What the schedule wants after some steps, by pattern."""
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
    """A number of steps, of whatever integer type; a float is rounded by its user, not here."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}={value!r}: allowed is an integer") from None
