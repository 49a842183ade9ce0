"""Rules: assign a codec to all tensors whose name matches a regular expression."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any, NoReturn

from .._base.config import Configurable
from .._base.messages import quoted
from .._base.patterns import Pattern, Patterns
from .._base.toml import toml_value
from ..errors import warn_caller
from . import Codec, from_config

#: In a recipe: leave the tensor alone, as an ordinary safetensors tensor.
KEEP = "keep"
_RULE_KEYS = ("tensor", "codec")
# To suggest names for a rule without a match: how many names are compared, their greatest length,
# and how many are shown.
_MAX_COMPARED, _MAX_LENGTH, _SHOWN = 2000, 200, 3
# How many rules without a match get their own warning: comparing names takes long.
_MAX_WARNINGS = 10


@dataclass(frozen=True)
class Rule:
    """Assigns a codec to all tensors whose name matches a regular expression.

    Parameters
    ----------
    pattern : str
        Searched for anywhere in the name; ``^`` and ``$`` anchor it. `exactly` makes the
        pattern for a single name; a recipe may have many thousands of those.
    codec : Codec or None
        None leaves the tensor alone.

    Examples
    --------
    >>> from qcodec.recipes import exactly
    >>> rule = Rule(exactly("fc.weight"), None)
    >>> rule.matches("fc.weight"), rule.matches("fc_weight"), Rule("fc", None).matches("fc.weight")
    (True, False, True)
    """

    pattern: str
    codec: Codec | None
    _pattern: Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", Pattern(self.pattern))
        check_codec_or_none("codec", self.codec)

    def matches(self, name: str) -> bool:
        """Whether the rule applies to a tensor of this name."""
        return self._pattern.finds(name)

    def with_codec(self, codec: Codec | None) -> Rule:
        """Return the same rule with another codec; its pattern is not compiled again."""
        check_codec_or_none("codec", codec)
        changed = copy(self)
        object.__setattr__(changed, "codec", codec)
        return changed


def patterns_of(rules: Iterable[Rule]) -> Patterns:
    """Return the patterns of all rules, for looking up names."""
    return Patterns(rule._pattern for rule in rules)


def check_codec_or_none(name: str, codec: object) -> None:
    """Raise `TypeError` unless this is a codec or None."""
    if codec is not None and not isinstance(codec, Codec):
        raise TypeError(f"{name}={codec!r}: allowed are None and a codec, such as Lossless()")


def rule_of(fields: Any) -> Rule:
    """Make a rule from a table ``{"tensor": pattern, "codec": codec}``."""
    if not isinstance(fields, Mapping):
        raise ValueError(f"a rule is a table of tensor and codec, not {type(fields).__name__}")
    check_keys(fields, _RULE_KEYS, "a rule")
    missing = [key for key in _RULE_KEYS if key not in fields]
    if missing:
        raise ValueError(f"a rule has no {missing[0]!r}")
    if not isinstance(fields["tensor"], str):
        raise ValueError(f"a rule's tensor is a regular expression, not {fields['tensor']!r}")
    return Rule(fields["tensor"], codec_of(fields["codec"]))


def codec_of(value: Codec | Mapping[str, Any] | str | None) -> Codec | None:
    """Return a codec, given a codec, its configuration or its name; None for ``"keep"``.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    if value is None or value == KEEP:
        return None
    if isinstance(value, str):
        value = {"id": value}
    if isinstance(value, Mapping):
        return from_config(dict(value))
    if isinstance(value, Codec):
        return value
    found = type(value).__name__
    raise TypeError(f"codec: found {found}; allowed are a codec, its configuration and its name")


_RULE = re.compile(r"(?P<pattern>.*)=(?P<codec>[A-Za-z]\w*)(\((?P<arguments>.*)\))?", re.DOTALL)


def parse_rule(text: str) -> Rule:
    """Make a rule from ``REGEX=CODEC`` or ``REGEX=CODEC(ARGUMENTS)``.

    Parameters
    ----------
    text : str
        The arguments are TOML as in an inline table, or a JSON object.

    Raises
    ------
    TypeError, ValueError
        If the text is not of that form, or the codec does not take the arguments.

    Examples
    --------
    >>> parse_rule("attn.*weight=codebook(bits=4)").codec.get_config()["bits"]
    4
    >>> parse_rule("^embed=keep").codec is None
    True
    """
    try:
        return _parsed_rule(text)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{text!r}: {error}") from None


def _parsed_rule(text: str) -> Rule:
    match = _RULE.fullmatch(text)
    if match is None:
        raise ValueError("is not REGEX=CODEC or REGEX=CODEC(ARGUMENTS)")
    if match["codec"] == KEEP:
        return Rule(match["pattern"], None)
    arguments = parse_arguments(match["arguments"] or "")
    return Rule(match["pattern"], codec_of({"id": match["codec"], **arguments}))


