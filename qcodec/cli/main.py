"""Parses the command line, runs the command, and reports errors by line and exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from ..errors import QCodecWarning
from . import completion, decode, demo, diff, encode, inspect, recipe, transcode, verify, version
from .arguments import Parser
from .faults import DataError, ReaderGoneError, UsageError, about
from .text import printing, warn

#: Exit codes.
OK, BAD_DATA, USAGE, INTERRUPTED = 0, 1, 2, 130

_COMMANDS = {
    module.__name__.rpartition(".")[2]: module
    for module in (inspect, encode, decode, transcode, verify, diff, recipe, demo, completion)
}
#: Accepted anywhere in a command, with the same meaning.
_GLOBAL = {"--json": "print JSON", "--version": "print versions and CPU features"}


def run() -> NoReturn:
    """Run `main` with the arguments and streams of the process, and exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            # Characters that the terminal cannot show are escaped; otherwise they would raise.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    status = main()
    try:
        with printing():
            pass
    except (ReaderGoneError, DataError):  # `main` has already reported the result
        _drop_output()
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; the default is the arguments of the process.

    Returns
    -------
    int
        0 on success, 1 if a file or its data are bad, 2 if the command is wrong.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/net.qcodec"
    ...     size = qcodec.save_file({"weight": np.zeros((8, 8))}, path)
    ...     main(["verify", path])  # doctest: +ELLIPSIS
    /...net.qcodec: 1 tensor, all valid
    0
    """
    try:
        options = _parsed(sys.argv[1:] if arguments is None else arguments)
        with about(options.input), _warnings_about(options.input):
            return int(options.run(options))
    except SystemExit as error:  # --help was printed
        return int(error.code or OK)
    except ReaderGoneError:
        _drop_output()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except UsageError as error:
        return _report(USAGE, str(error))
    except DataError as error:
        return _report(BAD_DATA, str(error))


@contextlib.contextmanager
def _warnings_about(subject: str) -> Iterator[None]:
    """Print each of qcodec's warnings as one line, as its errors are."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, QCodecWarning):
                warn(f"{subject}: warning: {message}")
            else:
                others(message, category, *where)

        warnings.showwarning = show  # type: ignore[assignment]
        warnings.simplefilter("always", QCodecWarning)
        yield


def _report(status: int, message: str) -> int:
    with contextlib.suppress(OSError):  # the exit code still reports the error
        warn(message)
    return status


def _drop_output() -> None:
    """Discard further output, so that flushing at exit does not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the options of a command; global ones are removed first, wherever they are."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    front, rest = arguments[:end], arguments[end:]
    options = argparse.Namespace(input="", json="--json" in front)
    if "--version" in front:
        options.run = version.run
        return options
    parser = whole_parser()
    parser.parse_args([*(word for word in front if word not in _GLOBAL), *rest], options)
    if "run" not in options:
        parser.error(f"a command is needed: {', '.join(_COMMANDS)}")
    return options


def whole_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="qcodec",
        description="Compress the weights of neural networks, and inspect and decode the files.",
        epilog="Exit status: 0 on success, 1 if a file or its data are bad, 2 if the command is "
        "wrong. Each error and warning is one line on the standard error.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _describe_global(parser)
    for name, module in _COMMANDS.items():
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP, allow_abbrev=False
        )
        _describe_global(command)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _describe_global(parser: Parser) -> None:
    """Add the global options to --help; `_parsed` has already removed them."""
    for flag, meaning in _GLOBAL.items():
        parser.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=meaning)
