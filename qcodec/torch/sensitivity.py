"""Sensitivity of each layer to pruning, to find where to prune less.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), section 5.1 and figure 6.
"""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .._base.patterns import exactly
from .._io.atomic import replace_file
from .._io.source import PathLike
from ..codecs.pruning import Density
from .pruning import prune
from .tensors import matching


@dataclass(frozen=True)
class Sensitivity:
    """A measurement of a model in which one tensor is pruned.

    Attributes
    ----------
    tensor : str
        Plain name of the pruned tensor.
    density : float
        The fraction of its weights that is kept.
    measure : float
        The measured number.
    """

    tensor: str
    density: float
    measure: float


def sensitivity(
    model: torch.nn.Module,
    patterns: Iterable[str],
    densities: Iterable[float],
    measure: Callable[[torch.nn.Module], float],
) -> list[Sensitivity]:
    """Prune each tensor alone to each density, and measure the model.

    Parameters
    ----------
    model : torch.nn.Module
        Each measurement uses a pruned copy; the model itself is not changed.
    patterns : iterable of str
        Regular expressions that are searched for in plain names of parameters.
    densities : iterable of float
        0 to 1; 1 measures the unpruned model.
    measure : callable
        From a model to a number, such as accuracy or loss. Use no test data if the result
        decides settings.

    Returns
    -------
    list of Sensitivity
        Tensor by tensor in the model's order, by falling density.

    Raises
    ------
    TypeError
        If `patterns` is a string, or a density is not a number.
    ValueError
        If a pattern matches no parameter, or a density is not 0 to 1. Nothing is measured then.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Linear(4, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    >>> rows = sensitivity(model, ["weight"], [0.5, 1.0], lambda one: one.weight.sum().item())
    >>> [(row.density, row.measure) for row in rows]
    [(1.0, 10.0), (0.5, 7.0)]
    """
    if isinstance(patterns, str):
        raise TypeError(f"patterns={patterns!r}: allowed is a list of strings")
    tensors = [place.name for place, _ in matching(model, dict.fromkeys(patterns, True))]
    falling = [one.density for one in map(Density, sorted(densities, reverse=True))]
    return [
        Sensitivity(tensor, density, measure(_pruned(model, tensor, density)))
        for tensor in tensors
        for density in falling
    ]


def write_sensitivity(rows: Sequence[Sensitivity], path: PathLike) -> None:
    """Write measurements as CSV, one row each.

    Parameters
    ----------
    rows : sequence of Sensitivity
    path : path-like
        The file is replaced as a whole or not at all.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["tensor", "density", "measure"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    replace_file(path, [text.getvalue().encode()])


def plot_sensitivity(
    rows: Sequence[Sensitivity],
    path: PathLike,
    label: str = "accuracy",
    *,
    logarithmic: bool = True,
) -> None:
    """Plot measurements as in figure 6 of the paper: one line per tensor, denser nets on the left.

    Parameters
    ----------
    rows : sequence of Sensitivity
    path : path-like
        A PNG file.
    label : str
        Name of the measured quantity.
    logarithmic : bool
        Whether the axis of densities is logarithmic.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    from matplotlib.figure import Figure  # not pyplot: it has global state

    from .training.plots import save_figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    panel = figure.subplots()
    for tensor in dict.fromkeys(row.tensor for row in rows):
        of_it = [row for row in rows if row.tensor == tensor and row.density > 0]
        panel.plot(
            [row.density for row in of_it], [row.measure for row in of_it], ".-", label=tensor
        )
    if logarithmic:
        panel.set_xscale("log")
    panel.invert_xaxis()
    panel.set_xlabel("density: fraction of the tensor that is kept")
    panel.set_ylabel(label)
    panel.grid(alpha=0.3)
    panel.legend(fontsize="small")
    save_figure(figure, Path(path))


def _pruned(model: torch.nn.Module, tensor: str, density: float) -> torch.nn.Module:
    pruned = copy.deepcopy(model)
    prune(pruned, {exactly(tensor): Density(density)})
    return pruned
