"""Folders and files stay small enough to be looked through."""

import pytest

from tests.repository import GOLDEN, ROOT

FOLDERS = (
    *("benchmarks", "csrc", "docs", "examples", "fuzz", "qcodec", "recipes", "reference"),
    *("tests", "tools"),
)
MAX_FILES = 40
MAX_LINES = 450
SUFFIXES = {".c", ".h", ".pxi", ".py", ".pyx"}


def files_of(folder):
    """Those that people write, by their folder."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(GOLDEN):
            found.setdefault(path.parent, []).append(path)
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_folder_holds_too_many_files(folder):
    counts = {str(inner): len(files) for inner, files in files_of(folder).items()}
    assert counts
    assert {inner: count for inner, count in counts.items() if count > MAX_FILES} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_source_file_is_too_long(folder):
    sources = [
        path for files in files_of(folder).values() for path in files if path.suffix in SUFFIXES
    ]
    lines = {str(path): path.read_text("utf-8").count("\n") for path in sources}
    assert {path: count for path, count in lines.items() if count > MAX_LINES} == {}


def test_every_folder_of_tests_is_a_package():
    folders = {inner for inner, files in files_of("tests").items()
               if any(path.suffix == ".py" for path in files)}  # fmt: skip
    assert len(folders) > 1
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
