"""Ways to make a net smaller: qcodec's, by the command line, and those of others."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from qcodec import Recipe, cli

from .net import Net, Tensors


@dataclass(frozen=True)
class Made:
    """What a way makes of a net.

    Attributes
    ----------
    bytes : int
        Of the small file.
    path : pathlib.Path
        What the net's own runtime reads.
    tensors : mapping or None
        The tensors after decoding, if they are floats again.
    """

    bytes: int
    path: Path
    tensors: Tensors | None


class Way:
    """A name, and how it makes a net smaller."""

    name: str

    def key(self) -> str:
        """What tells it apart from others in a cache."""
        return self.name

    def applies(self, net: Net) -> bool:
        """Whether it is for this net."""
        return True

    def make(self, net: Net, folder: Path) -> Made:
        """Write it into a folder."""
        raise NotImplementedError


class Float(Way):
    """The net as it is."""

    name = "float"

    def make(self, net: Net, folder: Path) -> Made:
        return Made(net.file.stat().st_size, net.source, net.tensors())


@dataclass(frozen=True)
class Encoded(Way):
    """`qcodec encode` with arguments, and a recipe made for this net's tensors.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    recipe : callable, optional
        Takes the tensors and returns a `Recipe`, which is written as TOML.
    """

    name: str
    arguments: tuple[str, ...] = ()
    recipe: Callable[[Tensors], Recipe] | None = None

    def key(self) -> str:
        return " ".join((self.name, *self.arguments))

    def make(self, net: Net, folder: Path) -> Made:
        encoded = folder / net.encoded_name
        arguments = list(self.arguments)
        if self.recipe is not None:
            toml = folder / "recipe.toml"
            toml.write_text(self.recipe(net.tensors()).to_toml())
            arguments += ["--recipe", str(toml)]
        _call("encode", str(net.source), str(encoded), "--quiet", *arguments)
        if encoded.is_dir():
            weights = encoded / net.file.name
            return Made(weights.stat().st_size, encoded, net.tensors(weights))
        plain = folder / f"decoded{net.file.suffix}"
        _call("decode", str(encoded), str(plain), "--quiet")
        return Made(encoded.stat().st_size, plain, net.tensors(plain))


def _call(*arguments: str) -> None:
    """Run a command, and show what it says only if it fails."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = cli.main(list(arguments))
    if status != 0:
        raise RuntimeError(f"qcodec {' '.join(arguments)}: {said.getvalue().strip()}")
