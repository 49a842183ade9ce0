"""qcodec's integer codings at C level, without the overhead of Python."""

from __future__ import annotations

import ctypes
from functools import cache
from itertools import count, takewhile
from pathlib import Path

import numpy as np

from .machine import PATHS
from .native import HERE, ROOT, library

Bytes = np.ndarray
_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_WORKSPACE_FOR_DECODING = 1 << 20


@cache
def core() -> ctypes.CDLL:
    """The C core: as setup.py built it, or recompiled if that build is older than the source."""
    found = library("ours", [HERE / "ours.c", *_core_inputs()], [f"-I{ROOT / 'csrc'}"])
    found.ours_coding_name.restype = ctypes.c_char_p
    for name in ("ours_bound", "ours_workspace", "ours_encode", "ours_frame_workspace"):
        getattr(found, name).restype = _SIZE
    found.ours_bound.argtypes = found.ours_workspace.argtypes = [_SIZE]
    found.ours_encode.argtypes = [
        *(_POINTER, _SIZE, ctypes.c_uint, ctypes.c_uint, ctypes.c_int),
        *(_POINTER, _SIZE, _POINTER),
    ]
    found.ours_decode.argtypes = [_POINTER, _SIZE, _SIZE, ctypes.c_uint, _POINTER, _POINTER]
    found.ours_frame_decode.argtypes = [
        *(_POINTER, _SIZE, ctypes.c_uint, _POINTER, _SIZE, _POINTER, _SIZE, _POINTER)
    ]
    found.ours_crc32c.restype = ctypes.c_uint32
    found.ours_crc32c.argtypes = [_POINTER, _SIZE]
    return found


def _core_inputs() -> list[Path]:
    sources = sorted((ROOT / "csrc").rglob("*.c"))
    headers = (ROOT / "csrc").rglob("*.h")
    newest = max(path.stat().st_mtime for path in (*sources, *headers))
    archives = (ROOT / "build").glob("temp*/libqcodec_core.a")
    return [path for path in archives if path.stat().st_mtime >= newest][:1] or sources


def select(path: str) -> None:
    """Let the C core of this module use that path from now on."""
    core().ours_select(ctypes.c_uint32(PATHS[path]))


def coding_names() -> list[str]:
    """Names of the codings, by number."""
    names = (core().ours_coding_name(number) for number in count())
    return [name.decode() for name in takewhile(bool, names)]


class Coder:
    """One coding on one set of symbols, chunk after chunk, in memory that is there already.

    Parameters
    ----------
    symbols : ndarray of uint8
    width : int
    coding : int
    chunk : int
        Symbols of a stream.
    smallest : bool
        Whether size alone counts, as for profile small.

    Raises
    ------
    ValueError
        If the coding cannot hold the symbols.
    """

    def __init__(
        self, symbols: Bytes, width: int, coding: int, chunk: int, smallest: bool = False
    ) -> None:
        self.symbols, self.width, self.coding, self.smallest = symbols, width, coding, smallest
        self.starts = range(0, len(symbols), chunk)
        self.chunk = chunk
        self.capacity = core().ours_bound(chunk)
        self.coded = np.ones((len(self.starts), self.capacity), np.uint8)
        self.decoded = np.ones(len(symbols), np.uint8)
        self.workspace = np.ones(core().ours_workspace(chunk) + _WORKSPACE_FOR_DECODING, np.uint8)
        self.sizes = [0] * len(self.starts)
        self.encode()
        if 0 in self.sizes:
            raise ValueError("a stream of this coding cannot hold these symbols")

    def encode(self) -> None:
        """Every chunk."""
        workspace = self.workspace.ctypes.data
        for number, start in enumerate(self.starts):
            self.sizes[number] = core().ours_encode(
                self.symbols.ctypes.data + start,
                min(self.chunk, len(self.symbols) - start),
                self.width,
                self.coding,
                self.smallest,
                self.coded[number].ctypes.data,
                self.capacity,
                workspace,
            )

    def decode(self) -> None:
        """Every chunk; AssertionError if one is refused."""
        workspace, out, data = (
            array.ctypes.data for array in (self.workspace, self.decoded, self.coded)
        )
        for number, start in enumerate(self.starts):
            status = core().ours_decode(
                data + number * self.capacity,
                self.sizes[number],
                min(self.chunk, len(self.symbols) - start),
                self.width,
                out + start,
                workspace,
            )
            assert status == 0, status

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(self.sizes)
