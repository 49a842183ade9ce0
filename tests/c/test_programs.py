"""The programs in tests/c, built with the C compiler and its sanitizers, and run.

Those that compare the kernels of instruction sets are also built with AVX-512 in
software, so that its kernels are tested on machines that lack it.
"""

import sys

import pytest

from tests.c.c_programs import (
    COMPILER,
    CSRC,
    FLAGS,
    PROGRAMS,
    ROOT,
    builds_and_runs,
    compile_once,
    host_core,
    run,
    shared_core,
)

SIMDE = ROOT / "tests/c/simde"
KERNEL_PROGRAMS = [path for path in PROGRAMS if "qc_cpu_select" in path.read_text()]
# Older compilers warn of SIMDe's vectors by value.
SIMDE_FLAGS = ["-DQC_AVX512=", "-Wno-psabi"]
THREAD_FLAGS = ["-O1", "-fsanitize=thread"]

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform == "win32", reason="guard pages are made with mmap"),
]


def build_and_run(program, core, folder):
    command, objects = core
    executable = folder / program.stem
    run(*command, program, *objects, "-lm", "-o", executable)
    run(executable)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """The compiler's command, and the C core as objects."""
    return host_core(tmp_path_factory)


@pytest.fixture(scope="module")
def core_in_software(tmp_path_factory):
    """The same for a machine that has AVX-512 and nothing else, by SIMDe."""
    folder = tmp_path_factory.mktemp("core_in_software")
    if not builds_and_runs(folder, "#include <simde/x86/avx512.h>\n", "-Wno-psabi"):
        pytest.skip("no SIMDe (Debian: libsimde-dev)")
    command = [*COMPILER.split(), *FLAGS, *SIMDE_FLAGS]
    sources = [path for path in sorted(CSRC.rglob("*.c")) if path.stem != "cpu"]
    commands = dict.fromkeys([*sources, SIMDE / "cpu.c"], command)
    for source in CSRC.rglob("*_avx512.c"):
        commands[source] = [*command, "-include", SIMDE / "avx512.h"]
    return command, compile_once(commands, tmp_path_factory)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_c_program(program, core, tmp_path):
    build_and_run(program, core, tmp_path)


@pytest.mark.parametrize("program", KERNEL_PROGRAMS, ids=lambda path: path.stem)
def test_avx512_kernels_are_right_in_software_too(program, core_in_software, tmp_path):
    build_and_run(program, core_in_software, tmp_path)


@pytest.mark.builds
def test_threads_that_share_their_input_write_nothing_that_others_see(tmp_path, tmp_path_factory):
    if not builds_and_runs(tmp_path, "", *THREAD_FLAGS):
        pytest.skip("no thread sanitizer")
    command = [*COMPILER.split(), *FLAGS, *THREAD_FLAGS]
    core = command, shared_core(command, tmp_path_factory)
    build_and_run(ROOT / "tests/c/test_threads.c", core, tmp_path)
