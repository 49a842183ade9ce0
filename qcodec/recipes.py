"""Recipes: choose a codec for each tensor of a model by its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ._base.patterns import exactly
from ._recipe import Recipe
from .codecs import (
    CODECS,
    Affine,
    Codebook,
    Codec,
    DeepCompression,
    Delta,
    Levels,
    Sparse,
    Ternary,
    TrainedTernary,
    from_config,
)
from .codecs.pruning import Density
from .codecs.rules import (
    KEEP,
    Rule,
    codec_of,
    idle_rules,
    parse_arguments,
    parse_rule,
    raise_unknown,
    warn_of_unmatched,
)

__all__ = [
    "KEEP",
    "READY_MADE",
    "Recipe",
    "Rule",
    "as_recipe",
    "codec_of",
    "exactly",
    "idle_rules",
    "parse_recipe",
    "parse_rule",
    "recipe_for",
]


def recipe_for(recipe: Any, names: Collection[str]) -> Recipe:
    """Make a recipe as `as_recipe` does, and check its rules against the tensors' names.

    A mapping was written for these tensors, so a rule that applies to none of them is an
    error. A `Recipe` may be shared by several models, so there such a rule only gives a
    warning.

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
        warn_of_unmatched(made.rules, names)
    return made


def as_recipe(recipe: Recipe | Codec | Mapping[str, Any] | str | None) -> Recipe:
    """Make a recipe from what `save_file` takes as `recipe`.

    Parameters
    ----------
    recipe : Recipe, Codec, mapping, str or None
        A codec applies to all weights, and `Delta` to all tensors. A mapping of patterns to
        codecs is a list of rules, each of which must apply to some tensor. A string is as
        `parse_recipe` takes it. None is lossless.

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
        return parse_recipe(recipe)
    if isinstance(recipe, Mapping):
        return Recipe(tuple(Rule(pattern, codec_of(codec)) for pattern, codec in recipe.items()))
    if isinstance(recipe, Delta):  # lossless, so it is safe for biases and norms too
        return Recipe(weights=recipe, others=recipe)
    if isinstance(recipe, Codec):
        return Recipe(weights=recipe)
    raise TypeError(f"a recipe is a Recipe, a codec, a dict or a name, not {type(recipe).__name__}")


_CALL = re.compile(r"(?P<name>[A-Za-z][\w-]*)(\((?P<arguments>.*)\))?", re.DOTALL)


def parse_recipe(text: str) -> Recipe:
    """Make a recipe from a name, or from ``NAME(ARGUMENTS)``.

    Parameters
    ----------
    text : str
        The name of a ready-made recipe, or the id of a codec for the weights. Arguments change
        the codec of the weights; they are TOML as in an inline table, or a JSON object.
        ``density`` prunes each tensor of weights to this part of its elements, those of largest
        magnitude.

    Raises
    ------
    TypeError, ValueError
        If there is no such recipe, or the codec does not take the arguments.

    Examples
    --------
    >>> parse_recipe("nf4(group=128)").weights
    Levels(levels='nf4', unit='max', per=None, group=128, scale_dtype='float32')
    >>> parse_recipe("deep-compression(bits=4, density=0.1)").weights.prune
    Density(density=0.1)
    >>> parse_recipe("codebook(bits=3)").weights.bits
    3
    """
    match = _CALL.fullmatch(text)
    name = match["name"] if match else text
    if match is None or (name not in READY_MADE and name not in CODECS):
        raise_unknown(
            name, tuple(dict.fromkeys((*READY_MADE, *CODECS))), "a ready-made recipe or a codec"
        )
    fields = parse_arguments(match["arguments"] or "")
    density = fields.pop("density", None)
    if name in READY_MADE:
        recipe = READY_MADE[name]
    else:
        recipe, fields = as_recipe(from_config({"id": name, **fields})), {}
    if fields or density is not None:
        if recipe.weights is None or recipe.weights.is_lossless:
            raise ValueError(f"{text!r}: {name} has no codec that could be changed")
        config = {**recipe.weights.get_config(), **fields}
        recipe = replace(recipe, weights=_pruned(from_config(config), density))
    return recipe


def _pruned(codec: Codec, density: float | None) -> Codec:
    if density is None:
        return codec
    if isinstance(codec, DeepCompression | Sparse):
        return replace(codec, prune=Density(density))
    return Sparse(codec, Density(density))


#: How much may be lost of a net that is not trained again, measured in docs/quality.md.
QUALITIES: dict[str, Recipe] = {
    "high": Recipe(weights=Affine(bits=10, per=0, symmetric=True)),
    "medium": Recipe(weights=Affine(bits=8, per=0, symmetric=True)),
    "small": Recipe(weights=Affine(bits=8, rate=0.01)),
}
#: Recipes that `save_file` and the command line know by name. All but the first quantize weights.
#: "deep-compression" is for nets in which pruned weights are already zero, or with a density.
READY_MADE: dict[str, Recipe] = {
    "lossless": Recipe(),
    "deep-compression": Recipe(weights=DeepCompression(bits=5)),
    "ternary": Recipe(weights=Ternary()),
    "ttq": Recipe(weights=TrainedTernary()),
    "bitnet": Recipe(weights=Levels("ternary", unit="mean")),
    "int8": Recipe(weights=Affine(bits=8, per=0, symmetric=True)),
    "codebook4": Recipe(weights=Codebook(bits=4)),
    "nf4": Recipe(weights=Levels("nf4", group=64)),
    "mxfp4": Recipe(weights=Levels("fp4", group=32, scale_dtype="float8_e8m0fnu")),
    "q4_0-like": Recipe(weights=Affine(bits=4, group=32, symmetric=True)),
    "q8_0-like": Recipe(weights=Affine(bits=8, group=32, symmetric=True)),
}
