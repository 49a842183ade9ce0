"""Arguments, errors and exit codes of the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..messages import one_line
from . import decode, demo, encode, inspect, verify, version
from .arguments import UsageError

#: Exit codes.
OK, BAD_DATA, USAGE, INTERRUPTED = 0, 1, 2, 130


def run() -> NoReturn:
    """The program: `main` on the process's own arguments and streams."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name gets it escaped, not a traceback.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    status = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; the default is the process's own.

    Returns
    -------
    int
        0; 1 if a file or its data are bad; 2 if the command is.

    Examples
    --------
    >>> import tempfile, numpy as np, qcodec
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/net.qc"
    ...     size = qcodec.save_file({"weight": np.zeros((8, 8))}, path)
    ...     main(["verify", path])  # doctest: +ELLIPSIS
    /...net.qc: 1 tensor, all valid
    0
    """
    subject = ""
    try:
        options = _parser().parse_args(arguments)
        subject = options.input
        return int(options.run(options))
    except SystemExit as error:  # argparse has said why
        return int(error.code or OK)
    except BrokenPipeError:
        _drop_output()
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except (UsageError, OSError, TypeError, ValueError) as error:
        return _report(error, subject)


def _report(error: Exception, subject: str) -> int:
    """Say in one line what is wrong; the exit code."""
    if isinstance(error, UsageError):
        message = str(error)
    elif isinstance(error, OSError):
        message = f"{error.filename or subject}: {error.strerror or error}"
    else:
        message = ": ".join([subject, *getattr(error, "__notes__", []), str(error)])
    print(f"qcodec: {one_line(message)}", file=sys.stderr)
    return USAGE if isinstance(error, UsageError) else BAD_DATA


def _drop_output() -> None:
    """The reader is gone: nothing more may reach the pipe, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qcodec", description="Small neural-network weights.", allow_abbrev=False
    )
    parser.add_argument("--version", action="store_true", help="versions and CPU features")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda options: version.run_or_explain(options, parser), input="")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (inspect, encode, decode, verify, demo):
        name = module.__name__.rpartition(".")[2]
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        command.add_argument("--json", action="store_true", help="print JSON")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
