"""The layers of the C core: what the files of each folder may include."""

import re
import runpy
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.repository import ROOT

CSRC = ROOT / "csrc"
FILES = sorted(path for path in CSRC.rglob("*") if path.suffix in {".c", ".h"})
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)

# What the files of each folder may include, beside their own folder's: the layers from below.
# "" holds the public headers, which need nothing but the standard library.
LAYERS = {
    "": set(),
    "base": {""},
    "kernels": {"base"},
    "kernels/x86": {"base", "kernels"},
    "kernels/arm": {"base", "kernels"},
    "codings": {"base", "kernels"},
    "codings/routers": {"base", "codings"},
    "head": {"base", "kernels"},
    "body": {"base", "kernels", "codings", "codings/routers", "head", "body/copies"},
    "body/copies": {"base", "codings", "head"},
    "pack": {"base"},
    "numeric": {"", "base", "kernels"},
}
MAX_ARROWS = 23
PUBLIC = sorted(CSRC.glob("*.h"))

# The words of a file's name that say on which side of the codec it is.
DECODING = {"decode", "decoder", "read", "reader"}
ENCODING = {"encode", "encoder", "write", "writer"}


def folder(path: Path) -> str:
    inside = path.relative_to(CSRC).parent.as_posix()
    return "" if inside == "." else inside


def includes(path: Path) -> list[str]:
    return INCLUDE.findall(path.read_text())


def all_includes(path: Path) -> set[str]:
    """What a file includes, directly or through our own headers."""
    seen: set[str] = set()
    waiting = includes(path)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            if (CSRC / name).exists():
                waiting += includes(CSRC / name)
    return seen


def words(name: str) -> set[str]:
    return set(re.split(r"[_/.]", name))


def arrows() -> Counter:
    """The pairs of folders of which one includes the other, as tools/arrows.py counts them."""
    script = runpy.run_path(str(ROOT / "tools/arrows.py"))
    counted = script["count_arrows"](script["sources_of_tree"](ROOT), {})
    pairs = Counter()
    for (source, target), lines in counted.items():
        if source.startswith("csrc"):
            pairs[
                source.removeprefix("csrc").lstrip("/"), target.removeprefix("csrc").lstrip("/")
            ] = lines
    return pairs


def test_every_folder_is_in_the_table():
    assert {folder(path) for path in FILES} == set(LAYERS)


def test_the_readme_has_the_same_table():
    rows = re.findall(
        r"^\| `([\w/]+)` \|[^|]*\| ([^|]*) \|$", (CSRC / "README.md").read_text(), re.MULTILINE
    )
    table = {
        name: {"" for _ in re.findall("public headers", allowed)}
        | set(re.findall("`(.*?)`", allowed))
        for name, allowed in rows
    }
    assert table == {name: allowed for name, allowed in LAYERS.items() if name}


def test_the_layers_lead_in_one_direction():
    TopologicalSorter(LAYERS).prepare()  # raises CycleError
    assert len(arrows()) <= MAX_ARROWS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CSRC).as_posix())
def test_a_file_includes_only_what_its_folder_may(path):
    mine = folder(path)
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(), re.MULTILINE):
        target = CSRC / name
        assert target.is_file(), f"{name} is not named by its path in csrc/"
        assert folder(target) in {mine, *LAYERS[mine]}, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(CSRC).as_posix())
def test_encoders_and_decoders_never_include_each_other(path):
    for mine, other in ((DECODING, ENCODING), (ENCODING, DECODING)):
        if words(path.name) & mine:
            assert not [name for name in all_includes(path) if words(name) & other]


def test_the_core_is_free_of_python():
    assert not [path for path in FILES if any(n.endswith("Python.h") for n in includes(path))]


def test_no_c_file_is_included():
    assert not [path for path in FILES if any(name.endswith(".c") for name in includes(path))]


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.name)
def test_a_public_header_needs_the_standard_library_and_public_headers_alone(path):
    names = {header.name for header in PUBLIC}
    assert all_includes(path) <= {"stddef.h", "stdint.h", *names}
