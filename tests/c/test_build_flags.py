"""Fast-math flags in CFLAGS neither take NaN for a number nor flush subnormals to zero."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.repository import ROOT

COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform == "win32", reason="its compiler has no such flags"),
    pytest.mark.skipif(not (ROOT / "setup.py").exists(), reason="not in the source folder"),
]

READ_FLAGS = """
import json, runpy, sys
sys.argv = ["setup.py", "--name"]
found = runpy.run_path("setup.py")
extensions = found["extensions"]
print(json.dumps({
    "core": found["core"][1]["cflags"],
    "compile": [extension.extra_compile_args for extension in extensions],
    "link": [extension.extra_link_args for extension in extensions],
}))
"""

PROGRAM = """
#include "base/float_bits.h"
int main(int count, char **words)
{
    volatile float tiny = 1e-40f;
    volatile double zero = 0;
    double nan = zero / zero;
    (void)words;
    return !(tiny * (float)count > 0 && nan != nan);
}
"""
FAST = ["-ffast-math", "-Ofast", "-funsafe-math-optimizations -ffinite-math-only"]


@pytest.fixture(scope="module")
def flags():
    """What setup.py gives the compiler after CFLAGS, to compile and to link."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    command = [sys.executable, "-c", READ_FLAGS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def build(folder, fast, compile_flags, link_flags):
    """The exit codes of building the program with fast-math flags, and of running it."""
    source, program = folder / "program.c", folder / "program"
    source.write_text(PROGRAM)
    include = ["-O2", f"-I{ROOT / 'csrc'}"]
    object_file = folder / "program.o"
    compiling = [*COMPILER.split(), *include, *fast.split(), *compile_flags, "-c", source]
    linking = [*COMPILER.split(), *fast.split(), object_file, *link_flags, "-o", program]
    for command in ([*compiling, "-o", object_file], linking):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return 1, None
    return 0, subprocess.run([program], check=False).returncode


def test_modules_and_core_are_built_with_the_same_flags(flags):
    compile_flags, link_flags = flags["compile"], flags["link"]
    assert len(compile_flags) == len(link_flags) > 1
    for given in [*compile_flags, *link_flags]:
        assert "-fno-fast-math" in given
        assert set(given) <= set(flags["core"])


@pytest.mark.parametrize("fast", FAST)
def test_flags_for_fast_math_are_overruled(fast, flags, tmp_path):
    assert build(tmp_path, fast, flags["core"], flags["link"][0]) == (0, 0)


@pytest.mark.parametrize("fast", FAST)
def test_without_setup_the_core_refuses_to_compile_with_fast_math(fast, tmp_path):
    assert build(tmp_path, "", [], []) == (0, 0)
    assert build(tmp_path, fast, [], [])[0] != 0
