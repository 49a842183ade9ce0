"""``recipe show|check``: prints a recipe as TOML, and what it does to the tensors of a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .._base.messages import one_line
from ..codecs import Codec
from ..codecs.rules import codec_text
from ..files import safe_open
from ..recipes import KEEP, READY_MADE, Recipe, idle_rules, parse_recipe
from .arguments import add_limits
from .faults import REPORTED, DataError, UsageError, line_of
from .text import counted, print_json, say, table

HELP = "show a recipe as TOML, or check it against a file"
#: Longer names and codecs are shortened.
_MAX_CELL = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    commands = parser.add_subparsers(title="commands", metavar="show|check", required=True)
    show = commands.add_parser(
        "show", help="print a recipe as TOML, to change it", allow_abbrev=False
    )
    show.add_argument("recipe", metavar="RECIPE", nargs="?", help=_RECIPE)
    show.set_defaults(what=_show)
    check = commands.add_parser(
        "check", help="print which codec each tensor of a file gets", allow_abbrev=False
    )
    check.add_argument("recipe", metavar="RECIPE", help=_RECIPE)
    check.add_argument("input", metavar="FILE")
    add_limits(check)
    check.set_defaults(what=_check)


_RECIPE = f"a TOML file, or one of {', '.join(READY_MADE)}, perhaps with (ARGUMENTS)"


def run(options: argparse.Namespace) -> int:
    """Run ``show`` or ``check``."""
    return int(options.what(options))


def recipe_of(source: str, what: str) -> Recipe:
    """Return the recipe of a TOML file, or of a name, perhaps with arguments.

    Parameters
    ----------
    source : str
    what : str
        The argument, for messages.
    """
    path = Path(source)
    try:
        if path.suffix.lower() == ".toml" or path.is_file():
            return Recipe.from_toml(path)
        return parse_recipe(source)
    except FileNotFoundError:
        raise UsageError(f"{what} {source}: no such file") from None
    except REPORTED as error:
        raise UsageError(line_of(error, f"{what} {source}")) from error


def _show(options: argparse.Namespace) -> int:
    if options.recipe is None:
        rows = [[name, codec_text(recipe.weights)] for name, recipe in READY_MADE.items()]
        if options.json:
            print_json({name: recipe.to_dict() for name, recipe in READY_MADE.items()})
        else:
            say(table(("recipe", "codec of weights"), rows, left=2))
        return 0
    recipe = recipe_of(options.recipe, "RECIPE")
    if options.json:
        print_json(recipe.to_dict())
    else:
        say(recipe.to_toml().removesuffix("\n"))
    return 0


def _check(options: argparse.Namespace) -> int:
    recipe = recipe_of(options.recipe, "RECIPE")
    with safe_open(options.input, backend="pread", limits=options.limits) as file:
        names = list(file.keys())
        rows: list[dict[str, Any]] = []
        for name in names:
            shape, dtype = tuple(file.get_slice(name).get_shape()), file.element_type(name).name
            codec = recipe.codec_for(name, shape, dtype)
            why = "" if recipe.has_rule_for(name) else recipe.why_no_weight(shape, dtype)
            rows.append({"name": name, "shape": shape, "dtype": dtype, "codec": codec, "why": why})
    for _, fault in idle_rules(recipe.rules, names):
        raise DataError(f"{options.recipe}: {fault}")
    if options.json:
        print_json([{**row, "codec": _config(row["codec"])} for row in rows])
        return 0
    cells = [
        [
            one_line(row["name"], _MAX_CELL),
            "x".join(map(str, row["shape"])) or "scalar",
            one_line(codec_text(row["codec"]), _MAX_CELL),
            row["why"],
        ]
        for row in rows
    ]
    say(table(("tensor", "shape", "codec", "why"), cells, left=4))
    say(f"{counted(len(rows), 'tensor')}; every rule applies")
    return 0


def _config(codec: Codec | None) -> Any:
    return KEEP if codec is None else codec.get_config()
