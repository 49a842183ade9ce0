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
import select
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from .outputs import Output, output_at
from .source import PathLike

if sys.platform != "win32":  # there, an open file cannot be removed: that serves as the lock
    import fcntl

#: Seconds to wait for one of the temporary names, or for a process that reads a pipe.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
#: So many saves of one file can be under way at the same time.
_NAMES = 8
#: Longer names would be too long for some file system with what is put around them.
_MAX_NAME_BYTES = 100

_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
#: A call may take as long as the disk: in pieces, Ctrl-C need not wait for all of it.
_MAX_WRITE = 1 << 26
#: Of a file's extended attributes, the access control list is a right, like its mode.
_ACCESS_LIST = "system.posix_acl_access"


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
        return _write_stream(output, parts)
    with _temporary_file(output) as (file, temporary):
        size = sum(_write(file, part, output) for part in parts)
        with output.naming():
            os.fsync(file.fileno())
            _close_on_windows(file)
            temporary.replace(output.place)
    _sync_folder(output.place.parent)
    return size


# ---- the temporary file ----


@contextlib.contextmanager
def _temporary_file(output: Output) -> Iterator[tuple[io.FileIO, Path]]:
    """A new file that is removed if the body fails, and locked until the body ends."""
    file, path = _create(output)
    try:
        with output.naming():
            _give_rights(file, output)
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
    # Somebody may have taken it for a stray one in the moment before it was locked.
    if _lock(file) and _is_at(file, path):
        return file
    _remove(file, path)
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


# ---- owner and rights ----


def _give_rights(file: io.FileIO, output: Output) -> None:
    """The rights of the file that is replaced; never more than it had."""
    old = output.found
    if old is None or not hasattr(os, "fchown"):
        return
    number = file.fileno()
    new = os.fstat(number)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(number, old.st_uid, old.st_gid)
        except OSError:  # only root gives files away, but the group may be one of ours
            with contextlib.suppress(OSError):
                os.fchown(number, -1, old.st_gid)
        new = os.fstat(number)
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if new.st_gid != old.st_gid:
        common = mode >> 3 & mode & 0o007
        mode = mode & 0o700 | common << 3 | common
    _copy_attributes(output.place, number)
    os.fchmod(number, mode)


def _copy_attributes(place: Path, number: int) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # a file system without attributes
        names = [
            name for name in os.listxattr(place) if name == _ACCESS_LIST or name.startswith("user.")
        ]
        if _ACCESS_LIST not in names:
            with contextlib.suppress(OSError):  # what the folder gives to new files
                os.removexattr(number, _ACCESS_LIST)
        for name in names:
            with contextlib.suppress(OSError):
                os.setxattr(number, name, os.getxattr(place, name))


# ---- writing ----


def _write(file: io.FileIO, part: bytes | memoryview, output: Output) -> int:
    view = memoryview(part).cast("B")
    at = 0
    with output.naming():
        while at < len(view):  # a nearly full disk takes a part of it, then says why
            count = file.write(view[at : at + _MAX_WRITE])
            if count is None:  # a pipe that somebody set to not blocking, and that is full
                select.select([], [file], [])
            at += count or 0
    return at


def _write_stream(output: Output, parts: Iterable[bytes | memoryview]) -> int:
    file = _open_stream(output)
    try:
        return sum(_write(file, part, output) for part in parts)
    finally:
        with output.naming():
            file.close()


def _open_stream(output: Output) -> io.FileIO:
    with output.naming():
        if output.descriptor is not None:
            return io.FileIO(os.dup(output.descriptor), "w")
        number = _open_pipe_or_device(output)
        file = io.FileIO(number, "w")
        mode = os.fstat(number).st_mode
        if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):  # changed since it was looked at
            file.close()
            raise OSError(errno.EINVAL, "Is no device and no pipe any more")
        return file


def _open_pipe_or_device(output: Output) -> int:
    if sys.platform == "win32":
        return os.open(output.path, os.O_WRONLY | _FLAGS)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            number = os.open(output.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | _FLAGS)
            os.set_blocking(number, True)
            return number
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(error.errno, "Nobody reads from this pipe or device") from None
        time.sleep(_PAUSE_SECONDS)


def _sync_folder(folder: Path) -> None:
    """Flush the new name to the disk; the file is in place, so nothing here is an error."""
    if hasattr(os, "O_DIRECTORY"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
