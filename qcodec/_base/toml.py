"""Values as TOML, which the standard library reads but does not write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it after ``key =``.

    Parameters
    ----------
    value : str, bool, int, float, or a list, tuple or mapping of them
        TOML has no null: keys of mappings whose value is None are left out.

    Examples
    --------
    >>> toml_value({"id": "codebook", "bits": 4, "per": None, "levels": (0, 0.5)})
    '{id = "codebook", bits = 4, levels = [0, 0.5]}'
    """
    if isinstance(value, Mapping):
        fields = (f"{key} = {toml_value(one)}" for key, one in value.items() if one is not None)
        return f"{{{', '.join(fields)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # Strings are those of JSON, but for a control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
