"""Checks of rules: mappings from regular expressions to what shall be done."""

from __future__ import annotations

import re
from collections.abc import Mapping


def check_rules(argument: str, rules: object, *allowed: type) -> None:
    """Check a mapping of rules before anything is done with it.

    Parameters
    ----------
    argument : str
        Its name.
    rules : mapping of str
    allowed : type
        Of its values; a bool is no int.

    Raises
    ------
    TypeError
        If it is no mapping, a pattern is no string, or a value is of another type.
    ValueError
        If it is empty, or a pattern is no regular expression.

    Examples
    --------
    >>> check_rules("constraints", {"weight": 0.1}, int)
    Traceback (most recent call last):
        ...
    TypeError: constraints: found float for 'weight', allowed int
    """
    if not isinstance(rules, Mapping):
        raise TypeError(f"{argument}: found {type(rules).__name__}, allowed is a mapping of rules")
    if not rules:
        raise ValueError(f"{argument}: found no rule, allowed is at least one")
    for pattern, rule in rules.items():
        if not isinstance(pattern, str):
            kind = type(pattern).__name__
            raise TypeError(f"{argument}: found a pattern of type {kind}, allowed is str")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"{argument}: found {pattern!r}, allowed are regular expressions: {error}"
            ) from error
        if not isinstance(rule, allowed) or isinstance(rule, bool):
            names = ", ".join(kind.__name__ for kind in allowed)
            raise TypeError(
                f"{argument}: found {type(rule).__name__} for {pattern!r}, allowed {names}"
            )
