"""Formats of other projects: each module reads and writes one."""

from . import dcnet

__all__ = ["dcnet"]
