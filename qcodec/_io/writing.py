"""Writes bytes into open files, devices and pipes."""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterable

from .later import Later, Part
from .outputs import Output

#: How long to wait for a process that reads from the pipe, in seconds.
WAIT_SECONDS = 10.0
_PAUSE_SECONDS = 0.02
#: Most bytes per call: Ctrl-C has to wait for the end of a call.
_MAX_WRITE = 1 << 26
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def write_all(file: io.FileIO, part: Part, output: Output) -> int:
    """Write a part of an output's bytes into its open file; returns their number."""
    if isinstance(part, Later):
        return sum(write_all(file, piece, output) for piece in part.pieces())
    view = memoryview(part).cast("B")
    at = 0
    with output.naming():
        while at < len(view):  # a nearly full disk takes some bytes; the next call then fails
            count = file.write(view[at : at + _MAX_WRITE])
            if count is None:  # a full pipe that another process made non-blocking
                select.select([], [file], [])
            at += count or 0
    return at


def write_stream(output: Output, parts: Iterable[Part]) -> int:
    """Write `parts` into an output that is a device, a pipe or an open file.

    Returns
    -------
    int
        The number of bytes.

    Raises
    ------
    OSError
        If the bytes cannot be written. Some of them may have been written by then.
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
        if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):  # changed since it was checked
            file.close()
            raise OSError(errno.EINVAL, "Is no longer a device or a pipe")
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
                raise OSError(error.errno, "No process reads from this pipe or device") from None
        time.sleep(_PAUSE_SECONDS)
