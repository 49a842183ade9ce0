"""`Recipe`: chooses a codec for each tensor of a model by its name."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ._base.checks import check_integer
from ._base.patterns import Patterns
from ._base.toml import toml_value
from .codecs import Codec, Delta, Lossless
from .codecs.rules import (
    KEEP,
    Rule,
    check_codec_or_none,
    check_keys,
    codec_of,
    patterns_of,
    rule_of,
)
from .dtypes import QUANTIZABLE

_KEYS = ("rules", "weights", "others", "min_elements")
_LOSSLESS = Lossless()


@dataclass(frozen=True)
class Recipe:
    """Chooses the codec of each tensor: by the first rule that matches, or by a default.

    A rule applies to every tensor whose name it matches, whatever its type and shape. Among
    the other tensors, those of a float type that can be quantized, with at least two
    dimensions and `min_elements` elements, are weights. The rest (biases, norms, integers and
    small tensors) are others.

    A recipe may be shared by several models. So a rule that matches no tensor only gives a
    `QCodecWarning` when tensors are saved. So does a codec for weights if there are no weights.

    Parameters
    ----------
    rules : sequence of Rule
    weights : Codec or None
        The codec of weights that no rule matches; None leaves them alone.
    others : Codec or None
        The codec of all other tensors that no rule matches.
    min_elements : int
        Smaller tensors are not weights.

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
        check_codec_or_none("weights", self.weights)
        check_codec_or_none("others", self.others)
        check_integer("min_elements", self.min_elements, 0)
        object.__setattr__(self, "_patterns", patterns_of(self.rules))

    def has_rule_for(self, name: str) -> bool:
        """Whether a rule names the tensor."""
        return self._patterns.first(name) is not None

    def codec_for(self, name: str, shape: tuple[int, ...], dtype: str) -> Codec | None:
        """Return the codec of a tensor, or None to leave it alone.

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
        """Say why a tensor that no rule matches does not count as weights; empty if it does.

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
        """Whether every codec of the recipe is lossless.

        Examples
        --------
        >>> from qcodec import Codebook
        >>> Recipe().is_lossless, Recipe(weights=Codebook(bits=4)).is_lossless
        (True, False)
        """
        codecs = [self.weights, self.others, *(rule.codec for rule in self.rules)]
        return all(codec is None or codec.is_lossless for codec in codecs)

    def with_rules(self, rules: Iterable[Rule]) -> Recipe:
        """Return the same recipe with these rules before its own."""
        return Recipe((*rules, *self.rules), self.weights, self.others, self.min_elements)

    def with_codecs(self, change: Callable[[Codec | None], Codec | None]) -> Recipe:
        """Return the same recipe with other codecs.

        Parameters
        ----------
        change : callable
            Takes a codec of the recipe, or None, and returns the one that replaces it.

        Examples
        --------
        >>> from qcodec import Ternary
        >>> Recipe(weights=Ternary()).with_codecs(lambda codec: None).weights is None
        True
        """
        rules = tuple(rule.with_codec(change(rule.codec)) for rule in self.rules)
        weights, others = change(self.weights), change(self.others)
        return replace(self, rules=rules, weights=weights, others=others)

    def with_base(self, base: Any) -> Recipe:
        """Return the same recipe with `Delta` codecs in place of `Lossless` ones.

        Parameters
        ----------
        base : mapping or path-like
            As `Delta` takes it.

        Examples
        --------
        >>> from qcodec import Codebook
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
        """Return the recipe as plain values, for JSON or TOML.

        Examples
        --------
        >>> from qcodec.recipes import READY_MADE
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

    def to_toml(self) -> str:
        """Return the recipe as TOML, which `from_toml` reads.

        Examples
        --------
        >>> from qcodec import Ternary
        >>> print(Recipe([Rule("^embed", None)], weights=Ternary(), min_elements=64).to_toml())
        weights = {id = "ternary", threshold = "exact", scales = 2}
        others = {id = "lossless"}
        min_elements = 64
        <BLANKLINE>
        [[rules]]
        tensor = "^embed"
        codec = "keep"
        <BLANKLINE>
        """
        fields = self.to_dict()
        rules = fields.pop("rules")
        tables = [fields, *rules]
        text = [
            "".join(f"{key} = {toml_value(value)}\n" for key, value in one.items())
            for one in tables
        ]
        return "\n[[rules]]\n".join(text)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Recipe:
        """Make a recipe from plain values, as `to_dict` returns them.

        Parameters
        ----------
        fields : mapping
            ``rules``: a list of ``{"tensor": pattern, "codec": codec}``; ``weights``,
            ``others``: a codec; ``min_elements``: a number. All are optional. A codec
            is its configuration, its name, or ``"keep"``.

        Raises
        ------
        ValueError
            For an unknown key (the message names the nearest known one), or a wrong value.
        """
        check_keys(fields, _KEYS, "a recipe")
        rules = fields.get("rules", [])
        if not isinstance(rules, list | tuple):
            raise ValueError(f"rules are a list of tables, not {type(rules).__name__}")
        min_elements = fields.get("min_elements", cls.min_elements)
        if type(min_elements) is not int or min_elements < 0:
            raise ValueError(f"min_elements is {min_elements!r}, allowed is an int of at least 0")
        return cls(
            tuple(rule_of(rule) for rule in rules),
            codec_of(fields.get("weights", "lossless")),
            codec_of(fields.get("others", "lossless")),
            min_elements,
        )

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Recipe:
        """Make a recipe from TOML: a path, or the text itself if it contains a line break.

        Raises
        ------
        TypeError, ValueError
            If the text is not TOML, or is not a recipe (see `from_dict`).
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
        import tomllib

        is_text = isinstance(source, str) and "\n" in source
        text = str(source).encode() if is_text else Path(source).read_bytes()
        try:
            fields = tomllib.loads(text.decode())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not TOML: {error}") from None
        return cls.from_dict(fields)


def _config_of(codec: Codec | None) -> dict[str, Any] | str:
    return KEEP if codec is None else codec.get_config()
