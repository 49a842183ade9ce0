"""``--against``, ``--details``, ``--plot`` and ``--html`` of commands that show a file."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from .._file.tensor_file import TensorFile
from ..files import safe_open
from ..report import Curve, FileFacts, gather_open, write_html, write_plot
from ..report.plot import ENDINGS
from .faults import UsageError, about
from .progress import Progress

_PAGES = (".html", ".htm")


def add_looking(parser: argparse.ArgumentParser) -> None:
    """The options; each of them decodes every tensor."""
    parser.add_argument(
        "--against",
        metavar="ORIGINAL",
        help="show the error against the file that FILE was made of",
    )
    parser.add_argument(
        "--details",
        action="store_true",
        help="decode every tensor, for exact shares of zeros, and with --json entropies, "
        "histograms and bytes by stage",
    )
    parser.add_argument(
        "--plot", metavar="PICTURE", help=f"draw into this file: {', '.join(ENDINGS)}"
    )
    parser.add_argument("--html", metavar="PAGE", help="write a report as one page, .html")


def check(options: argparse.Namespace) -> None:
    """Refuse what cannot be written, before anything is decoded."""
    _check_ending("--plot", options.plot, ENDINGS)
    check_page(options)
    if options.plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib: pip install 'qcodec[plot]'")


def check_page(options: argparse.Namespace) -> None:
    """Refuse a page with the ending of something else."""
    _check_ending("--html", options.html, _PAGES)


def _check_ending(option: str, path: str | None, endings: tuple[str, ...]) -> None:
    if path is not None and not path.lower().endswith(endings):
        raise UsageError(f"{option} {path}: allowed endings are {', '.join(endings)}")


def write_page_of_output(options: argparse.Namespace, curve: Curve | None) -> None:
    """Write the page of ``OUT`` beside ``IN``, if ``--html`` asks for it.

    Parameters
    ----------
    options : argparse.Namespace
    curve : Curve, optional
        Of the prices that were tried.
    """
    if options.html is None:
        return
    with safe_open(options.output, backend="pread", limits=options.limits) as file:
        shown_as = argparse.Namespace(**{**vars(options), **_of_output(options)})
        facts = facts_of(file, shown_as)
    assert facts is not None, "--html was given"
    with about(options.html):
        write_html(options.html, facts, curve)


def _of_output(options: argparse.Namespace) -> dict[str, object]:
    return {"input": options.output, "against": options.input, "details": False, "plot": None}


def decodes(options: argparse.Namespace) -> bool:
    """Whether an option needs every tensor."""
    return bool(options.against or options.details or options.plot or options.html)


def facts_of(file: TensorFile, options: argparse.Namespace) -> FileFacts | None:
    """Return the facts of the open file ``FILE``; None if no option asks for them."""
    if not decodes(options):
        return None
    name, sizes = Path(options.input).resolve().name, file.directory.sizes()
    with Progress("decoding", sum(sizes.values()), options.quiet) as shown:

        def progress(name: str) -> None:
            shown.advance(sizes[name], name)

        if options.against is None:
            return gather_open(file, name, progress=progress)
        with about(options.against):
            original = safe_open(options.against, backend="pread", limits=options.limits)
        with original:
            other = Path(options.against).resolve().name
            return gather_open(file, name, original, other, progress=progress)


def write(facts: FileFacts | None, options: argparse.Namespace) -> dict[str, int]:
    """Write the picture and the page; return their paths and sizes."""
    written: dict[str, int] = {}
    if facts is None:
        return written
    for path, function in ((options.plot, write_plot), (options.html, write_html)):
        if path is not None:
            with about(path):
                written[path] = function(path, facts)
    return written
