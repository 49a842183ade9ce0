"""Files, recipes and bit allocation against the number of tensors and of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import qcodec
from qcodec import rate_distortion
from qcodec.recipes import Rule, exactly, recipe_for

from .. import data
from ..measure import Job
from .extent import Extent
from .series import Growth, Series, new_folder, up_to

_SIDE = 16
# Each tensor of these takes some milliseconds.
_MOST_ENCODED = 1_000


def series(extent: Extent) -> Iterator[Series]:
    """All of them."""
    numbers = up_to(extent.tensors, 1, 10)
    yield Series("save_file, 16 x 16", "tensors", numbers, _save, each=60)
    yield Series("load_file, 16 x 16", "tensors", numbers, _load, each=8)
    yield Series("safe_open", "tensors", numbers, _open, memory=Growth.LINEAR)
    yield Series("one tensor of an open file", "tensors", numbers, _get_one, time=Growth.CONSTANT)
    for name, pattern_of, time in (
        ("exactly(name)", exactly, Growth.LINEAR),
        ("its name", str, Growth.SORTED),  # the digits of the names grow too
    ):
        make = partial(_recipe, pattern_of)
        title = f"a recipe with a rule for each tensor, {name}"
        yield Series(title, "tensors", numbers, make, time)
    yield Series("at_price, codebooks of 4 bits", "tensors", numbers, _at_price)
    few = up_to(min(extent.tensors, _MOST_ENCODED), 1, 10)
    yield Series("at_price, two codecs", "tensors", few, _at_price_of_two)
    yield Series("at_bytes", "tensors", few, _at_bytes)
    if find_spec("torch") is not None:
        yield Series("whole_bits", "tensors", numbers, _whole_bits, Growth.SORTED)


@cache
def _names(count: int) -> list[str]:
    return [f"model.layers.{at // 8}.part{at % 8}.weight" for at in range(count)]


def _tensors(count: int) -> dict[str, np.ndarray]:
    weights = data.gaussian(count * _SIDE * _SIDE).reshape(count, _SIDE, _SIDE)
    return dict(zip(_names(count), weights, strict=True))


def _save(count: int, opened: ExitStack) -> Job:
    tensors, path = _tensors(count), new_folder(opened) / "net.qcodec"
    return lambda: qcodec.save_file(tensors, path)


def _saved(count: int, opened: ExitStack) -> Path:
    path = new_folder(opened) / "net.qcodec"
    qcodec.save_file(_tensors(count), path)
    return path


def _load(count: int, opened: ExitStack) -> Job:
    path = _saved(count, opened)
    return lambda: qcodec.load_file(path)


def _open(count: int, opened: ExitStack) -> Job:
    path = _saved(count, opened)

    def work() -> None:
        with qcodec.safe_open(path) as file:
            file.keys()

    return work


def _get_one(count: int, opened: ExitStack) -> Job:
    file = opened.enter_context(qcodec.safe_open(_saved(count, opened)))
    last = _names(count)[-1]
    return lambda: file.get_tensor(last)


def _recipe(
    pattern_of: Callable[[str], str],
    count: int,
    opened: ExitStack,  # noqa: ARG001
) -> Job:
    names, codec = _names(count), qcodec.Codebook(4)

    def work() -> None:
        recipe = recipe_for({pattern_of(name): codec for name in names}, names)
        for name in names:
            assert recipe.codec_for(name, (_SIDE, _SIDE), "float32") is codec

    return work


def _at_price(count: int, opened: ExitStack) -> Job:  # noqa: ARG001
    tensors, recipe = _tensors(count), qcodec.Recipe((Rule("", qcodec.Codebook(4)),))
    return lambda: rate_distortion.at_price(tensors, recipe, 1e-4)


def _at_price_of_two(count: int, opened: ExitStack) -> Job:  # noqa: ARG001
    tensors = _tensors(count)
    recipes = [qcodec.Recipe((Rule("", qcodec.Affine(bits)),)) for bits in (2, 4)]
    return lambda: rate_distortion.at_price(tensors, recipes, 1e-4)


def _at_bytes(count: int, opened: ExitStack) -> Job:  # noqa: ARG001
    tensors, recipe = _tensors(count), qcodec.Recipe((Rule("", qcodec.Codebook(4)),))
    budget = 4096 + count * _SIDE * _SIDE // 2
    return lambda: rate_distortion.at_bytes(tensors, recipe, budget, profile="balanced", steps=4)


def _whole_bits(count: int, opened: ExitStack) -> Job:  # noqa: ARG001
    from qcodec.torch import Line, whole_bits

    sizes = dict(zip(_names(count), range(1000, 1000 + count), strict=True))
    return lambda: whole_bits(sizes, Line(5.0), 20.0)
