"""Copies owner, permissions and attributes to a file that replaces another."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from pathlib import Path

#: The extended attribute that holds the access control list.
_ACCESS_LIST = "system.posix_acl_access"


def copy_permissions(file: io.FileIO, place: Path, old: os.stat_result) -> None:
    """Give a new file the rights of the one that it replaces, and never more.

    Parameters
    ----------
    file : io.FileIO
        The new file, which so far only its owner may open.
    place : path
        The old file.
    old : os.stat_result
        The status of the old file.

    Raises
    ------
    OSError
        If the permissions cannot be set.
    """
    if not hasattr(os, "fchown"):  # Windows: new files inherit the rights of their folder
        return
    number = file.fileno()
    new = os.fstat(number)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        try:
            os.fchown(number, old.st_uid, old.st_gid)
        except OSError:  # only root may change the owner, but the group may be one of ours
            with contextlib.suppress(OSError):
                os.fchown(number, -1, old.st_gid)
        new = os.fstat(number)
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if new.st_gid != old.st_gid:
        common = mode >> 3 & mode & 0o007
        mode = mode & 0o700 | common << 3 | common
    _copy_attributes(place, number)
    os.fchmod(number, mode)


def _copy_attributes(place: Path, number: int) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):  # a file system without attributes
        names = [
            name for name in os.listxattr(place) if name == _ACCESS_LIST or name.startswith("user.")
        ]
        if _ACCESS_LIST not in names:
            with contextlib.suppress(OSError):  # inherited from the folder
                os.removexattr(number, _ACCESS_LIST)
        for name in names:
            with contextlib.suppress(OSError):
                os.setxattr(number, name, os.getxattr(place, name))
