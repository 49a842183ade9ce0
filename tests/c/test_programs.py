"""The programs in tests/c, built with the C compiler and its sanitizers, and run.

Those that compare the kernels of instruction sets are also built with AVX-512 in
software, so that its kernels are tested on machines that lack it. test_kernels.c runs
each kernel by its name, and says which sets it could not run.
"""

import re
import sys

import pytest

from qcodec._base.installation import config
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
KERNEL_PROGRAMS = [path for path in PROGRAMS if "qc_cpu_" in path.read_text()]
# Older compilers warn of SIMDe's vectors by value.
SIMDE_FLAGS = ["-DQC_HAS_SSE42=0", "-DQC_HAS_AVX2=0", "-DQC_HAS_AVX512=1", "-DQC_AVX512="]
SIMDE_FLAGS += ["-DQC_HAS_NEON=0", "-DQC_HAS_ARM_CRC=0", "-Wno-psabi"]
THREAD_FLAGS = ["-O1", "-fsanitize=thread"]
#: A decoder and an encoder without an operating system, and without a file for one instruction set.
PORTABLE_FLAGS = ["-DQC_PORTABLE", "-ffreestanding"]
#: The names of test_kernels.c for those of QCODEC_DISABLE_CPU_FEATURES.
SETS = {"SSE42": "SSE4.2", "AVX2": "AVX2", "AVX512": "AVX-512", "NEON": "NEON"}
SETS["ARM_CRC"] = "ARM CRC32"

pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler"),
    pytest.mark.skipif(sys.platform == "win32", reason="guard pages are made with mmap"),
]


def build_and_run(program, core, folder):
    command, objects = core
    executable = folder / program.stem
    run(*command, program, *objects, "-lm", "-o", executable)
    return run(executable)


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


@pytest.mark.builds
@pytest.mark.parametrize("program", KERNEL_PROGRAMS, ids=lambda path: path.stem)
def test_avx512_kernels_are_right_in_software_too(program, core_in_software, tmp_path):
    build_and_run(program, core_in_software, tmp_path)


def kernels_checked(printed):
    """How many kernels test_kernels.c checked of each set."""
    return {
        name: int(count) for name, count in re.findall(r"^(.+): (\d+) of", printed, re.MULTILINE)
    }


def test_kernels_of_every_instruction_set_of_this_machine_are_checked(core, tmp_path):
    checked = kernels_checked(build_and_run(ROOT / "tests/c/test_kernels.c", core, tmp_path))
    found = {SETS[name] for name in config()["cpu_found"]}
    assert checked.keys() == found | {"portable"}
    assert all(checked.values())


@pytest.mark.builds
def test_avx512_kernels_are_checked_in_software(core_in_software, tmp_path):
    program = ROOT / "tests/c/test_kernels.c"
    checked = kernels_checked(build_and_run(program, core_in_software, tmp_path))
    assert checked.keys() == {"portable", "AVX-512"}
    assert all(checked.values())


@pytest.fixture(scope="module")
def portable_core(tmp_path_factory):
    """The C core without the folders of instruction sets."""
    command = [*COMPILER.split(), *FLAGS, *PORTABLE_FLAGS]
    sources = [path for path in sorted(CSRC.rglob("*.c")) if path.parent.name not in {"x86", "arm"}]
    return command, compile_once(dict.fromkeys(sources, command), tmp_path_factory)


@pytest.mark.builds
@pytest.mark.parametrize("program", ["test_kernels", "test_sparse_paths", "test_crc32c"])
def test_the_core_works_without_a_file_for_an_instruction_set(program, portable_core, tmp_path):
    printed = build_and_run(ROOT / f"tests/c/{program}.c", portable_core, tmp_path)
    if program == "test_kernels":
        assert kernels_checked(printed).keys() == {"portable"}


@pytest.mark.builds
def test_threads_that_share_their_input_write_nothing_that_others_see(tmp_path, tmp_path_factory):
    if not builds_and_runs(tmp_path, "", *THREAD_FLAGS):
        pytest.skip("no thread sanitizer")
    command = [*COMPILER.split(), *FLAGS, *THREAD_FLAGS]
    core = command, shared_core(command, tmp_path_factory)
    build_and_run(ROOT / "tests/c/test_threads.c", core, tmp_path)
