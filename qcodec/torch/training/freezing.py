"""Phases in which some parameters are fixed: dense layers retrained, then convolutions.

Han, Pool, Tran and Dally 2015 (arXiv 1506.02626), section 3.4: gradients that vanish across both
do not let a net recover, so one part is fixed while the other is retrained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch

from ..tensors import matching


@contextmanager
def frozen(model: torch.nn.Module, patterns: Iterable[str]) -> Iterator[None]:
    """Within this context some parameters have no gradients, so that optimizers skip them.

    Parameters
    ----------
    model : torch.nn.Module
    patterns : iterable of str
        Regular expressions, searched for in plain names such as ``conv1.weight``. Of
        parametrized tensors all that is trained is fixed, ternary scales too: masks and
        assignments are so anyway. Their gradients are cleared.

    Raises
    ------
    TypeError
        If `patterns` is one string: each of its characters would be a pattern.
    ValueError
        If a pattern finds no parameter.

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
                parameter.grad = None  # what is left of an earlier step would still move it
        yield
    finally:
        for place, parameters in before:
            _, needed = parameters[0]
            for parameter in place.parameters:  # those that a method made within the context
                parameter.requires_grad_(needed)
            for parameter, its in parameters:
                parameter.requires_grad_(its)
