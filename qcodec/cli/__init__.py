"""The command line: ``qcodec``, or ``python -m qcodec``."""

from .main import main, run

__all__ = ["main", "run"]
