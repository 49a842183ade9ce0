"""Bytes into open files, and into devices and pipes, which have no old bytes to keep."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterable

from .outputs import Output

#: Seconds to wait for a process that reads a pipe.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
#: A call may take as long as the disk: in pieces, Ctrl-C need not wait for all of it.
_MAX_WRITE = 1 << 26
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_all(file: io.FileIO, part: bytes | memoryview, output: Output) -> int:
    """Write a part of an output's bytes into its open file; how many there were."""
    view = memoryview(part).cast("B")
    at = 0
    with output.naming():
        while at < len(view):  # a nearly full disk takes a part of it, then says why
            count = file.write(view[at : at + _MAX_WRITE])
            if count is None:  # a pipe that somebody set to not blocking, and that is full
                select.select([], [file], [])
            at += count or 0
    return at


def write_stream(output: Output, parts: Iterable[bytes | memoryview]) -> int:
    """Write `parts` into the device, the pipe or the open file that an output is.

    Returns
    -------
    int
        The number of bytes.

    Raises
    ------
    OSError
        If they cannot be written; some may be by then.
    """
    file = _open_stream(output)
    try:
        return sum(write_all(file, part, output) for part in parts)
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
