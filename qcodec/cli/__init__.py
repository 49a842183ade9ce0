"""The command line: ``python -m qcodec``."""

from .main import main, run

__all__ = ["main", "run"]
