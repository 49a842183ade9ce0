"""Each public header compiles by itself, in C and in C++."""

import os
import shutil
import subprocess

import pytest

from tests.c.c_programs import COMPILER, CSRC

CPP = os.environ.get("CXX") or next(filter(None, map(shutil.which, ("c++", "clang++"))), None)
LANGUAGES = {
    "c": (COMPILER, ["-xc", "-std=c11"]),
    "c++": (CPP, ["-xc++", "-std=c++17"]),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("header", sorted(path.name for path in CSRC.glob("*.h")))
def test_a_public_header_compiles_by_itself(header, language):
    compiler, flags = LANGUAGES[language]
    if compiler is None:
        pytest.skip("no C compiler" if language == "c" else "no C++ compiler")
    command = [*compiler.split(), *flags, "-Wall", "-Wextra", "-Werror", "-pedantic"]
    done = subprocess.run(
        [*command, f"-I{CSRC}", "-fsyntax-only", "-"],
        input=f'#include "{header}"\n',
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
