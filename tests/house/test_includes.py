"""The C core's layers: what one side of the codec may include of the other."""

import re
from pathlib import Path

import pytest

from tests.repository import ROOT

CSRC = ROOT / "csrc"
FILES = sorted(path for path in CSRC.rglob("*") if path.suffix in {".c", ".h"})
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)

# The words of a file's name that say on which side of the codec it stands.
DECODING = {"decode", "decoder", "read", "reader"}
ENCODING = {"encode", "encoder", "write", "writer"}


def includes(path: Path) -> list[str]:
    return INCLUDE.findall(path.read_text())


def all_includes(path: Path) -> set[str]:
    """What a file includes, directly or through our own headers."""
    seen: set[str] = set()
    waiting = includes(path)
    while waiting:
        name = waiting.pop()
        own = [file for file in FILES if file.name == Path(name).name]
        if name not in seen:
            seen.add(name)
            waiting += [inner for file in own for inner in includes(file)]
    return seen


def words(name: str) -> set[str]:
    return set(re.split(r"[_/.]", name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_encoders_and_decoders_never_include_each_other(path):
    for mine, other in ((DECODING, ENCODING), (ENCODING, DECODING)):
        if words(path.name) & mine:
            assert not [name for name in all_includes(path) if words(name) & other]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_core_is_free_of_python(path):
    assert not [name for name in all_includes(path) if name.endswith("Python.h")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_c_file_is_included(path):
    assert not [name for name in includes(path) if name.endswith(".c")]


def test_the_public_header_stands_alone():
    assert set(includes(CSRC / "qcodec.h")) == {"stddef.h", "stdint.h"}
