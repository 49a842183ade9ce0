"""A model that a command reads tensor by tensor and saves again."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .._base.closing import Closing
from .._file.recoding import Recoded, check_readable
from .._formats.original import NAME, needs_original, original_of
from .._io.outputs import Output
from ..files import safe_open, save_file
from ..recipes import Recipe
from .faults import about
from .output import print_report
from .progress import Progress
from .text import contents_text


class Model(Closing):
    """The file or folder ``IN`` of a command that writes ``OUT``; a context manager.

    Parameters
    ----------
    options : argparse.Namespace
        Those of `add_reading`, and ``input``, ``output``, ``limits``, ``quiet`` and ``json``.
    recipe : Recipe
    base : str, optional
        The base that IN was encoded against.

    Attributes
    ----------
    tensors : mapping of str to object
        Each is read when it is requested, so that the whole model is never in memory.
    """

    def __init__(
        self, options: argparse.Namespace, recipe: Recipe, base: str | None = None
    ) -> None:
        self._options, self._recipe = options, recipe
        # Mapped pages of tensors that are done would stay in memory.
        self._file = file = safe_open(
            options.input,
            backend="pread",
            limits=options.limits,
            base=base,
            dequantize=options.dequantize,
        )
        tensors = Recoded(file, recipe)
        self.tensors = _OnDemand(options.input, list(tensors), tensors.__getitem__)

    def save(self, output: Output, what: str, **encoding: Any) -> None:
        """Save the model, and report its size.

        Parameters
        ----------
        output : Output
        what : str
            The work in one word, for its progress.
        **encoding
            As in `qcodec.save_file`.
        """
        options, file = self._options, self._file
        sizes = file.directory.sizes()
        with Progress(what, sum(sizes.values()), options.quiet) as shown:
            check_readable(file, options.skip_unreadable)
            attached = self._attached()

            def read(name: str) -> Any:
                shown.working_on(name)
                return self.tensors[name]

            with about(options.output, (OSError,)):
                after = save_file(
                    _OnDemand(options.input, list(self.tensors), read),
                    options.output,
                    file.metadata(),
                    recipe=self._recipe,
                    progress=lambda done, total, name: shown.advance(sizes[name], name),  # noqa: ARG005
                    attached=attached,
                    **encoding,
                )
        before = file.source.size
        contents = {"tensors": len(self.tensors), "attached": len(file.attached())}
        report = {"output": options.output, **contents, "input_bytes": before, "bytes": after}
        text = f"{contents_text(**contents)}, {after:,} bytes, from {before:,}"
        text = f"{options.output}: {text} ({before / after:.2f}x smaller)"
        print_report(output, report, None if options.json else text)

    def _attached(self) -> Mapping[str, Any]:
        """Return what is attached, and what the same file can be written from."""
        file = self._file
        if not needs_original(file.source, file.directory):
            return _OnDemand(self._options.input, file.attached(), file.get_attached)
        original = original_of(file.source, file.directory, Path(self._options.input).name)
        return {} if original is None else {NAME: original.to_bytes()}

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _OnDemand(Mapping[str, Any]):
    """What a file has, read on demand."""

    def __init__(self, path: str, names: Sequence[str], read: Callable[[str], Any]) -> None:
        self._path = path
        self._names = names
        self._read = read

    def __getitem__(self, name: str) -> Any:
        with about(self._path):
            return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
