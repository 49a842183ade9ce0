"""Recipes: which codec each tensor of a model gets, by its name."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from ._base.checks import check_integer
from ._base.messages import quoted
from ._base.patterns import Pattern, Patterns, exactly
from .codecs import Affine, Codebook, Codec, DeepCompression, Delta, Lossless, Ternary, from_config
from .dtypes import QUANTIZABLE
from .errors import warn_caller

__all__ = [
    "KEEP",
    "READY_MADE",
    "Recipe",
    "Rule",
    "as_recipe",
    "codec_of",
    "exactly",
    "idle_rules",
    "parse_rule",
    "recipe_for",
]

#: In a recipe: leave the tensor alone, as an ordinary safetensors tensor.
KEEP = "keep"
_KEYS = ("rules", "weights", "others", "min_elements")
_RULE_KEYS = ("tensor", "codec")
_LOSSLESS = Lossless()
# Names that are compared with a rule that matches none, their characters, and those shown.
_MAX_COMPARED, _MAX_LENGTH, _SHOWN = 2000, 200, 3
# Rules that match nothing which get a warning each: comparing names takes long.
_MAX_WARNINGS = 10


@dataclass(frozen=True)
class Rule:
    """The codec of all tensors whose name a regular expression finds.

    Parameters
    ----------
    pattern : str
        Searched for anywhere in the name; ``^`` and ``$`` bind it to the ends. For a tensor by
        its exact name, `exactly` makes the pattern; a recipe may have many thousands of those.
    codec : Codec or None
        None leaves the tensor alone.

    Examples
    --------
    >>> rule = Rule(exactly("fc.weight"), None)
    >>> rule.matches("fc.weight"), rule.matches("fc_weight"), Rule("fc", None).matches("fc.weight")
    (True, False, True)
    """

    pattern: str
    codec: Codec | None
    _pattern: Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", Pattern(self.pattern))
        _check_codec("codec", self.codec)

    def matches(self, name: str) -> bool:
        """Whether the rule is about a tensor of this name."""
        return self._pattern.finds(name)

    def with_codec(self, codec: Codec | None) -> Rule:
        """The same rule with another codec; its pattern is not compiled again."""
        _check_codec("codec", codec)
        changed = copy(self)
        object.__setattr__(changed, "codec", codec)
        return changed


@dataclass(frozen=True)
class Recipe:
    """Which codec each tensor gets: the first rule that matches, or one of two defaults.

    A rule holds whatever the tensor is. Tensors that no rule matches are weights if
    they are of a float type that can be quantized, have at least two dimensions and
    `min_elements` elements; biases, norms, integers and small tensors are the others.

    A recipe may be shared by several models, so a rule that matches no tensor of one gives a
    `QCodecWarning` when its tensors are saved, as do weights to quantize where there are none.

    Parameters
    ----------
    rules : sequence of Rule
    weights : Codec or None
        For weights that no rule matches; None leaves them alone.
    others : Codec or None
        For everything else.
    min_elements : int

    Examples
    --------
    >>> from qcodec import Codebook, Lossless
    >>> recipe = Recipe([Rule("^embed", None)], weights=Codebook(bits=4))
    >>> recipe.codec_for("fc.weight", (300, 784), "float32") == Codebook(bits=4)
    True
    >>> recipe.codec_for("fc.bias", (300,), "float32") == Lossless()
    True
    >>> recipe.codec_for("embed.weight", (1000, 64), "float32") is None
    True
    """

    rules: tuple[Rule, ...] = ()
    weights: Codec | None = _LOSSLESS
    others: Codec | None = _LOSSLESS
    min_elements: int = 1024
    _patterns: Patterns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", tuple(self.rules))
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise TypeError(f"rules has {rule!r}: allowed are instances of Rule")
        _check_codec("weights", self.weights)
        _check_codec("others", self.others)
        check_integer("min_elements", self.min_elements, 0)
        object.__setattr__(self, "_patterns", _patterns(self.rules))

    def codec_for(self, name: str, shape: tuple[int, ...], dtype: str) -> Codec | None:
        """The codec of a tensor, or None to leave it alone.

        Parameters
        ----------
        name : str
        shape : tuple of int
        dtype : str
            The element type's name.
        """
        place = self._patterns.first(name)
        if place is not None:
            return self.rules[place].codec
        return self.others if self.why_no_weight(shape, dtype) else self.weights

    def why_no_weight(self, shape: tuple[int, ...], dtype: str) -> str:
        """Why `weights` is not for a tensor that no rule matches; empty if it is.

        Examples
        --------
        >>> Recipe().why_no_weight((512,), "float32"), Recipe().why_no_weight((32, 32), "float32")
        ('fewer than two dimensions', '')
        """
        if dtype not in QUANTIZABLE:
            return "no float type that can be quantized"
        if len(shape) < 2:
            return "fewer than two dimensions"
        if math.prod(shape) < self.min_elements:
            return f"fewer than {self.min_elements:,} elements"
        return ""

    @property
    def is_lossless(self) -> bool:
        """Whether every bit comes back, whatever the tensors are.

        Examples
        --------
        >>> Recipe().is_lossless, Recipe(weights=Codebook(bits=4)).is_lossless
        (True, False)
        """
        codecs = [self.weights, self.others, *(rule.codec for rule in self.rules)]
        return all(codec is None or codec.is_lossless for codec in codecs)

    def with_rules(self, rules: Iterable[Rule]) -> Recipe:
        """The same recipe with rules that come before its own."""
        return Recipe((*rules, *self.rules), self.weights, self.others, self.min_elements)

    def with_codecs(self, change: Callable[[Codec | None], Codec | None]) -> Recipe:
        """The same recipe with other codecs.

        Parameters
        ----------
        change : callable
            Gives the new codec for each codec of the recipe, or for None.

        Examples
        --------
        >>> Recipe(weights=Ternary()).with_codecs(lambda codec: None).weights is None
        True
        """
        rules = tuple(rule.with_codec(change(rule.codec)) for rule in self.rules)
        weights, others = change(self.weights), change(self.others)
        return replace(self, rules=rules, weights=weights, others=others)

    def with_base(self, base: Any) -> Recipe:
        """The same recipe, in which what is lossless is stored against a base.

        Parameters
        ----------
        base : mapping or path-like
            As `Delta` takes it.

        Examples
        --------
        >>> Recipe(weights=Codebook(bits=4)).with_base("base.safetensors").others
        Delta(base='base.safetensors', dtype=None)
        """
        deltas: dict[str | None, Codec] = {}

        def against_base(codec: Codec | None) -> Codec | None:
            if not isinstance(codec, Lossless):
                return codec
            return deltas.setdefault(codec.dtype, Delta(base, codec.dtype))

        return self.with_codecs(against_base)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for JSON or TOML.

        Examples
        --------
        >>> Recipe.from_dict(READY_MADE["int8"].to_dict()) == READY_MADE["int8"]
        True
        """
        return {
            "rules": [
                {"tensor": rule.pattern, "codec": _config_of(rule.codec)} for rule in self.rules
            ],
            "weights": _config_of(self.weights),
            "others": _config_of(self.others),
            "min_elements": self.min_elements,
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """A recipe from plain values, as `to_dict` gives them.

        Parameters
        ----------
        fields : mapping
            ``rules``: a list of ``{"tensor": pattern, "codec": codec}``; ``weights``,
            ``others``: a codec; ``min_elements``: a number. All may be left out. A codec
            is its configuration, its name, or ``"keep"``.

        Raises
        ------
        ValueError
            For a key that is not known (the nearest one is named), or a wrong value.
        """
        _check_keys(fields, _KEYS, "a recipe")
        rules = fields.get("rules", [])
        if not isinstance(rules, list | tuple):
            raise ValueError(f"rules are a list of tables, not {type(rules).__name__}")
        min_elements = fields.get("min_elements", cls.min_elements)
        if type(min_elements) is not int or min_elements < 0:
            raise ValueError(f"min_elements is {min_elements!r}, allowed is a number from 0")
        return cls(
            tuple(_rule(rule) for rule in rules),
            codec_of(fields.get("weights", "lossless")),
            codec_of(fields.get("others", "lossless")),
            min_elements,
        )

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Recipe:
        """A recipe from TOML: a path, or (with a line break in it) the text itself.

        Raises
        ------
        TypeError, ValueError
            If it is not TOML, or not a recipe; as `from_dict` says.
        OSError
            If the file cannot be read.

        Examples
        --------
        >>> recipe = Recipe.from_toml('''
        ... weights = {id = "codebook", bits = 4}
        ...
        ... [[rules]]
        ... tensor = '^embed'
        ... codec = "keep"
        ... ''')
        >>> recipe.rules[0].codec is None
        True
        """
        is_text = isinstance(source, str) and "\n" in source
        text = str(source).encode() if is_text else Path(source).read_bytes()
        try:
            fields = tomllib.loads(text.decode())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not TOML: {error}") from None
        return cls.from_dict(fields)


def recipe_for(recipe: Any, names: Collection[str]) -> Recipe:
    """The recipe that was asked for, when the tensors' names are known.

    Every rule of a mapping must apply to some tensor: it was written for these tensors, so one
    that does not is a mistake. A `Recipe` may be shared by several models, so of its rules
    those that match nothing only give a warning.

    Parameters
    ----------
    recipe : Recipe, Codec, mapping, str or None
        As for `as_recipe`.
    names : collection of str

    Raises
    ------
    TypeError, ValueError
        As `as_recipe` does, and if a rule of a mapping applies to no tensor.

    Examples
    --------
    >>> recipe_for({"atn": Ternary()}, ["attn.weight", "norm.weight"])
    Traceback (most recent call last):
        ...
    ValueError: rule 'atn' matches no tensor; nearest: 'attn.weight', 'norm.weight'
    """
    made = as_recipe(recipe)
    if isinstance(recipe, Mapping):
        for _, fault in idle_rules(made.rules, names):
            raise ValueError(fault)
    else:
        _warn_of_unmatched(made.rules, names)
    return made


def idle_rules(rules: Sequence[Rule], names: Collection[str]) -> Iterator[tuple[int, str]]:
    """The place of each rule that applies to no tensor, and what is to be said of it.

    Examples
    --------
    >>> rules = [Rule("conv", None), Rule("conv1", Ternary())]
    >>> list(idle_rules(rules, ["conv1.weight"]))
    [(1, "rule 'conv1' applies to no tensor: earlier rules match first")]
    """
    known = frozenset(names)
    first = set(map(_patterns(rules).first, known))
    for at, rule in enumerate(rules):
        if at not in first:
            hidden = f"rule {rule.pattern!r} applies to no tensor: earlier rules match first"
            yield at, hidden if rule._pattern.finds_any(known) else _unmatched(rule, names)


def _warn_of_unmatched(rules: Iterable[Rule], names: Collection[str]) -> None:
    known = frozenset(names)
    unmatched = [rule for rule in rules if not rule._pattern.finds_any(known)]
    for rule in unmatched[:_MAX_WARNINGS]:
        warn_caller(_unmatched(rule, names))
    more = len(unmatched) - _MAX_WARNINGS
    if more > 0:
        warn_caller(f"{more:,} more rules match no tensor")


def _patterns(rules: Iterable[Rule]) -> Patterns:
    return Patterns(rule._pattern for rule in rules)


def _unmatched(rule: Rule, names: Collection[str]) -> str:
    wanted = rule._pattern.names[0] if rule._pattern.names else rule.pattern.strip("^$")
    some = [name for name in islice(names, _MAX_COMPARED) if len(name) <= _MAX_LENGTH]
    near = difflib.get_close_matches(wanted, some, _SHOWN, 0)
    nearest = f"nearest: {', '.join(map(quoted, near))}" if near else "there are none"
    return f"rule {rule.pattern!r} matches no tensor; {nearest}"


def _check_codec(name: str, codec: object) -> None:
    if codec is not None and not isinstance(codec, Codec):
        raise TypeError(f"{name}={codec!r}: allowed are None and a codec, such as Lossless()")


_RULE = re.compile(r"(?P<pattern>.*)=(?P<codec>[A-Za-z]\w*)(\((?P<arguments>.*)\))?", re.DOTALL)


def parse_rule(text: str) -> Rule:
    """A rule from ``REGEX=CODEC`` or ``REGEX=CODEC(ARGUMENTS)``.

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
    codec, arguments = match["codec"], (match["arguments"] or "").strip()
    if codec == KEEP:
        return Rule(match["pattern"], None)
    try:
        is_json = arguments.startswith("{")
        fields = json.loads(arguments) if is_json else tomllib.loads(f"a = {{{arguments}}}")["a"]
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the arguments are neither TOML nor JSON: {error}") from None
    if "id" in fields:
        raise ValueError("'id' stands before the arguments already")
    return Rule(match["pattern"], codec_of({"id": codec, **fields}))


def as_recipe(recipe: Recipe | Codec | Mapping[str, Any] | str | None) -> Recipe:
    """The recipe that `save_file` was asked for.

    Parameters
    ----------
    recipe : Recipe, Codec, mapping, str or None
        A codec is for all weights, and `Delta` for all tensors; a mapping of patterns to
        codecs is a list of rules, each of which must apply to some tensor; a string is the
        name of a ready-made recipe; None is lossless.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe is None:
        return Recipe()
    if isinstance(recipe, str):
        if recipe not in READY_MADE:
            _unknown(recipe, tuple(READY_MADE), "a ready-made recipe")
        return READY_MADE[recipe]
    if isinstance(recipe, Mapping):
        return Recipe(tuple(Rule(pattern, codec_of(codec)) for pattern, codec in recipe.items()))
    if isinstance(recipe, Delta):  # it loses nothing, so it is for biases and norms too
        return Recipe(weights=recipe, others=recipe)
    if isinstance(recipe, Codec):
        return Recipe(weights=recipe)
    raise TypeError(f"a recipe is a Recipe, a codec, a dict or a name, not {type(recipe).__name__}")


def codec_of(value: Codec | Mapping[str, Any] | str | None) -> Codec | None:
    """A codec from a codec, its configuration, its name, or ``"keep"`` (None).

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
    raise TypeError(f"a codec, its configuration or its name, not {type(value).__name__}")


def _config_of(codec: Codec | None) -> dict[str, Any] | str:
    return KEEP if codec is None else codec.get_config()


def _rule(fields: Any) -> Rule:
    if not isinstance(fields, Mapping):
        raise ValueError(f"a rule is a table of tensor and codec, not {type(fields).__name__}")
    _check_keys(fields, _RULE_KEYS, "a rule")
    missing = [key for key in _RULE_KEYS if key not in fields]
    if missing:
        raise ValueError(f"a rule has no {missing[0]!r}")
    if not isinstance(fields["tensor"], str):
        raise ValueError(f"a rule's tensor is a regular expression, not {fields['tensor']!r}")
    return Rule(fields["tensor"], codec_of(fields["codec"]))


def _check_keys(fields: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for key in fields:
        if key not in known:
            _unknown(key, known, f"a key of {what}")


def _unknown(name: str, known: tuple[str, ...], what: str) -> NoReturn:
    nearest = difflib.get_close_matches(name, known, 1, 0)[0]
    raise ValueError(f"{name!r} is not {what}; the nearest is {nearest!r}, of {', '.join(known)}")


#: Recipes that `save_file` and the command line know by name. Except for the first, they
#: are for weights: "deep-compression" for nets whose pruned weights are zero already.
READY_MADE: dict[str, Recipe] = {
    "lossless": Recipe(),
    "deep-compression": Recipe(weights=DeepCompression(bits=5)),
    "ternary": Recipe(weights=Ternary()),
    "int8": Recipe(weights=Affine(bits=8, per=0, symmetric=True)),
    "codebook4": Recipe(weights=Codebook(bits=4)),
}
