"""Files that are replaced whole: after a crash there is the old one or the new one.

The bytes go into a temporary file beside the target, reach the disk, and take the
target's name in one step. There is one temporary file a target: its writer holds a
lock on it, so what a killed writer left is told apart, and the next save removes it.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from .source import PathLike

if sys.platform != "win32":  # there, an open file cannot be removed: that serves as the lock
    import fcntl

_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_FLAGS |= getattr(os, "O_BINARY", 0)
#: A call may take as long as the disk: in pieces, Ctrl-C need not wait for all of it.
_MAX_WRITE = 1 << 26


def replace_file(path: PathLike, parts: Iterable[bytes | memoryview]) -> int:
    """Write `parts` one after the other as the file at `path`, whole or not at all.

    Parameters
    ----------
    path : path-like
        Replaced if it exists, and keeps its mode; a symbolic link is followed. A new
        file has the mode that the process's umask leaves.
    parts : iterable of bytes-like

    Returns
    -------
    int
        The file's length.

    Raises
    ------
    OSError
        If it cannot be written: the old file is then untouched.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.qcodec-tmp")
    with _locked_file(temporary) as file:
        _copy_mode(target, file)
        size = sum(_write(file, part) for part in parts)
        os.fsync(file.fileno())
        _close_on_windows(file)
        temporary.replace(target)
    _sync_folder(target.parent)
    return size


@contextlib.contextmanager
def _locked_file(path: Path) -> Iterator[io.FileIO]:
    """A new file that is removed if the body fails, and locked until the body ends."""
    file = _create_locked(path)
    try:
        yield file
    except BaseException:
        _close_on_windows(file)
        path.unlink(missing_ok=True)
        raise
    finally:
        file.close()


def _create_locked(path: Path) -> io.FileIO:
    """A new file of this name, locked; waits for another save of the same target."""
    while True:
        try:
            file = _open(path, os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            _remove_stray(path)
            continue
        _lock(file)
        if _is_at(file, path):
            return file
        # Taken for a stray one in the moment before it was locked.
        file.close()


def _remove_stray(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if sys.platform == "win32":
            path.unlink()
            return
        with _open(path) as file:
            _lock(file)
            if _is_at(file, path):
                path.unlink()


def _open(path: Path, flags: int = 0) -> io.FileIO:
    return io.FileIO(os.open(path, _FLAGS | flags, 0o666), "r+")


def _lock(file: io.FileIO) -> None:
    if sys.platform != "win32":
        # Some network file systems have no locks: there, do not save twice at once.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)


def _is_at(file: io.FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.lstat(path))
    except FileNotFoundError:
        return False


def _close_on_windows(file: io.FileIO) -> None:
    """Open files cannot be renamed or removed there; elsewhere the lock is still needed."""
    if sys.platform == "win32":
        file.close()


def _copy_mode(target: Path, file: io.FileIO) -> None:
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(target.stat().st_mode)
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), mode)


def _write(file: io.FileIO, part: bytes | memoryview) -> int:
    view = memoryview(part).cast("B")
    at = 0
    while at < len(view):  # a nearly full disk takes a part of it, then says why
        at += file.write(view[at : at + _MAX_WRITE])
    return at


def _sync_folder(folder: Path) -> None:
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
