"""Examines a path before it is written: it is a file to be replaced, or a stream.

All refusals that are possible in advance are made here, before any work is done.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .source import PathLike

_WRITING_ACCESS = {"effective_ids": os.access in os.supports_effective_ids}
#: A longer chain of symbolic links counts as a loop.
_MAX_LINKS = 40


@dataclass(frozen=True)
class Output:
    """A path that can be written to.

    Attributes
    ----------
    path : str
        The path as the caller gave it, for errors.
    place : Path
        The path with symbolic links resolved.
    found : os.stat_result or None
        The status of what exists there now; None if nothing does.
    descriptor : int or None
        For names such as ``/dev/stdout``: the number of the open file of this process.
    """

    path: str
    place: Path
    found: os.stat_result | None
    descriptor: int | None

    @property
    def is_stream(self) -> bool:
        """Whether bytes are written into an existing device, pipe or open file."""
        return self.found is not None and (
            self.descriptor is not None or not stat.S_ISREG(self.found.st_mode)
        )

    def is_file(self, other: os.stat_result | None) -> bool:
        """Whether this is the file that `other` describes, even under another name."""
        return self.found is not None and other is not None and os.path.samestat(self.found, other)

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Make errors of the operating system name the path that the caller gave."""
        try:
            yield
        except OSError as error:
            if error.errno is None:
                raise
            raise OSError(error.errno, error.strerror, self.path) from error


def output_at(path: PathLike) -> Output:
    """Examine a path that is to be written.

    Parameters
    ----------
    path : path-like
        Symbolic links are followed.

    Raises
    ------
    OSError
        If the path cannot be written: it is a folder, a socket, a block device or
        write-protected, or its folder does not exist or is not writable.
    """
    given = os.fsdecode(path)
    output = Output(given, Path(os.path.realpath(given)), _stat(given), _descriptor(given))
    if output.found is None:
        if output.descriptor is not None:
            raise _refusal(errno.EBADF, "Is not open in this process", given)
        _check_folder(output)
        return output
    mode = output.found.st_mode
    if stat.S_ISDIR(mode):
        raise _refusal(errno.EISDIR, "Is a directory", given)
    if stat.S_ISBLK(mode):
        raise _refusal(errno.EINVAL, "Is a block device, which would be overwritten", given)
    if output.descriptor is not None:
        return output
    if stat.S_ISSOCK(mode):
        raise _refusal(errno.EINVAL, "Is a socket, which cannot be opened as a file", given)
    if not _may(given, os.W_OK):
        raise _refusal(errno.EACCES, "Permission denied: it is write-protected", given)
    if not output.is_stream:
        _check_folder(output)
    return output


def _stat(path: str) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.stat(path)  # noqa: PTH116 (a Path drops a slash at the end)
    return None


def _check_folder(output: Output) -> None:
    """Raise OSError unless a file can be created in the folder of `place`."""
    folder, given = output.place.parent, output.path
    name = os.path.split(given)[1]  # empty after a slash, unlike Path.name
    if name in ("", os.curdir, os.pardir) or not folder.is_dir():
        raise _refusal(errno.ENOENT, "No such file or directory", given)
    if not _may(folder, os.W_OK | os.X_OK):
        raise _refusal(errno.EACCES, "Permission denied: its folder cannot be written to", given)


def _may(path: str | Path, access: int) -> bool:
    return os.access(path, access, **_WRITING_ACCESS)


def _descriptor(path: str) -> int | None:
    """Return the number of the open file that ``/dev/stdout``, ``/dev/fd/3`` and so on denote.

    Opening a file by such a name would start at its beginning, not at the current offset.
    """
    if sys.platform == "win32":
        return None
    folders = [Path(os.path.realpath(folder)) for folder in ("/dev/fd", "/proc/self/fd")]
    place = Path(path)
    for _ in range(_MAX_LINKS):
        folder, name = Path(os.path.realpath(place.parent)), place.name
        if folder in folders and name.isascii() and name.isdecimal():
            return int(name)
        try:
            place = folder / (folder / name).readlink()
        except OSError:  # not a link
            return None
    return None


def _refusal(number: int, message: str, path: str) -> OSError:
    return OSError(number, message, path)
