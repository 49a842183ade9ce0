"""Checks of arguments that several codecs and quantizers share."""

from __future__ import annotations

from collections.abc import Iterable


def check_integer(name: str, value: object, least: int, most: int | None = None) -> None:
    """Check that an argument is an integer in a range.

    Raises
    ------
    TypeError
        If it is none; True and False are none either.
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
    if most is None and value < least:
        raise ValueError(f"{name}={value}: allowed is {least} and more")
    if most is not None and not least <= value <= most:
        raise ValueError(f"{name}={value}: allowed are {least} to {most}")


def check_choice(name: str, value: object, allowed: Iterable[object]) -> None:
    """Check that an argument is one of those that are allowed.

    Raises
    ------
    ValueError
        If it is not.

    Examples
    --------
    >>> check_choice("step", "mean", ("mse", "max"))
    Traceback (most recent call last):
        ...
    ValueError: step='mean': allowed are 'mse', 'max'
    """
    choices = tuple(allowed)
    if value not in choices:
        raise ValueError(f"{name}={value!r}: allowed are {', '.join(map(repr, choices))}")


def check_number(name: str, value: object, least: float, below: float) -> None:
    """Check that an argument is a number in [least, below).

    Raises
    ------
    TypeError
        If it is none.
    ValueError
        If it is out of range, or NaN.

    Examples
    --------
    >>> check_number("threshold", 1.0, 0, 1)
    Traceback (most recent call last):
        ...
    ValueError: threshold=1.0: allowed is at least 0 and below 1
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: allowed is a number")
    if not least <= value < below:
        raise ValueError(f"{name}={value}: allowed is at least {least} and below {below}")
