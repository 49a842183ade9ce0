"""The programs in tests/c, built with the C compiler and its sanitizers, and run."""

import os
import shutil
import subprocess
import sys

import pytest
from c_programs import FLAGS, PROGRAMS, build_core, run

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform == "win32", reason="guard pages are made with mmap"),
]


def has_sanitizers(folder):
    source = folder / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    program = folder / "empty"
    built = subprocess.run([*COMPILER.split(), *SANITIZE, source, "-o", program], check=False)
    return built.returncode == 0 and subprocess.run([program], check=False).returncode == 0


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The compiler's command, and the C core as objects."""
    folder = tmp_path_factory.mktemp("core")
    command = [*COMPILER.split(), *FLAGS]
    command += SANITIZE if has_sanitizers(folder) else []
    return command, build_core(command, folder)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_c_program(program, build, tmp_path):
    command, objects = build
    executable = tmp_path / program.stem
    run(*command, program, *objects, "-lm", "-o", executable)
    run(executable)
