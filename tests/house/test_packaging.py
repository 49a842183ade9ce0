"""The sdist, the wheel and the installed package: nothing is missing and nothing is extra."""

import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.repository import ROOT

pytestmark = pytest.mark.builds

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

USE = """
import pathlib, numpy, qcodec, qcodec.demo
package = pathlib.Path(qcodec.__file__).parent
assert (package / "py.typed").exists()
array = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
assert (qcodec.decode(qcodec.encode(array)) == array).all()
assert qcodec.demo.main() == 0
"""


def run(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-5000:]
    return result.stdout


def tracked():
    """The project's own files, by git; without it, what an sdist would not be asked to hold."""
    try:
        return run("git", "ls-files", cwd=ROOT).split()
    except (AssertionError, FileNotFoundError):
        pytest.skip("not a git clone")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", folder, ROOT)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, sdist)
    return next(folder.glob("*.whl"))


def test_the_sdist_holds_every_file_of_the_project(sdist):
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    unpacked = {".gitignore"} | {name for name in tracked() if name.startswith(".ci/")}
    assert set(tracked()) - held == unpacked
    assert not [name for name in held if re.search(r"\.(so|o|a|pyc)$|^build/", name)]


def test_one_wheel_serves_every_python_from_3_11(wheel):
    assert re.fullmatch(r"qcodec-[\d.]+-cp311-abi3-\w+\.whl", wheel.name)


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    assert {re.sub(r"-[\d.]+\.(dist-info|data)$", "", name) for name in top} == {"qcodec"}
    inside = [name.rpartition("qcodec/")[2] for name in names if "dist-info" not in name]
    assert "py.typed" in inside
    headers = {f"include/{path.name}" for path in (ROOT / "csrc").glob("qcodec*.h")}
    assert {name for name in inside if name.startswith("include/")} == headers
    assert [name for name in inside if name.endswith(".so")] == ["_core/core.abi3.so"]
    assert "_core/core.pyi" in inside
    assert not [name for name in inside if re.search(r"\.(c|pyx|pxd|pxi)$", name)]


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 2_500_000


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment's Python that has the wheel, and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env/bin/python"
    run(python, "-I", "-m", "pip", "install", "--quiet", wheel)  # -I: whatever PYTHONPATH says
    return python


def test_the_wheel_works_in_an_empty_environment(installed, tmp_path):
    run(installed, "-I", "-c", USE, cwd=tmp_path)


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
def test_c_programs_find_all_that_they_include_in_the_wheel(installed, tmp_path):
    code = "import qcodec; print(qcodec.get_include())"
    include = Path(run(installed, "-I", "-c", code, cwd=tmp_path).rstrip("\n"))
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{include}"]
    program = tmp_path / "matvec.o"
    run(COMPILER, *flags, "-c", ROOT / "examples/matvec.c", "-o", program)
    for header in include.iterdir():
        alone = tmp_path / "alone.c"
        alone.write_text(f'#include "{header.name}"\n')
        run(COMPILER, *flags, "-c", alone, "-o", tmp_path / "alone.o")
