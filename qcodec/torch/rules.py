"""Checks of rules for tensors and layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from .._base.messages import names_text, quoted
from .._base.patterns import Pattern, Patterns

_Rule = TypeVar("_Rule")


def check_rule(name: str, rule: object, *allowed: type) -> None:
    """Raise TypeError if a rule has none of the allowed types. A bool is not an int here.

    Examples
    --------
    >>> check_rule("fc.weight", 0.1, int)
    Traceback (most recent call last):
        ...
    TypeError: tensor 'fc.weight': found float, allowed int
    """
    if not isinstance(rule, allowed) or isinstance(rule, bool):
        names = ", ".join(kind.__name__ for kind in allowed)
        raise TypeError(f"tensor {quoted(name)}: found {type(rule).__name__}, allowed {names}")


def patterns_of(rules: Mapping[str, Any]) -> list[Pattern]:
    """Compile the patterns of rules.

    Raises
    ------
    TypeError, ValueError
        If the rules are not a mapping or are empty, or a key is not a regular expression.
    """
    if not isinstance(rules, Mapping):
        raise TypeError(
            f"rules: found {type(rules).__name__}, allowed is a mapping of regular expressions "
            "for the names of tensors"
        )
    if not rules:
        raise ValueError("rules: found none, allowed is at least one")
    return [Pattern(text) for text in rules]


def check_unused(patterns: Sequence[Pattern], names: Sequence[str]) -> None:
    """Raise ValueError if a pattern matches none of the names."""
    known = frozenset(names)
    found = Patterns(patterns).found_in(known)
    unused = [pattern.text for at, pattern in enumerate(patterns) if at not in found]
    if unused:
        raise ValueError(
            f"no parameter matches {names_text(unused)}; there are {names_text(names)}"
        )


def agreed(by_name: Mapping[str, _Rule]) -> _Rule:
    """The rule of a tied parameter. Raises ValueError if its names have different rules."""
    (first, rule), *others = by_name.items()
    for name, other in others:
        if other is not rule and other != rule:
            raise ValueError(
                f"{quoted(first)} and {quoted(name)} are one parameter: found the rules {rule} "
                f"and {other}, allowed is one"
            )
    return rule
