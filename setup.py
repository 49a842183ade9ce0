"""The compiled part; everything else about the project stands in pyproject.toml.

The C core is built as a static library, and the one extension module takes it in. The module
uses Python's limited API, so one wheel serves every CPython from 3.11 on. Free-threaded
interpreters have no limited API: there the wheel is for that version alone.

The module is stripped, hardened as far as the compiler can, and holds no path of the machine that
built it; the wheel depends on the sources and the tools alone. CFLAGS and LDFLAGS overrule the
flags of hardening, and CFLAGS=-g keeps symbols and debug information.
"""

import contextlib
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_clib import build_clib
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError

ROOT = Path(__file__).resolve().parent
LIMITED_API = "0x030B0000"
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

WARNINGS_ARE_ERRORS = os.environ.get("QCODEC_WERROR") == "1"
CFLAGS = os.environ.get("CFLAGS", "").split()
LDFLAGS = os.environ.get("LDFLAGS", "").split()
DEBUG_INFORMATION = any(flag.startswith("-g") and flag != "-g0" for flag in CFLAGS)

# The time of every file in a wheel, the same for every build. It is the default of hatchling.
os.environ.setdefault("SOURCE_DATE_EPOCH", "1580601600")

if sys.platform == "win32":
    FLOAT_FLAGS = ["/fp:precise"]
    MODULE_FLAGS, LINK_FLAGS = FLOAT_FLAGS, []
    C_FLAGS = ["/O2", "/std:c11", *FLOAT_FLAGS]
else:
    # They come after CFLAGS and so overrule a -ffast-math or -Ofast there, which would take NaN for
    # a number and, in what old compilers link, flush the subnormals of the whole process to zero.
    # -ffp-contract=off: a fused multiply-add would make numbers differ by machine.
    FLOAT_FLAGS = ["-O3", "-fno-fast-math", "-fno-unsafe-math-optimizations"]
    FLOAT_FLAGS += ["-fno-finite-math-only", "-ffp-contract=off"]
    MODULE_FLAGS, LINK_FLAGS = [*FLOAT_FLAGS, "-fvisibility=hidden"], FLOAT_FLAGS
    C_FLAGS = ["-std=c11", *MODULE_FLAGS, "-fPIC", "-Wall", "-Wextra"]
    C_FLAGS += ["-Werror"] if WARNINGS_ARE_ERRORS else []

# Of each line the first flag that the compiler takes without a warning; none where it takes none.
# Where a system fortifies by itself, a second definition is such a warning.
HARDENING = [
    [f"-ffile-prefix-map={ROOT}=."],
    ["-g0"],
    ["-fstack-protector-strong"],
    ["-fstack-clash-protection"],
    ["-D_FORTIFY_SOURCE=3", "-D_FORTIFY_SOURCE=2"],
    ["-fcf-protection", "-mbranch-protection=standard"],  # x86, ARM
]
LINK_HARDENING = [["-Wl,-z,relro"], ["-Wl,-z,now"], ["-Wl,-z,noexecstack"]]
if not DEBUG_INFORMATION and sys.platform != "darwin":  # whose linker warns of -s
    LINK_HARDENING += [["-Wl,-s"]]
TRIAL = """
#include <string.h>
void trial(char *to, const char *from);
void trial(char *to, const char *from)
{
    char copy[64];
    strcpy(copy, from);
    memcpy(to, copy, sizeof copy);
}
"""


def taken(command, choices):
    """Of each choice, the first flag with which the command compiles a trial without a warning."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, "trial.c")
        trial.write_text(TRIAL)

        def runs(flag):
            words = [*command, "-O3", "-fPIC", flag, "-Werror", trial, "-o", f"{folder}/trial"]
            return subprocess.run(words, capture_output=True, check=False).returncode == 0

        found = [next(filter(runs, choice), None) for choice in choices]
    return [flag for flag in found if flag]


def compile_hardening(compiler):
    """The flags of HARDENING for this compiler, then what the user says of them."""
    if compiler.compiler_type != "unix":
        return []
    return [*taken([*compiler.compiler_so, "-c"], HARDENING), *CFLAGS]


def link_hardening(compiler):
    """The same for the linker."""
    if compiler.compiler_type != "unix":
        return []
    return [*taken(compiler.linker_so, LINK_HARDENING), *LDFLAGS]


def relative(paths):
    """Paths as setuptools wants them: relative to the project, with forward slashes."""
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


class BuildPython(build_py):
    """Puts the public C headers into the package, for `qcodec.get_include()`."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib) / "qcodec" / "include"
            folder.mkdir(parents=True, exist_ok=True)
            for header in sorted((ROOT / "csrc").glob("qcodec*.h")):
                self.copy_file(str(header), str(folder / header.name))


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

    def build_libraries(self, libraries):
        hardening = compile_hardening(self.compiler)
        for _, options in libraries:
            options["cflags"] = [*hardening, *options["cflags"]]
        # An archive is added to: it would keep the objects of files that are gone.
        for name, _ in libraries:
            archive = self.compiler.library_filename(name, output_dir=self.build_clib)
            Path(archive).unlink(missing_ok=True)
        super().build_libraries(libraries)


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

    def build_extensions(self):
        if self.compiler.compiler_type == "unix":
            # Python's own run path is of no use to a module, and a path of this machine.
            self.compiler.linker_so = [
                word
                for word in self.compiler.linker_so
                if not word.startswith("-Wl,-rpath") or word in LDFLAGS
            ]
        for each in self.extensions:
            each.extra_compile_args[:0] = compile_hardening(self.compiler)
            each.extra_link_args[:0] = link_hardening(self.compiler)
        super().build_extensions()


class BuildWheel(bdist_wheel):
    """Gives all files the same permissions, whatever the checkout and the umask gave them."""

    def write_wheelfile(self, *arguments, **options):
        super().write_wheelfile(*arguments, **options)
        for path in Path(self.bdist_dir).rglob("*"):
            if path.is_file():
                path.chmod(0o644)


# Only what is listed makes setuptools rebuild after it changed; here are flags too.
DEPENDENCIES = ["setup.py", *relative((ROOT / "csrc").rglob("*.h"))]

core = (
    "qcodec_core",
    {
        "sources": relative((ROOT / "csrc").rglob("*.c")),
        "include_dirs": ["csrc"],
        "cflags": C_FLAGS,
        "obj_deps": {"": DEPENDENCIES},
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
    extra_compile_args=list(MODULE_FLAGS),
    extra_link_args=list(LINK_FLAGS),
    depends=[*DEPENDENCIES, *core[1]["sources"]],
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
    cmdclass={
        "build_py": BuildPython,
        "build_clib": BuildLibrary,
        "build_ext": BuildExtensions,
        "bdist_wheel": BuildWheel,
    },
    options={} if FREE_THREADED else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
