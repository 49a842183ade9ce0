"""Files and folders of the project that documents, comments and scripts name exist."""

import re
from itertools import chain
from pathlib import Path

import pytest

from tests.repository import GOLDEN, ROOT

FOLDERS = (
    *(".ci", "benchmarks", "csrc", "docs", "examples", "fuzz", "qcodec", "recipes"),
    *("reference", "tests", "tools"),
)
SUFFIXES = {".c", ".h", ".in", ".md", ".pxd", ".pxi", ".py", ".pyi", ".pyx", ".sh", ".toml", ""}
#: `csrc/qcodec.h`, `tests/c/test_*arguments.c`, `tests/format/test_{streams,lanes}.py`
PATH = re.compile(
    rf"(?<![\w/.*}}-])(?:{'|'.join(map(re.escape, FOLDERS))})/(?:[\w/.*-]|\{{[\w,]*\}})*"
)
#: A test that is named without its folder.
TEST = re.compile(r"(?<![\w/*])test_\w+\.(?:py|c)\b")
#: What tests name because it is not there.
NOT_THERE = {"tools/no-such-program", "test_it.py"}
#: This file, and another whose examples are wrong or made up.
EXAMPLES = {Path(__file__), Path(__file__).with_name("test_arrows.py")}


def texts():
    """Files that people write."""
    top = (path for path in ROOT.iterdir() if path.is_file())
    below = chain.from_iterable((ROOT / folder).rglob("*") for folder in FOLDERS)
    for path in sorted({*top, *below} - EXAMPLES):
        if path.is_file() and path.suffix in SUFFIXES and not path.is_relative_to(GOLDEN):
            yield path


def expanded(path):
    """As a shell does it, one path for each word in braces; `{name}` alone may be any word."""
    match = re.search(r"\{([^{}]*)\}", path)
    if match is None:
        return [path]
    words = match[1].split(",") if "," in match[1] else ["*"]
    return [
        whole
        for word in words
        for whole in expanded(path[: match.start()] + word + path[match.end() :])
    ]


def named_in(text):
    for match in PATH.finditer(text):
        yield from expanded(match[0].rstrip("./-"))
    for match in TEST.finditer(text):
        yield match[0]


def is_there(name):
    if name.startswith(".ci") and not (ROOT / ".ci").exists():
        return True  # not in a source distribution
    pattern = f"tests/**/{name}" if TEST.fullmatch(name) else name
    return any(True for _ in ROOT.glob(pattern))


def missing(text):
    return [name for name in named_in(text) if name not in NOT_THERE and not is_there(name)]


def test_every_path_that_is_named_exists():
    found = {
        path.relative_to(ROOT).as_posix(): absent
        for path in texts()
        if (absent := missing(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("see `tests/house/test_no_such.py`", ["tests/house/test_no_such.py"]),
        ("test_no_such.py does it", ["test_no_such.py"]),
        ("docs/{format,missing}.md, csrc/no_*.c.", ["docs/missing.md", "csrc/no_*.c"]),
        ('f"tests/{part}/test_{name}.py", tests/c/ and https://example.org/docs/none.md', []),
    ],
)
def test_a_path_that_is_wrong_is_noticed(text, absent):
    assert missing(text) == absent
