"""The C core by a recent clang, for the systems that people have: PyPI's ziglang brings it.

All that it warns of is an error. A program for Linux is also linked, and run where this machine
or an emulator can (Debian: `qemu-user-static`).
"""

import os
import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.c.c_programs import CSRC, ROOT, run

ZIG = find_spec("ziglang")
TARGETS = [
    "x86_64-linux-musl",
    "x86_64-macos",
    "x86_64-windows-gnu",
    "x86_64-freebsd",
    "aarch64-linux-musl",
    "aarch64-macos",
    "aarch64-windows-gnu",
    "aarch64-freebsd",
    "x86-linux-musl",
    "arm-linux-musleabihf",
    "riscv64-linux-musl",
    "s390x-linux-musl",
]
FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{CSRC}"]
#: Short, with much of the core in it: it encodes frames, and decodes them on every path.
PROGRAM = ROOT / "tests/c/test_sparse_paths.c"

pytestmark = [
    pytest.mark.builds,
    pytest.mark.skipif(ZIG is None, reason="no ziglang (pip install ziglang)"),
]


@pytest.fixture(scope="module")
def zig(tmp_path_factory):
    """The command of zig's C compiler for a target, with a cache of its own."""
    cache = str(tmp_path_factory.mktemp("zig"))
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", cache)
    os.environ.setdefault("ZIG_LOCAL_CACHE_DIR", cache)
    name = "zig.exe" if os.name == "nt" else "zig"
    program = Path(ZIG.submodule_search_locations[0]) / name
    return lambda target: [program, "cc", "-target", target]


def compile_core(command, folder):
    """Objects of all of the core; every error is in one message."""

    def compile_one(source):
        target = folder / f"{source.parent.name}-{source.stem}.o"
        done = subprocess.run(
            [*command, *FLAGS, "-c", source, "-o", target],
            capture_output=True,
            text=True,
            check=False,
        )
        return target, "" if done.returncode == 0 else f"{source.name}:\n{done.stderr}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects, errors = zip(*pool.map(compile_one, sorted(CSRC.rglob("*.c"))), strict=True)
    assert not "".join(errors), "\n".join(filter(None, errors))
    return objects


def runner(target):
    """How to run a program for Linux here: by itself, by an emulator, or not (None)."""
    machine = target.split("-", maxsplit=1)[0]
    if platform.system() == "Linux" and platform.machine() == machine:
        return []
    name = f"qemu-{ {'x86': 'i386'}.get(machine, machine) }"
    emulator = shutil.which(f"{name}-static") or shutil.which(name)
    return [emulator] if emulator else None


@pytest.mark.parametrize("target", TARGETS)
def test_the_core_compiles_without_a_warning(target, zig, tmp_path):
    objects = compile_core(zig(target), tmp_path)
    if "linux" not in target:
        return
    executable, prefix = tmp_path / PROGRAM.stem, runner(target)
    # The program uses what POSIX has beside C11.
    run(*zig(target), *FLAGS, "-D_GNU_SOURCE", PROGRAM, *objects, "-lm", "-o", executable)
    if prefix is not None:
        run(*prefix, executable)


def test_a_target_without_crc32_has_the_crc32_kernel(zig, tmp_path):
    """It is chosen when the program runs, so no target may miss it."""
    source = CSRC / "kernels/x86/crc32c_sse42.c"
    target = tmp_path / "kernel.o"
    command = [*zig("x86_64-linux-musl"), *FLAGS, "-mcpu=x86_64", "-mno-crc32"]
    run(*command, "-c", source, "-o", target)
    assert b"qc_crc32c_sse42" in target.read_bytes()
