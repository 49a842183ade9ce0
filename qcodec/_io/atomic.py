"""Files that are replaced whole: after a crash there is the old one or the new one.

The bytes go into a temporary file beside the target, reach the disk, and take the target's
name in one step. The temporary file's writer holds a lock on it, so what a killed writer left
is told apart, and the next save removes it. It has one of a few names, so strays cannot pile
up; one that cannot be had (another save is using it, or somebody put something there) is
passed over for the next.
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

from .outputs import Output, output_at
from .permissions import copy_permissions
from .source import PathLike
from .writing import write_all, write_stream

if sys.platform != "win32":  # there, an open file cannot be removed: that serves as the lock
    import fcntl

#: Seconds to wait for one of the temporary names.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
#: So many saves of one file can be under way at the same time.
_NAMES = 8
#: Longer names would be too long for some file system with what is put around them.
_MAX_NAME_BYTES = 100

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def replace_file(path: PathLike, parts: Iterable[bytes | memoryview]) -> int:
    """Write `parts` one after the other as the file at `path`, whole or not at all.

    A file that is replaced is a new one under the old name. It keeps the permissions of
    the old one (without setuid, setgid and sticky bits), its access control list, its
    ``user.`` attributes, and its owner and group as far as the process may set them; if
    the group cannot be kept, it may do no more than everybody. Other hard links to the old
    file keep the old bytes. A new file has the permissions that the umask leaves.

    Parameters
    ----------
    path : path-like
        A symbolic link is followed. Into a character device, a pipe or an open file of the
        process (``/dev/stdout``) the bytes are written as they come.
    parts : iterable of bytes-like

    Returns
    -------
    int
        The number of bytes. The file is there then, with all of them on the disk; if the
        folder cannot be flushed (it may not be read, or its file system does not have
        that), a loss of power soon after may bring the old file back.

    Raises
    ------
    OSError
        If it cannot be written: the old file is then untouched. The error names `path`.
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
    """A new file that is removed if the body fails, and locked until the body ends."""
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
        with contextlib.suppress(OSError):  # all is on the disk, or lost anyway
            file.close()


def _create(output: Output) -> tuple[io.FileIO, Path]:
    """The first temporary file that can be had, locked."""
    names = _temporary_names(output.place)
    for name in names:
        _remove_stray(name)
    # Not for a moment can others read what they could not read in the old file.
    mode = 0o666 if output.found is None else 0o600
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        for name in names:
            with output.naming():
                file = _create_locked(name, mode)
            if file is not None:
                return file, name
        if time.monotonic() > deadline:
            message = f"None of its {_NAMES} temporary files could be had ({names[0]} and so on)"
            raise OSError(errno.EBUSY, message, output.path)
        time.sleep(_PAUSE_SECONDS)


def _temporary_names(place: Path) -> list[Path]:
    name, encoded = place.name, os.fsencode(place.name)
    if len(encoded) > _MAX_NAME_BYTES:
        name = hashlib.sha256(encoded).hexdigest()[:32]
    return [place.with_name(f".{name}.qcodec-tmp{number or ''}") for number in range(_NAMES)]


def _create_locked(path: Path, mode: int) -> io.FileIO | None:
    """A new file of this name, locked; None if the name cannot be had."""
    try:
        file = _open(path, os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return None
    # Somebody may have taken it for a stray one in the moment before it was locked; then it is
    # theirs to remove.
    if _lock(file) and _is_at(file, path):
        return file
    file.close()
    return None


def _remove_stray(path: Path) -> None:
    """Remove what a killed save left there, if it is that and can be removed."""
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
    """Whether the file is ours now: nobody else holds it."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network file systems have no locks: there, do not save twice at once.
            return True
    return True


def _is_at(file: io.FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _remove(file: io.FileIO, path: Path) -> None:
    """Remove our file, and no other that has its name by now."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            file.close()
            path.unlink()
        elif _is_at(file, path):
            path.unlink()


def _close_on_windows(file: io.FileIO) -> None:
    """Open files cannot be renamed there; elsewhere the lock is still needed."""
    if sys.platform == "win32":
        file.close()


def _sync_folder(folder: Path) -> None:
    """Flush the new name to the disk; the file is in place, so nothing here is an error."""
    if hasattr(os, "O_DIRECTORY"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
