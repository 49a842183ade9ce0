"""The files of a checkpoint folder that are not its weights, which are copied."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from .._base.messages import quoted
from ..errors import UnsupportedError

#: What version control and the tools for downloads keep beside the files.
_LEFT_OUT = (".git", ".cache")


def other_files(folder: Path, is_weight: Callable[[str], bool]) -> dict[str, Path]:
    """Return the files to copy by their path in a folder, with where their bytes are.

    Links are followed, as a cache of Hugging Face's libraries consists of them, but only to regular
    files within the folder, or in the ``blobs`` of its cache. A link to elsewhere would put a file
    of this machine into a folder that may be published.

    Parameters
    ----------
    folder : Path
    is_weight : callable
        Whether a file or folder, by its path in the folder, is left out.

    Raises
    ------
    UnsupportedError
        For other links, and for what is neither a file nor a folder.
    OSError
        If a folder cannot be read.
    """
    folder = folder.resolve()
    allowed = [folder, *_blobs(folder)]
    return {name: _file(path, name, allowed) for name, path in _walk(folder, "", is_weight)}


def _blobs(folder: Path) -> Iterator[Path]:
    """Yield where a cache keeps the files to which a snapshot has links."""
    for above in folder.parents:
        if above.name == "snapshots":
            yield above.parent / "blobs"
            return


def _walk(
    folder: Path, inside: str, is_left_out: Callable[[str], bool]
) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        name = f"{inside}{entry.name}"
        if name in _LEFT_OUT or is_left_out(name):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{name}/", is_left_out)
        else:
            yield name, Path(entry.path)


def _file(path: Path, name: str, allowed: list[Path]) -> Path:
    """Return where the bytes of a file are."""
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
            raise _refusal(name, "a link that leads nowhere", "remove it") from None
        if not any(target.is_relative_to(place) for place in allowed):
            what = f"a link to {quoted(str(target))}, outside of the folder"
            raise _refusal(name, what, "copy that file into the folder if it belongs to it")
        path = target
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        what = "a link to a folder" if stat.S_ISDIR(mode) else "neither a file nor a folder"
        raise _refusal(name, what, "remove it")
    return path


def _refusal(name: str, what: str, remedy: str) -> UnsupportedError:
    return UnsupportedError(f"{quoted(name)} is {what}: {remedy}")


def copy(files: Mapping[str, Path], target: Path) -> None:
    """Copy files to their paths in another folder, with their permissions and times.

    The owner may write to all of them, because some are changed after that.
    """
    for name, path in files.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
        place.chmod(place.stat().st_mode | stat.S_IWUSR)
