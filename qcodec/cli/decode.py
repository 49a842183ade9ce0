"""``decode IN OUT``: writes all tensors as ordinary ones, for programs without qcodec."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from .._base.messages import names_text
from .._file.container import safetensors_parts
from .._file.endings import NPZ, SAFETENSORS, is_npz_path
from .._file.recoding import Reading
from .._file.tensor_file import TensorFile
from .._formats.original import NAME, Original
from .._formats.rewriting import ALL_ENDINGS, checked, endings_of, files_of
from .._io.atomic import replace_file
from .._io.later import Later, Part
from .._io.outputs import Output
from ..checkpoints import decode_checkpoint
from ..errors import UnsupportedError
from ..files import BASE_KEY, safe_open
from .arguments import add_base, add_limits, add_quiet, add_threads, base_of
from .faults import UsageError, about
from .folders import add_folders, convert, is_folder
from .npz import npz_parts
from .output import add_force, check_may_lose, checked_output, print_report
from .progress import Progress
from .text import counted, warn

HELP = "decode all tensors into a .safetensors or .npz file, or the file that was encoded"
ENDINGS = (SAFETENSORS, NPZ)
_DTYPES = ("float16", "bfloat16", "float32", "float64")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="IN")
    parser.add_argument(
        "output",
        metavar="OUT",
        help="a .safetensors or .npz file, or one of the format that was encoded, such as .onnx",
    )
    parser.add_argument("--dtype", choices=_DTYPES, help="the type of all float tensors in OUT")
    add_folders(parser)
    add_quiet(parser)
    add_base(parser, "the base that the file was encoded against")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Decode the file and report its size."""
    if is_folder(options):
        return convert(options, decode_checkpoint, "decoding", dtype=options.dtype)
    base = base_of(options)
    endings = tuple(dict.fromkeys((*ENDINGS, *ALL_ENDINGS)))
    output = checked_output(options, endings, keeps_all=options.dtype is None)
    # Windows replaces no file that is open.
    first_closed = sys.platform == "win32" and output.is_file(Path(options.input).stat())
    with safe_open(options.input, backend="pread", limits=options.limits, base=base) as file:
        before, count, sizes = file.source.size, len(file), file.directory.sizes()
        with Progress("decoding", sum(sizes.values()), options.quiet) as shown:
            file.check_total(options.dtype)
            read = Reading(file, lambda done, total, name: shown.advance(sizes[name], name))  # noqa: ARG005
            files, lost = _files(file, options, output, read)
            _warn_of_loss(options.output, lost)
            if output.is_stream:
                _check(file)
            if first_closed:
                files = {path: [_read(part) for part in parts] for path, parts in files.items()}
            else:
                after = _written(files)
    if first_closed:
        after = _written(files)
    report = {
        "output": options.output, "tensors": count, "bytes": after, "left_out": lost,
    }  # fmt: skip
    text = f"{options.output}: {counted(count, 'tensor')}, {after:,} bytes, from {before:,}"
    print_report(output, report, None if options.json else text)
    return 0


#: The parts of each file that is written, by its path; the last one is ``OUT``.
_Files = dict[str, Iterable[Part]]


def _files(
    file: TensorFile, options: argparse.Namespace, output: Output, read: Reading
) -> tuple[_Files, dict[str, list[str]]]:
    """Return what is written, and the names of what ``OUT`` cannot hold."""
    original = _original(file, options)
    files = None if original is None else _original_files(options, original, read)
    return _new_file(file, options, output, read) if files is None else (files, {})


def _original(file: TensorFile, options: argparse.Namespace) -> Original | None:
    """Return what the file that was encoded is written from, if ``OUT`` has its format."""
    output = options.output.lower()
    if NAME in file.attached() and options.dtype is None:
        original = Original.from_bytes(file.get_attached(NAME), options.limits)
        if output.endswith(endings_of(original)):
            return original
    ending = Path(output).suffix
    if ending in ENDINGS or not ending:
        return None
    why = "--dtype was given" if options.dtype else "IN was not encoded from such a file"
    raise UsageError(
        f"{options.output}: {ending} cannot be written, as {why}: allowed are {', '.join(ENDINGS)}"
    )


def _original_files(
    options: argparse.Namespace, original: Original, read: Reading
) -> _Files | None:
    """Return the files that were encoded: ``OUT``, and those of its external data.

    None if tensors were quantized and ``OUT`` can be written from its tensors alone.
    """
    decode = partial(read, threads=options.threads)
    try:
        (_, main), *others = checked(files_of(original, decode), original.format).items()
    except UnsupportedError:
        if options.output.lower().endswith(ENDINGS):
            return None
        raise
    folder = Path(options.output).parent
    paths = {str(folder / name): parts for name, parts in others}
    for path in paths:
        if Path(path).exists() and not options.force:
            raise UsageError(f"{path}: exists, and OUT needs a file of this name: use --force")
    return {**paths, options.output: main}


def _new_file(
    file: TensorFile, options: argparse.Namespace, output: Output, read: Reading
) -> tuple[_Files, dict[str, list[str]]]:
    """Return ``OUT``, and the names of what it cannot hold."""
    is_npz = is_npz_path(options.output)
    metadata = file.metadata() or {}
    metadata.pop(BASE_KEY, None)  # the output needs no base
    attached = [name for name in file.attached() if name != NAME]
    lost = {"attached": attached, "metadata": sorted(metadata) if is_npz else []}
    if file.directory.left_out:
        lost["unreadable tensors"] = list(file.directory.left_out)
    if any(lost.values()):
        check_may_lose(options, output)
    tensors = file.read_each(
        partial(file.ordinary_on_demand, dtype=options.dtype, threads=options.threads, read=read)
    )
    parts: Iterable[Part]
    parts = npz_parts(tensors) if is_npz else safetensors_parts(tensors, metadata)
    return {options.output: parts}, lost


def _warn_of_loss(path: str, lost: Mapping[str, list[str]]) -> None:
    """Name what the output cannot hold."""
    ending = NPZ if is_npz_path(path) else SAFETENSORS
    for what, names in lost.items():
        if names:
            noun = "attached bytes" if what == "attached" else what
            warn(f"{path}: warning: {ending} cannot hold {noun}: left out {names_text(names)}")


def _written(files: _Files) -> int:
    """Write the files; return the size of them all."""
    size = 0
    for path, parts in files.items():
        with about(path, (OSError,)):
            size += replace_file(path, parts)
    return size


def _check(file: TensorFile) -> None:
    """Raise the first fault of a tensor: a stream gets all tensors, or nothing."""
    for name, fault in file.faults().items():
        if name in file:
            raise fault


def _read(part: Part) -> bytes:
    return b"".join(part.pieces()) if isinstance(part, Later) else bytes(part)
