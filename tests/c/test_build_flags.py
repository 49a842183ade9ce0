"""Flags of setup.py: CFLAGS overrule those of hardening, but never those of floating point.

Fast-math flags would take NaN for a number and flush subnormals to zero.
"""

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
from setuptools._distutils import ccompiler, sysconfig
compiler = ccompiler.new_compiler()
sysconfig.customize_compiler(compiler)
print(json.dumps({
    "hardening": found["compile_hardening"](compiler),
    "link_hardening": found["link_hardening"](compiler),
    "taken": found["taken"]([*compiler.compiler_so, "-c"], json.loads(sys.stdin.read())),
    "core": found["core"][1]["cflags"],
    "compile": found["extension"].extra_compile_args,
    "link": found["extension"].extra_link_args,
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


def flags_of_setup(choices=(), **environment):
    """What setup.py gives the compiler after CFLAGS, to compile and to link."""
    pytest.importorskip("Cython")
    pytest.importorskip("setuptools")
    done = subprocess.run(
        [sys.executable, "-c", READ_FLAGS],
        cwd=ROOT,
        env=os.environ | environment,
        input=json.dumps(choices),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def flags():
    return flags_of_setup(CFLAGS="", LDFLAGS="")


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


def test_module_and_core_are_built_with_the_same_flags(flags):
    for given in (flags["compile"], flags["link"]):
        assert "-fno-fast-math" in given
        assert set(given) <= set(flags["core"])


@pytest.mark.parametrize("fast", FAST)
def test_flags_for_fast_math_are_overruled(fast, flags, tmp_path):
    assert build(tmp_path, fast, flags["core"], flags["link"]) == (0, 0)


@pytest.mark.parametrize("fast", FAST)
def test_without_setup_the_core_refuses_to_compile_with_fast_math(fast, tmp_path):
    assert build(tmp_path, "", [], []) == (0, 0)
    assert build(tmp_path, fast, [], [])[0] != 0


def test_the_first_flag_that_the_compiler_takes_without_a_warning_is_taken():
    choices = [["-fno-such-flag", "-O2", "-O1"], ["-fno-such-flag"], ["-D__STDC__=2"]]
    assert flags_of_setup(choices)["taken"] == ["-O2"]


@pytest.mark.skipif(sys.platform != "linux", reason="other linkers have other flags")
def test_debug_information_goes_unless_cflags_ask_for_it(flags):
    assert "-g0" in flags["hardening"]
    assert "-Wl,-s" in flags["link_hardening"]
    asked = flags_of_setup(CFLAGS="-O1 -g")
    assert asked["hardening"].index("-g") > asked["hardening"].index("-g0")
    assert "-Wl,-s" not in asked["link_hardening"]


def test_cflags_and_ldflags_overrule_the_hardening(flags):
    assert "-fstack-protector-strong" in flags["hardening"]
    asked = flags_of_setup(CFLAGS="-fno-stack-protector -D_FORTIFY_SOURCE=1", LDFLAGS="-Wl,-z,lazy")
    hardening = asked["hardening"]
    assert hardening.index("-fno-stack-protector") > hardening.index("-fstack-protector-strong")
    assert [flag for flag in hardening if "FORTIFY" in flag] == ["-D_FORTIFY_SOURCE=1"]
    assert asked["link_hardening"][-1] == "-Wl,-z,lazy"
