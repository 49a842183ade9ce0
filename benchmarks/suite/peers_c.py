"""Zstandard's huff0 and FSE at C level, and the speed that the memory allows."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path

import numpy as np

from .native import FOLDER, HERE, MissingPeerError, library

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
CODERS = ("huff0", "FSE")


@cache
def zstd_entropy() -> ctypes.CDLL:
    """The library of huff0 and FSE; MissingPeerError if it cannot be had or built."""
    folder = _zstd_source()
    found = library("zstd_entropy", [HERE / "zstd_entropy.c"], ["-w", f"-I{folder}"])
    for name in CODERS:
        encode = getattr(found, f"{name.lower()}_encode")
        encode.restype = _SIZE
        encode.argtypes = [_POINTER, _SIZE, _POINTER, _SIZE]
        getattr(found, f"{name.lower()}_decode").argtypes = [_POINTER, _POINTER, _SIZE]
    return found


def _zstd_source() -> Path:
    """The folder of zstd.c from the sdist of zstandard, fetched once."""
    folder = FOLDER / "zstd"
    if not (folder / "zstd.c").exists():
        fetch = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "zstandard"]
        fetch += ["--dest", str(FOLDER), "zstandard"]
        done = subprocess.run(fetch, capture_output=True, text=True, check=False)  # noqa: S603
        archives = sorted(FOLDER.glob("zstandard-*.tar.gz"))
        if done.returncode != 0 or not archives:
            raise MissingPeerError(f"huff0, FSE: no source: {done.stderr.strip()[-300:]}")
        _unpack(archives[-1], folder)
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as sdist:
        for member in sdist.getmembers():
            file = sdist.extractfile(member) if "/zstd/" in member.name else None
            if file is not None:
                (folder / Path(member.name).name).write_bytes(file.read())


class PeerCoder:
    """huff0 or FSE on one set of symbols, in memory that is there already.

    Parameters
    ----------
    name : {"huff0", "FSE"}
    symbols : ndarray of uint8

    Raises
    ------
    MissingPeerError
        If zstd's source cannot be had or compiled.
    ValueError
        If a block of the symbols does not shrink.
    """

    def __init__(self, name: str, symbols: np.ndarray) -> None:
        library = zstd_entropy()
        self._encode = getattr(library, f"{name.lower()}_encode")
        self._decode = getattr(library, f"{name.lower()}_decode")
        self.symbols = symbols
        self.coded = np.ones(2 * len(symbols) + 4096, np.uint8)
        self.decoded = np.ones(len(symbols), np.uint8)
        self.size = 0
        self.encode()
        if self.size == 0:
            raise ValueError(f"{name} does not shrink these symbols")

    def encode(self) -> None:
        """All blocks."""
        size = len(self.symbols)
        coded = self.coded
        self.size = self._encode(self.symbols.ctypes.data, size, coded.ctypes.data, len(coded))

    def decode(self) -> None:
        """All blocks; AssertionError if one is refused."""
        out = self.decoded
        assert self._decode(self.coded.ctypes.data, out.ctypes.data, len(out)) == 1


@cache
def store_bound() -> ctypes.CDLL:
    """The library that stores as fast as the machine can."""
    found = library("store_bound", [HERE / "store_bound.c"], [])
    found.store_bound.argtypes = [_POINTER, _SIZE]
    found.store_bound.restype = None
    return found


def store(out: np.ndarray) -> None:
    """Fill the whole lines of 64 bytes inside `out` past the caches."""
    start = -out.ctypes.data % 64
    store_bound().store_bound(out.ctypes.data + start, (out.nbytes - start) // 64 * 64)
