"""Writes a folder completely or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .source import PathLike


@contextmanager
def new_folder(target: PathLike, read: Path, force: bool = False) -> Iterator[Path]:
    """Yield a folder that becomes `target` in the end, unless there is an error.

    Parameters
    ----------
    target : path-like
    read : Path
        The folder from which the files come.
    force : bool
        Whether a folder that exists is replaced.

    Raises
    ------
    FileExistsError
        If `target` exists and is not an empty folder.
    ValueError
        If `target` is the folder that is read, or in it, or around it.
    OSError
        If the folder cannot be written.
    """
    place, read = Path(os.fsdecode(target)), read.resolve()
    if read in (place.resolve(), *place.resolve().parents) or place.resolve() in read.parents:
        raise ValueError(f"{place}: is the folder that is read, or in it, or around it")
    if place.exists() and (not place.is_dir() or any(place.iterdir())) and not force:
        raise FileExistsError(f"{place}: exists and is not an empty folder")
    partial = place.parent / f".{place.name}.qcodec-partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
    partial.mkdir(parents=True)
    try:
        yield partial
        old = place.parent / f".{place.name}.qcodec-old"
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        partial.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
