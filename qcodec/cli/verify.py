"""``verify FILE``: checks every rule of the format and every checksum, name by name."""

from __future__ import annotations

import argparse

from ..files import safe_open
from .arguments import add_base, add_limits, add_quiet, base_of
from .progress import Progress
from .text import contents_text, escape, print_json, say

HELP = "check every tensor and all attached bytes of a file and name the broken ones"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    parser.add_argument("input", metavar="FILE", help="a file of any format, or a folder")
    add_quiet(parser)
    add_base(parser, "the base that the file was encoded against")
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Print the faults; an unreadable head of the file ends the command."""
    with safe_open(
        options.input, backend="pread", limits=options.limits, base=base_of(options)
    ) as file:
        sizes = file.directory.sizes()
        with Progress("verifying", sum(sizes.values()), options.quiet) as shown:
            if file.directory.check is not None:
                file.directory.check()
            found = file.faults(lambda name: shown.advance(sizes[name], name))
        faults = [
            {"tensor": name, "kind": error.code, "message": str(error)}
            for name, error in found.items()
        ]
        contents = {"tensors": len(file), "attached": len(file.attached())}
    if options.json:
        report = {"file": options.input, **contents, "valid": not faults, "faults": faults}
        print_json(report)
    else:
        for fault in faults:
            say(escape(f"{options.input}: {fault['message']} ({fault['kind']})"))
        what = f"{len(faults):,} broken" if faults else "all valid"
        say(escape(f"{options.input}: {contents_text(**contents)}, {what}"))
    return 1 if faults else 0
