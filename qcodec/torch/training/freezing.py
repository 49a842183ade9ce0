"""Phases with frozen parameters: retrain the dense layers, then the convolutions.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), section 3.4: vanishing gradients prevent a deep
net from recovering as a whole, so one part is frozen while the other is retrained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch

from ..tensors import matching


@contextmanager
def frozen(model: torch.nn.Module, patterns: Iterable[str]) -> Iterator[None]:
    """Freeze parameters within this context: they have no gradients, so optimizers skip them.

    Parameters
    ----------
    model : torch.nn.Module
    patterns : iterable of str
        Regular expressions that are searched for in plain names such as ``conv1.weight``. All
        parameters of a parametrized tensor are frozen, including ternary scales. Their gradients
        are cleared.

    Raises
    ------
    TypeError
        If `patterns` is a string: each of its characters would be a pattern.
    ValueError
        If a pattern matches no parameter.

    Examples
    --------
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    >>> with frozen(model, ["^0"]):
    ...     [parameter.requires_grad for parameter in model.parameters()]
    [False, False, True, True]
    >>> all(parameter.requires_grad for parameter in model.parameters())
    True
    """
    if isinstance(patterns, str):
        raise TypeError(f"patterns: found the string {patterns!r}, allowed is a list of strings")
    rules = dict.fromkeys(patterns, True)
    found = matching(model, rules) if rules else []
    before = [(place, [(one, one.requires_grad) for one in place.parameters]) for place, _ in found]
    try:
        for _, parameters in before:
            for parameter, _ in parameters:
                parameter.requires_grad_(False)
                parameter.grad = None  # a gradient of an earlier step would still move it
        yield
    finally:
        for place, parameters in before:
            _, needed = parameters[0]
            for parameter in place.parameters:  # also parameters made within the context
                parameter.requires_grad_(needed)
            for parameter, its in parameters:
                parameter.requires_grad_(its)
