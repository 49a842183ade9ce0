"""The paths through the C core, each with the instruction sets of a lesser machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qcodec._core import core
from qcodec._core.cpu import FEATURES

#: Instruction sets that may be used; the last one is all that the machine has.
PATHS = {
    "portable": 0,
    "without AVX-512": sum(FEATURES.values()) - FEATURES["AVX512"],
    "all": sum(FEATURES.values()),
}


@contextmanager
def on_path(name: str) -> Iterator[None]:
    """The C core takes this path."""
    before = core.selected_cpu()
    core.select_cpu(PATHS[name])
    try:
        yield
    finally:
        core.select_cpu(before)
