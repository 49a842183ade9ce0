"""Configurations: conversion of dataclasses to plain JSON values and back."""

from __future__ import annotations

import dataclasses
import difflib
import reprlib
from collections.abc import Mapping
from typing import Any, ClassVar

#: How deep configurations may be nested, such as a codec inside a `Sparse` one.
MAX_DEPTH = 4

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 72, 72
_shown = _SHORT.repr


class Configurable:
    """A frozen dataclass that has an id and can be written as JSON.

    Attributes
    ----------
    codec_id : str
        The value of ``"id"`` in configurations.
    """

    codec_id: ClassVar[str]

    def get_config(self) -> dict[str, Any]:
        """Return the configuration as a dict of JSON values: ``"id"`` and every parameter.

        Examples
        --------
        >>> from qcodec.codecs import Affine
        >>> Affine(4).get_config()
        {'id': 'affine', 'bits': 4, 'per': None, 'group': None, 'symmetric': False, 'rate': 0.0}
        """
        config: dict[str, Any] = {"id": self.codec_id}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            config[field.name] = value.get_config() if isinstance(value, Configurable) else value
        return config


def build(config: Mapping[str, Any], table: Mapping[str, type[Any]], depth: int = 1) -> Any:
    """Make the object that a configuration describes.

    Parameters
    ----------
    config : mapping
        As `Configurable.get_config` returns it. Parameters with a default are optional.
    table : mapping of str to type
        The classes that may occur, by id.
    depth : int, optional
        How deep this configuration is nested; at most `MAX_DEPTH`.

    Raises
    ------
    TypeError
        If the configuration or its id has the wrong type, or a parameter is missing.
    ValueError
        If the id or a key is unknown; the message names the nearest known one. If
        configurations are nested too deeply, such as one that contains itself.

    Examples
    --------
    >>> from qcodec.codecs import CODECS
    >>> build({"id": "afine", "bits": 4}, CODECS)
    Traceback (most recent call last):
        ...
    ValueError: unknown id 'afine'; did you mean 'affine'?
    """
    if not isinstance(config, Mapping):
        raise TypeError(f"a configuration is a dict with an 'id', found {_shown(config)}")
    if depth > MAX_DEPTH:
        raise ValueError(f"configurations are nested more than {MAX_DEPTH} deep")
    codec_id = config.get("id")
    if not isinstance(codec_id, str):
        found = "no 'id'" if codec_id is None else f"the id {_shown(codec_id)}, allowed is a str"
        raise TypeError(f"{_shown(dict(config))} has {found}; {_ids_with(config, table)}")
    if codec_id not in table:
        raise ValueError(f"unknown id {_shown(codec_id)}; {_nearest(codec_id, table)}")
    cls = table[codec_id]
    fields = {field.name: field for field in dataclasses.fields(cls)}
    parameters = {key: value for key, value in config.items() if key != "id"}
    for key, value in parameters.items():
        if key not in fields:
            near = _nearest(str(key), fields)
            raise ValueError(f"{codec_id} has no parameter {_shown(key)}; {near}")
        if isinstance(value, Mapping):
            parameters[key] = _nested(codec_id, key, value, table, depth + 1)
    for name, field in fields.items():
        if name not in parameters and field.default is dataclasses.MISSING:
            known = ", ".join(fields)
            raise TypeError(f"{codec_id} needs the parameter {name!r}; it has {known}")
    return cls(**parameters)


def _nested(
    codec_id: str, key: str, value: Mapping[str, Any], table: Mapping[str, type[Any]], depth: int
) -> Any:
    try:
        return build(value, table, depth)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{key} of {codec_id}: {error}") from None


def _ids_with(config: Mapping[str, Any], table: Mapping[str, type[Any]]) -> str:
    """Suggest ids for a configuration without one."""
    keys = config.keys() - {"id"}
    ids = [
        name
        for name, cls in table.items()
        if keys <= {field.name for field in dataclasses.fields(cls)}
    ]
    return f"ids with these parameters: {', '.join(ids)}" if ids else _nearest("", table)


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {', '.join(sorted(known)) or 'none'}"
