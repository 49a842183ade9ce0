"""Checks of arguments that several codecs and quantizers share."""

from __future__ import annotations

import math
from collections.abc import Iterable


def check_integer(name: str, value: object, minimum: int, maximum: int | None = None) -> None:
    """Check that an argument is an integer in a range.

    Raises
    ------
    TypeError
        If it is not an int; a bool is refused too.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> check_integer("bits", 17, 1, 16)
    Traceback (most recent call last):
        ...
    ValueError: bits=17: allowed are 1 to 16
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: allowed is an int")
    if maximum is None and value < minimum:
        raise ValueError(f"{name}={value}: allowed is {minimum} and more")
    if maximum is not None and not minimum <= value <= maximum:
        raise ValueError(f"{name}={value}: allowed are {minimum} to {maximum}")


def check_choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Check that an argument is one of the allowed values.

    Raises
    ------
    TypeError
        If no allowed value has its type; True and 1.0 do not count as 1.
    ValueError
        If it is not one of the allowed values.

    Examples
    --------
    >>> check_choice("step", "mean", ("mse", "max"))
    Traceback (most recent call last):
        ...
    ValueError: step='mean': allowed are 'mse', 'max'
    """
    choices = tuple(allowed)
    alike = [choice for choice in choices if type(choice) is type(value)]
    if value not in alike:
        kind = ValueError if alike else TypeError
        raise kind(f"{name}={value!r}: allowed are {', '.join(map(repr, choices))}")


def check_bool(name: str, value: object) -> None:
    """Check that an argument is True or False.

    Raises
    ------
    TypeError
        If it is neither; NumPy's bool is refused too.

    Examples
    --------
    >>> check_bool("symmetric", 1)
    Traceback (most recent call last):
        ...
    TypeError: symmetric=1: allowed are True and False
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: allowed are True and False")


def check_number(
    name: str,
    value: object,
    minimum: float,
    below: float = math.inf,
    *,
    maximum: float | None = None,
) -> None:
    """Check that an argument is a number in [minimum, below), or in [minimum, maximum].

    Raises
    ------
    TypeError
        If it is not an int or float, the types of numbers in JSON.
    ValueError
        If it is out of range, infinite, or NaN.

    Examples
    --------
    >>> check_number("threshold", 1.0, 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: threshold=1.0: allowed is at least 0 and below 1
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: allowed is a number")
    if maximum is not None:
        if not minimum <= value <= maximum:
            raise ValueError(f"{name}={value}: allowed are {minimum} to {maximum}")
    elif not minimum <= value < below:
        end = "finite" if below == math.inf else f"below {below}"
        raise ValueError(f"{name}={value}: allowed is at least {minimum} and {end}")
