"""``python -m qcodec``."""

from .cli import run

run()
