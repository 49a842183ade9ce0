"""The bases of `Delta` codecs while a file is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._io.outputs import Output
from .._io.source import PathLike
from ..codecs import Codec, Delta
from ..recipes import Recipe
from .file_arrays import FileArrays


@contextmanager
def opened_bases(
    recipe: Recipe, output: Output | None, open_base: Callable[[PathLike], FileArrays]
) -> Iterator[tuple[Recipe, str | None]]:
    """Yield the recipe with the base files of its `Delta` codecs open, and the last one's name."""
    name: str | None = None
    opened: dict[int, Codec] = {}
    with ExitStack() as stack:

        def with_open_base(codec: Codec | None) -> Codec | None:
            nonlocal name
            if not isinstance(codec, Delta):
                return codec
            if not codec.is_path:
                _check_not_base(output, codec.base)
                return codec
            if id(codec) not in opened:  # one codec, used for weights and others, stays one
                name = Path(codec.base).name
                base = open_base(codec.base)
                stack.enter_context(base.file)
                _check_not_base(output, base)
                opened[id(codec)] = replace(codec, base=base)
            return opened[id(codec)]

        opened_recipe = recipe.with_codecs(with_open_base)
        yield opened_recipe, name


def _check_not_base(output: Output | None, base: Any) -> None:
    """Refuse to overwrite the base: without it the new file could not be decoded."""
    if output is None or not isinstance(base, FileArrays):
        return
    if output.is_file(base.file.source.stat):
        raise ValueError(
            f"{output.path!r} is the base that tensors would be stored against: without it they "
            "cannot be decoded; save under another name"
        )
