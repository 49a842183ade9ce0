"""`python -m benchmarks.quality --cache FOLDER [--data FOLDER] [--wheels FOLDER] [NET ...]`."""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from recipes.sections import rewrite

from . import table
from .agreement import Figures
from .measure import measure_all
from .net import Net
from .others import others
from .ways import Encoded, Float, Way

#: Ways of `qcodec encode`, by name, and its arguments.
QCODEC = {
    "qcodec, lossless": "",
    "qcodec, high": "--quality high",
    "qcodec, medium": "--quality medium",
    "qcodec, small": "--quality small",
    "qcodec, codebook4": "--recipe codebook4",
}


def _made(module: str, name: str, *arguments: Path | None) -> Net:
    """A net, of a module that is imported now: each needs other packages."""
    if None in arguments:
        raise FileNotFoundError("its folder is not named")
    net: Net = getattr(importlib.import_module(f".{module}", __package__), name)(*arguments)
    return net


def nets(data: Path | None, wheels: Path | None) -> dict[str, Callable[[], Net]]:
    """Every net by its name for the command line, made when asked for."""
    return {
        "minilm": lambda: _made("minilm_net", "MiniLMNet"),
        "resnet20": lambda: _made("resnet20_net", "ResNet20Net", data),
        "magika": lambda: _made("magika_net", "MagikaNet"),
        "basic-pitch": lambda: _made("basic_pitch_net", "BasicPitchNet", wheels),
        "reading": lambda: _made("rapidocr_nets", "ReadingNet", wheels),
        "upright": lambda: _made("rapidocr_nets", "UprightNet", wheels),
    }


def ways(more: list[str]) -> list[Way]:
    """Float, qcodec's own ways and these, and those of others."""
    named = QCODEC | dict(one.split(":", 1) for one in more)
    own = [Encoded(name, tuple(shlex.split(given))) for name, given in named.items()]
    return [Float(), *own, *others()]


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    every = nets(None, None)
    parser.add_argument("nets", nargs="*", help=f"{', '.join(every)}; default: all")
    parser.add_argument("--data", type=Path, help="folder of ResNet-20 and of CIFAR-10")
    parser.add_argument(
        "--wheels", type=Path, help="folder with basic_pitch and rapidocr_onnxruntime, unpacked"
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder to keep figures in")
    parser.add_argument(
        "--way", action="append", default=[], metavar="NAME:ARGUMENTS",
        help="another way: arguments of qcodec encode, such as '6 bits:--recipe six_bits.toml'",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--update", type=Path, help="rewrite the tables of this document")
    return parser


def main() -> int:
    """Measure, print tables, and write what was asked for."""
    parser = arguments()
    options = parser.parse_args()
    made = nets(options.data, options.wheels)
    unknown = set(options.nets) - set(made)
    if unknown:
        parser.error(f"no net {', '.join(sorted(unknown))}: allowed are {', '.join(made)}")
    found: dict[str, dict[str, Figures]] = {}
    tables = {}
    for name in options.nets or made:
        try:
            net = made[name]()
        except (ModuleNotFoundError, FileNotFoundError) as error:
            print(f"{name}: skipped, {error}")
            continue
        found[name] = measure_all(net, ways(options.way), options.cache)
        tables[name] = table.of_net(net.inputs, found[name])
        print(f"## {net.name}\n\n{tables[name]}\n")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    if options.update:
        rewrite(options.update, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
