"""The compiled parts; everything else about the project stands in pyproject.toml.

The C core is built as a static library, and the one extension module takes it in. The module
uses Python's limited API, so one wheel serves every CPython from 3.11 on. Free-threaded
interpreters have no limited API: there the wheel is for that version alone.
"""

import contextlib
import os
import sys
import sysconfig
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError

ROOT = Path(__file__).parent
LIMITED_API = "0x030B0000"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

WARNINGS_ARE_ERRORS = os.environ.get("QCODEC_WERROR") == "1"

if sys.platform == "win32":
    FLOAT_FLAGS = ["/fp:precise"]
    C_FLAGS = ["/O2", "/std:c11", *FLOAT_FLAGS]
else:
    # They come after CFLAGS and so overrule a -ffast-math or -Ofast there, which would take NaN for
    # a number and, in what old compilers link, flush the subnormals of the whole process to zero.
    # -ffp-contract=off: a fused multiply-add would make numbers differ by machine.
    FLOAT_FLAGS = ["-O3", "-fno-fast-math", "-fno-unsafe-math-optimizations"]
    FLOAT_FLAGS += ["-fno-finite-math-only", "-ffp-contract=off"]
    C_FLAGS = ["-std=c11", *FLOAT_FLAGS, "-fvisibility=hidden", "-fPIC"]
    C_FLAGS += ["-Wall", "-Wextra"] + (["-Werror"] if WARNINGS_ARE_ERRORS else [])


def relative(paths):
    """Paths as setuptools wants them: relative to the project, with forward slashes."""
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


class BuildPython(build_py):
    """Puts the public C header into the package, for `qcodec.get_include()`."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib) / "qcodec" / "include"
            folder.mkdir(parents=True, exist_ok=True)
            self.copy_file(str(ROOT / "csrc" / "qcodec.h"), str(folder / "qcodec.h"))


@contextlib.contextmanager
def needing_a_compiler():
    """Says that there is none, where there is none."""
    try:
        yield
    except (FileNotFoundError, CompileError) as error:
        if isinstance(error, CompileError) and "No such file" not in str(error):
            raise  # the compiler has said why
        raise CompileError(
            f"{error}: to build qcodec, a C compiler (C11) is needed, such as gcc or clang; "
            "the environment variable CC names one"
        ) from error


class BuildLibrary(build_clib):
    """Builds the C core."""

    def run(self):
        with needing_a_compiler():
            super().run()


class BuildExtensions(build_ext):
    """Builds the C core first, and leaves the compiled module in the source folder too.

    The README's commands run in the clone, where Python finds this folder's `qcodec`
    before the installed one.
    """

    def run(self):
        self.run_command("build_clib")
        with needing_a_compiler():
            super().run()
        if not self.inplace:
            self.copy_extensions_to_source()


core = (
    "qcodec_core",
    {
        "sources": relative((ROOT / "csrc").rglob("*.c")),
        "include_dirs": ["csrc"],
        "cflags": C_FLAGS,
        # Only what is listed here makes setuptools rebuild after a header changed.
        "obj_deps": {"": relative((ROOT / "csrc").rglob("*.h"))},
    },
)

limited_api = {
    "define_macros": [("Py_LIMITED_API", LIMITED_API), ("CYTHON_LIMITED_API", "1")],
    "py_limited_api": True,
}

extension = Extension(
    "qcodec._core.core",
    ["qcodec/_core/core.pyx"],
    include_dirs=["csrc"],
    extra_compile_args=FLOAT_FLAGS,
    extra_link_args=[] if sys.platform == "win32" else FLOAT_FLAGS,
    depends=relative((ROOT / "csrc").rglob("*.[ch]")),
    **({} if FREE_THREADED else limited_api),
)

setup(
    libraries=[core],
    ext_modules=cythonize(
        [extension],
        compiler_directives={
            "language_level": 3,
            "embedsignature": False,
            "freethreading_compatible": True,
        },
        build_dir="build/cython",
    ),
    cmdclass={"build_py": BuildPython, "build_clib": BuildLibrary, "build_ext": BuildExtensions},
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