def codec_text(codec: Codec | None) -> str:
    """Return a codec as `parse_rule` reads it, without the parameters that have their defaults.

    A base that is no path has no text, and is left out.

    Examples
    --------
    >>> from qcodec import Affine, Density, Sparse
    >>> codec_text(Sparse(Affine(8, per=0, symmetric=True), Density(0.1)))
    'sparse(codec = {id = "affine", bits = 8, per = 0, symmetric = true}, prune = {id = "density", \
density = 0.1})'
    >>> codec_text(None)
    'keep'
    """
    if codec is None:
        return KEEP
    parameters = _changed(codec)
    name = parameters.pop("id")
    inside = ", ".join(f"{key} = {toml_value(value)}" for key, value in parameters.items())
    return f"{name}({inside})" if inside else name


def _changed(config: Configurable) -> dict[str, Any]:
    """Return the id, and the parameters that do not have their defaults."""
    found: dict[str, Any] = {"id": config.codec_id}
    for one in fields(config):  # type: ignore[arg-type]
        value = getattr(config, one.name)
        if isinstance(value, Configurable):
            found[one.name] = _changed(value)
        elif isinstance(value, bool | int | float | str | tuple) and value != one.default:
            found[one.name] = value
    return found


def parse_arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a codec, given as in an inline table of TOML, or as a JSON object.

    Raises
    ------
    ValueError
        If the text is neither, or names an ``id``.

    Examples
    --------
    >>> parse_arguments("bits=4, per=0")
    {'bits': 4, 'per': 0}
    """
    import json
    import tomllib

    text = text.strip()
    try:
        is_json = text.startswith("{")
        fields = json.loads(text) if is_json else tomllib.loads(f"a = {{{text}}}")["a"]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the arguments are neither TOML nor JSON: {error}") from None
    if "id" in fields:
        raise ValueError("'id' is not an argument: the codec's name before the brackets is its id")
    found: dict[str, Any] = fields
    return found


def idle_rules(rules: Sequence[Rule], names: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield the index of each rule that applies to no tensor, and the message about it.

    Examples
    --------
    >>> from qcodec import Ternary
    >>> rules = [Rule("conv", None), Rule("conv1", Ternary())]
    >>> list(idle_rules(rules, ["conv1.weight"]))
    [(1, "rule 'conv1' applies to no tensor: earlier rules match first")]
    """
    known = frozenset(names)
    patterns = patterns_of(rules)
    idle = set(range(len(rules))).difference(map(patterns.first, known))
    found = patterns.found_in(known) if idle else set()
    for at in sorted(idle):
        rule = rules[at]
        hidden = f"rule {rule.pattern!r} applies to no tensor: earlier rules match first"
        yield at, hidden if at in found else _unmatched(rule, names)


def warn_of_unmatched(rules: Iterable[Rule], names: Collection[str]) -> None:
    """Warn of the rules that match no name; if there are many, only the first are named."""
    known = frozenset(names)
    rules = list(rules)
    found = patterns_of(rules).found_in(known)
    unmatched = [rule for at, rule in enumerate(rules) if at not in found]
    for rule in unmatched[:_MAX_WARNINGS]:
        warn_caller(_unmatched(rule, names))
    more = len(unmatched) - _MAX_WARNINGS
    if more > 0:
        warn_caller(f"{more:,} more rules match no tensor")


def _unmatched(rule: Rule, names: Collection[str]) -> str:
    import difflib

    wanted = rule._pattern.names[0] if rule._pattern.names else rule.pattern.strip("^$")
    some = [name for name in islice(names, _MAX_COMPARED) if len(name) <= _MAX_LENGTH]
    near = difflib.get_close_matches(wanted, some, _SHOWN, 0)
    nearest = f"nearest: {', '.join(map(quoted, near))}" if near else "there are none"
    return f"rule {rule.pattern!r} matches no tensor; {nearest}"


def check_keys(fields: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """Raise `ValueError` for an unknown key."""
    for key in fields:
        if key not in known:
            raise_unknown(key, known, f"a key of {what}")


def raise_unknown(name: str, known: tuple[str, ...], what: str) -> NoReturn:
    """Raise `ValueError` for an unknown name; the message suggests the nearest known one."""
    import difflib

    nearest = difflib.get_close_matches(name, known, 1, 0)[0]
    raise ValueError(f"{name!r} is not {what}; the nearest is {nearest!r}, of {', '.join(known)}")
