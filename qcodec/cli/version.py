"""``--version``."""

from __future__ import annotations

import argparse

from ..about import config, show_config
from .text import print_json


def run_or_explain(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the versions if they were asked for; without a command: how to use the program."""
    if not options.version:
        parser.error("a command is needed")
    if options.json:
        print_json(config())
    else:
        show_config()
    return 0
