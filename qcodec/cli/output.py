"""``OUT`` of the commands that write: checks of the path, and the place of the report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from .._file.endings import check_says_format
from .._io.outputs import Output, output_at
from ..summary import Summary
from .faults import UsageError, about
from .summary import summary_fields, summary_text
from .text import contents_text, escape, print_json, say, warn

_STDOUT = 1


def add_force(parser: argparse.ArgumentParser) -> None:
    """``--force``."""
    parser.add_argument(
        "--force", action="store_true", help="allow OUT to replace IN even if bits are lost"
    )


def checked_output(options: argparse.Namespace, endings: Sequence[str], keeps_all: bool) -> Output:
    """Return OUT if the command may write there; nothing is changed or opened yet.

    Parameters
    ----------
    options : argparse.Namespace
        With ``input``, ``output``, ``base`` and ``force``.
    endings : sequence of str
        The endings of the formats that the command writes. Devices and pipes may have any
        name.
    keeps_all : bool
        Whether the output keeps every bit of the input.

    Raises
    ------
    UsageError
        If the name does not have one of the endings, or the command would overwrite a file
        that it reads and lose data.
    DataError
        If the path cannot be written.
    """
    path: str = options.output
    with about(path):
        output = output_at(path)
    if not output.is_stream:
        try:
            check_says_format(path, endings)
        except ValueError as error:
            raise UsageError(str(error)) from None
    if output.descriptor is not None and os.isatty(output.descriptor):
        raise UsageError(f"{path}: is a terminal: write into a file or a pipe")
    if options.base is not None and output.is_file(Path(options.base).stat()):
        raise UsageError(f"{path}: is the base, without which IN or OUT cannot be decoded")
    if output.is_file(Path(options.input).stat()):
        if output.is_stream:
            raise UsageError(f"{path}: is the input, which cannot be read and written at once")
        if not keeps_all:
            check_may_lose(options, output)
    return output


def check_may_lose(options: argparse.Namespace, output: Output) -> None:
    """Raise `UsageError` if OUT is IN and does not keep all of it, unless ``--force`` is given."""
    if output.is_file(Path(options.input).stat()) and not options.force:
        raise UsageError(
            f"{options.output}: is the input, of which bits would be lost: name another file, "
            "or use --force"
        )


def print_report(
    output: Output | None, report: dict[str, object], text: str | None, table: str = ""
) -> None:
    """Print the text, or the report as JSON if it is None; on stderr if stdout has the data.

    Parameters
    ----------
    output : Output, optional
    report : dict
    text : str, optional
        One line.
    table : str
        Further lines, without control characters.
    """
    file = None
    with suppress(OSError):
        if output is not None and output.is_stream and output.is_file(os.fstat(_STDOUT)):
            file = sys.stderr
    if text is None:
        print_json(report, file)
        return
    say(escape(text), file)
    if table:
        say(table, file)


def report_saved(
    options: argparse.Namespace,
    contents: dict[str, int],
    before: int,
    after: int,
    summary: Summary,
    output: Output | None = None,
    dry_run: bool = False,
) -> None:
    """Print what a command saved: sizes, and what was done to the weights, with a warning.

    Parameters
    ----------
    options : argparse.Namespace
        With ``output`` and ``json``.
    contents : dict of str to int
        The numbers of ``tensors``, and of what is ``attached``.
    before, after : int
        Bytes of IN and OUT.
    summary : Summary
    output : Output, optional
        None: a folder.
    dry_run : bool
    """
    report = {
        "output": options.output, **contents, "input_bytes": before, "bytes": after,
        "dry_run": dry_run, "tensor_list": summary_fields(summary),
    }  # fmt: skip
    text = f"{contents_text(**contents)}, {after:,} bytes, from {before:,}"
    text = f"{options.output}: {text} ({before / max(after, 1):.2f}x smaller)"
    if dry_run:
        text += "; nothing was written"
    table = summary_text(summary)
    print_report(output, report, None if options.json else text, table)
    warning = summary.warning()
    if warning:
        warn(f"{options.output}: warning: {warning}")
