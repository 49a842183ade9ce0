"""``encode`` and ``decode`` of checkpoint folders."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .._file.endings import is_file_path
from .._formats.shards import INDEX
from ..files import safe_open
from .faults import UsageError, about
from .progress import Progress
from .text import contents_text, escape, print_json, say

_SIZE = re.compile(r"(\d{1,12})(KB|MB|GB)")
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}


def add_folders(parser: argparse.ArgumentParser) -> None:
    """``--keep-split`` and ``--max-shard-size``."""
    parser.add_argument(
        "--keep-split", action="store_true", help="of a folder: leave tensors in their shards"
    )
    parser.add_argument(
        "--max-shard-size",
        type=_size,
        metavar="SIZE",
        help="of a folder: bytes of a file, such as 500MB; the default of encode is 5GB, that of "
        "decode are the files that were encoded",
    )


def is_folder(options: argparse.Namespace) -> bool:
    """Whether IN is a checkpoint of several files and OUT a folder, not a file by its ending."""
    source = Path(options.input)
    if not source.is_dir() and not source.name.endswith(INDEX):
        return False
    return not is_file_path(options.output)


def convert(
    options: argparse.Namespace, function: Callable[..., int], what: str, **settings: Any
) -> int:
    """Write a folder, and report its size.

    Parameters
    ----------
    options : argparse.Namespace
    function : callable
        `encode_checkpoint` or `decode_checkpoint`.
    what : str
        The work in one word, for its progress.
    **settings
        Further arguments of the function.
    """
    if options.base is not None:
        raise UsageError("--base: folders have none")
    source, target = Path(options.input), Path(options.output)
    if target.exists() and target.resolve() in {source.resolve(), source.resolve().parent}:
        raise UsageError(f"{target}: is the input: name another folder")
    with safe_open(source, backend="pread", limits=options.limits) as file:
        sizes = file.directory.sizes()
        before, count = sum(sizes.values()), len(file)
    with (
        Progress(what, before, options.quiet) as shown,
        about(options.output, (FileExistsError,)),
    ):
        after = function(
            source,
            target,
            threads=options.threads,
            progress=lambda done, total, name: shown.advance(sizes[name], name),  # noqa: ARG005
            limits=options.limits,
            keep_split=options.keep_split,
            max_shard_bytes=options.max_shard_size,
            force=options.force,
            **settings,
        )
    report = {"output": options.output, "tensors": count, "input_bytes": before, "bytes": after}
    text = f"{contents_text(count)}, {after:,} bytes of weights, from {before:,}"
    if options.json:
        print_json(report)
    else:
        say(escape(f"{options.output}: {text} ({before / max(after, 1):.2f}x smaller)"))
    return 0


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text.upper())
    if match is None or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"invalid value: {text!r}: allowed is a size such as 5GB")
    return int(match[1]) * _UNITS[match[2]]
