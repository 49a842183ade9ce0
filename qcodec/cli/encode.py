"""``encode IN OUT``: encodes a model's tensors, each with the codec that the recipe gives it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .._base.messages import MAX_QUOTED, one_line
from .._file.endings import PACK, SAFETENSORS, is_npz_path
from .._file.foreign import NPZ, START_BYTES, ZIP, format_of
from .._frame.ids import PROFILES
from .._io.source import open_regular
from ..files import safe_open, save_file
from ..limits import Limits
from ..recipes import READY_MADE, Recipe, Rule, idle_rules, parse_rule
from .arguments import add_base, add_limits, add_threads, base_of
from .faults import REPORTED, UsageError, about, line_of
from .npz import NpzTensors
from .output import add_force, checked_output, print_report
from .text import contents_text

HELP = "encode a .safetensors, .qcodec or .npz file"
ENDINGS = (f".qc{SAFETENSORS}", SAFETENSORS, PACK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    names = ", ".join(READY_MADE)
    parser.add_argument("input", metavar="IN", help="a .safetensors, .qcodec or .npz file")
    parser.add_argument(
        "output", metavar="OUT", help="a .qc.safetensors file, or .qcodec for a pack"
    )
    parser.add_argument(
        "--recipe",
        metavar="FILE|NAME",
        default="lossless",
        help=f"a TOML file, or one of {names}; default: lossless",
    )
    parser.add_argument(
        "--tensor",
        metavar="REGEX=CODEC(ARGUMENTS)",
        action="append",
        default=[],
        help="a rule that precedes the recipe's, such as 'attn=codebook(bits=4)' or '^head=keep'; "
        "arguments are TOML or a JSON object; may be repeated",
    )
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default="balanced",
        help="what decoding may cost; default: balanced",
    )
    parser.add_argument(
        "--effort",
        metavar="1-9",
        type=int,
        choices=range(1, 10),
        default=5,
        help="how much to try for fewer bytes; 9 takes longest; default: 5",
    )
    parser.add_argument(
        "--element-checksums",
        action="store_true",
        help="also store a checksum of the decoded elements, which verify checks",
    )
    add_base(parser, "store lossless tensors as differences from the tensors of this file")
    add_force(parser)
    add_limits(parser)
    add_threads(parser)


def run(options: argparse.Namespace) -> int:
    """Encode the file and report its size."""
    rules = _rules(options.tensor)
    recipe = _recipe(options.recipe).with_rules(rules)
    base = base_of(options)
    if base is not None:
        recipe = recipe.with_base(base)
    output = checked_output(options, ENDINGS, recipe.is_lossless)
    before = Path(options.input).stat().st_size
    with _opened(options.input, options.limits) as (tensors, metadata, attached):
        for at, fault in idle_rules(rules, tensors):
            raise UsageError(f"--tensor {options.tensor[at]!r}: {fault}")
        contents = {"tensors": len(tensors), "attached": len(attached)}
        with about(options.output, (OSError,)):
            after = save_file(
                tensors,
                options.output,
                recipe=recipe,
                metadata=metadata,
                profile=options.profile,
                effort=options.effort,
                threads=options.threads,
                progress=_show_progress if sys.stderr.isatty() else None,
                attached=attached,
                element_checksums=options.element_checksums,
            )
    report = {"output": options.output, **contents, "input_bytes": before, "bytes": after}
    what = f"{contents_text(**contents)}, {after:,} bytes, from {before:,}"
    text = f"{options.output}: {what} ({before / after:.2f}x smaller)"
    print_report(output, report, None if options.json else text)
    return 0


def _rules(texts: list[str]) -> list[Rule]:
    try:
        return [parse_rule(text) for text in texts]
    except (TypeError, ValueError) as error:
        raise UsageError(f"--tensor {error}") from error


def _recipe(source: str) -> Recipe:
    if source in READY_MADE:
        return READY_MADE[source]
    try:
        return Recipe.from_toml(Path(source))
    except FileNotFoundError:
        names = ", ".join(READY_MADE)
        raise UsageError(f"--recipe {source}: no such file, and not one of {names}") from None
    except REPORTED as error:
        raise UsageError(line_of(error, f"--recipe {source}")) from error


@contextmanager
def _opened(
    path: str, limits: Limits
) -> Iterator[tuple[_OnDemand, dict[str, str] | None, _OnDemand]]:
    """Yield the tensors, the metadata and the attached bytes of a file."""
    with open_regular(path) as start:
        found = format_of(start.read(START_BYTES) or b"")
    if found == NPZ or (found == ZIP and is_npz_path(path)):
        with NpzTensors(path, limits) as arrays:
            yield _OnDemand(path, list(arrays), arrays.__getitem__), None, _OnDemand(path)
        return
    # Mapped pages of tensors that are done would stay in memory.
    with safe_open(path, backend="pread", limits=limits) as file:
        tensors = _OnDemand(path, file.offset_keys(), file.read_ordinary)
        yield tensors, file.metadata(), _OnDemand(path, file.attached(), file.get_attached)


class _OnDemand(Mapping[str, Any]):
    """What a file has, read on demand, so that the whole model is never in memory."""

    def __init__(
        self, path: str, names: Sequence[str] = (), read: Callable[[str], Any] = str
    ) -> None:
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


def _show_progress(done: int, total: int, name: str) -> None:
    end = "\n" if done == total else ""
    print(
        f"\r\x1b[K{done:,} of {total:,}: {one_line(name, MAX_QUOTED)}",
        end=end,
        file=sys.stderr,
        flush=True,
    )
