"""Other people's formats: each module reads and writes one."""

from . import dcnet

__all__ = ["dcnet"]
