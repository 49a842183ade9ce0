"""What rules may say of a tensor or a layer."""

from __future__ import annotations

from ..messages import quoted


def check_rule(name: str, rule: object, *allowed: type) -> None:
    """Raise TypeError if a rule is of none of the types that are allowed; a bool is no int.

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
