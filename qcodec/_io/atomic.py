"""Replaces files atomically: after a crash there is either the old file or the new one.

The bytes are written to a temporary file in the target's folder, flushed to the disk, and renamed
to the target in one step. The writer holds a lock on the temporary file. So the next save can
recognize what a killed writer left behind, and remove it. Temporary files have one of a few
names, so leftovers cannot pile up. A name that is in use (by another save, or by any other file)
is skipped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .later import Part
from .outputs import Output, output_at
from .permissions import copy_permissions
from .source import PathLike
from .writing import write_all, write_stream

if sys.platform != "win32":  # on Windows no lock is needed: an open file cannot be removed
    import fcntl

#: How long to wait for a free temporary name, in seconds.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
#: The number of saves of one file that can run at the same time.
_NAMES = 8
#: Longer names are hashed: with the added parts, some file systems would not take them.
_MAX_NAME_BYTES = 100

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def replace_file(path: PathLike, parts: Iterable[Part]) -> int:
    """Write `parts` one after the other to the file at `path`, completely or not at all.

    An existing file is replaced by a new one of the same name. The new file keeps the old
    one's permissions (without setuid, setgid and sticky bits), its access control list, its
    ``user.`` attributes, and its owner and group as far as the process may set them. If the
    group cannot be kept, the new group gets no more rights than everybody has. Other hard
    links to the old file keep the old bytes. If there was no file, the umask decides the
    permissions.

    Parameters
    ----------
    path : path-like
        A symbolic link is followed. Character devices, pipes and open files of the process
        (``/dev/stdout``) are not replaced: the bytes are written into them directly.
    parts : iterable of bytes-like or Later

    Returns
    -------
    int
        The number of bytes. On return all of them are on the disk. If the folder cannot be
        flushed (because it cannot be read, or the file system does not support it), a loss
        of power soon after may bring the old file back.

    Raises
    ------
    OSError
        If the file cannot be written: the old file is then untouched. The error names `path`.
    """
    output = output_at(path)
    if output.is_stream:
        return write_stream(output, parts)
    with _temporary_file(output) as (file, temporary):
        size = sum(write_all(file, part, output) for part in parts)
        with output.naming():
            os.fsync(file.fileno())
            _close_on_windows(file)
            temporary.replace(output.place)
    _sync_folder(output.place.parent)
    return size


@contextlib.contextmanager
def _temporary_file(output: Output) -> Iterator[tuple[io.FileIO, Path]]:
    """Yield a new file that is locked until the body ends, and removed if the body fails."""
    file, path = _create(output)
    try:
        if output.found is not None:
            with output.naming():
                copy_permissions(file, output.place, output.found)
        yield file, path
    except BaseException:
        _remove(file, path)
        raise
    finally:
        with contextlib.suppress(OSError):  # the bytes are on the disk, or the save has failed
            file.close()


def _create(output: Output) -> tuple[io.FileIO, Path]:
    """Create and lock the first temporary file whose name is free."""
    names = _temporary_names(output.place)
    for name in names:
        _remove_stray(name)
    # The new file must never be readable by anyone who could not read the old one.
    mode = 0o666 if output.found is None else 0o600
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        for name in names:
            with output.naming():
                file = _create_locked(name, mode)
            if file is not None:
                return file, name
        if time.monotonic() > deadline:
            message = f"All of its {_NAMES} temporary names are in use ({names[0]} and so on)"
            raise OSError(errno.EBUSY, message, output.path)
        time.sleep(_PAUSE_SECONDS)


def _temporary_names(place: Path) -> list[Path]:
    name, encoded = place.name, os.fsencode(place.name)
    if len(encoded) > _MAX_NAME_BYTES:
        name = hashlib.sha256(encoded).hexdigest()[:32]
    return [place.with_name(f".{name}.qcodec-tmp{number or ''}") for number in range(_NAMES)]


def _create_locked(path: Path, mode: int) -> io.FileIO | None:
    """Create and lock a file of this name; None if the name is in use."""
    try:
        file = _open(path, os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return None
    # Before it was locked, another save may have taken it for a leftover; that one removes it.
    if _lock(file) and _is_at(file, path):
        return file
    file.close()
    return None


def _remove_stray(path: Path) -> None:
    """Remove the file at `path` if it is the leftover of a killed save."""
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return
        if sys.platform == "win32":
            path.unlink()
            return
        with _open(path) as file:
            if _lock(file) and _is_at(file, path):
                path.unlink()


def _open(path: Path, flags: int = 0, mode: int = 0) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDWR | _FLAGS | _NO_LINK | flags, mode), "r+")


def _lock(file: io.FileIO) -> bool:
    """Lock the file; False if another process holds the lock."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems have no locks, so simultaneous saves are not safe there.
            return True
    return True


def _is_at(file: io.FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _remove(file: io.FileIO, path: Path) -> None:
    """Remove our file, but not another one that has taken its name."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            file.close()
            path.unlink()
        elif _is_at(file, path):
            path.unlink()


def _close_on_windows(file: io.FileIO) -> None:
    """Close the file on Windows, where open files cannot be renamed; elsewhere keep its lock."""
    if sys.platform == "win32":
        file.close()


def _sync_folder(folder: Path) -> None:
    """Flush the new name to the disk; errors are ignored, because the file is already in place."""
    if hasattr(os, "O_DIRECTORY"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
