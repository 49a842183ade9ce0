"""``--version``: prints versions and CPU features."""

from __future__ import annotations

import argparse

from .._base.installation import config, show_config
from .text import print_json, printing


def run(options: argparse.Namespace) -> int:
    """Print versions and CPU features."""
    if options.json:
        print_json(config())
    else:
        with printing():
            show_config()
    return 0
