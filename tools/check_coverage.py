#!/usr/bin/env python3
"""Measure how much of the C core the tests run: ``python tools/check_coverage.py``.

Builds the package in a copy of the project with gcc's counters. Runs the C programs of tests/c and
fuzz/ (without libFuzzer) and the Python tests that reach the core, and prints gcovr's figures for
each file of csrc/. Exits with status 1 below 95 % of the branches or 98 % of the lines.

A branch counts once, as it is in the source: without optimization nothing is inlined, so the copies
that always_inline makes of a kernel for each constant do not count. Assertions are compiled out,
because they never fail. Not counted: kernels for other machines (arm, and AVX-512 where this
machine lacks it); csrc/base/cpu.c, whose branches depend on the machine; and lines between
GCOVR_EXCL_START and GCOVR_EXCL_STOP, where a comment gives the reason.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the modules are found through the path above
import check_checks

BRANCHES, LINES = 95, 98
COUNTED = "--coverage -fprofile-update=atomic -O0 -DNDEBUG -Dalways_inline="
LEFT_OUT = ["csrc/kernels/arm/", "csrc/base/cpu.c"]
#: Those of the format, the codecs and the kernels; what is above them runs no other C.
PYTHON_TESTS = {
    "format": [
        *("coded_parameters", "convert", "delta", "differential", "differential_lanes"),
        *("differential_parts", "float_planes", "large_outputs", "lanes", "pack", "stream_heads"),
        *("round_trip", "routers", "sparse", "streams", "streams_broken", "tensor"),
    ],
    "format/exact": ["exact_forms", "exact_halves", "exact_probe", "exact_searches"],
    "quantize": [
        *("affine", "assign_by_cost", "codebook", "codecs", "fixed_point", "groups", "kmeans"),
        *("kmeans_fast", "prune", "quantized", "ternary", "ternary_best"),
    ],
}
TARGETS = ("decode_frame", "decode_stream", "decode_pack", "roundtrip_stream")
MUTANTS = 20_000


def call(*command: str | Path, folder: Path, **environment: str) -> None:
    """Run a command that has to succeed."""
    words = list(map(str, command))
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-4000:]}\n{' '.join(words)[:200]} failed ({done.returncode})")


def copy_project(folder: Path) -> None:
    """All files that git knows or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def build(folder: Path) -> None:
    """The package in place, with a compiler that counts whatever else it is told."""
    compiler = folder / "cc"
    compiler.write_text(f'#!/bin/sh\nexec {os.environ.get("CC", "gcc")} "$@" {COUNTED}\n')
    compiler.chmod(0o755)
    jobs = f"--parallel={os.cpu_count()}"
    command = (sys.executable, "setup.py", "-q", "build_ext", "--inplace", jobs)
    call(*command, folder=folder, CC=str(compiler))


def c_program(folder: Path, *sources: str) -> Path:
    """An executable, linked with the core that `build` has compiled; not counted itself."""
    name = f"{Path(sources[0]).stem}.program"
    objects = sorted(folder.glob("build/temp*/csrc/**/*.o"))
    compiler = os.environ.get("CC", "gcc").split()
    include = ("-Icsrc", "-Ifuzz", "-Itests/c")
    flags = ("-std=gnu11", "-O1", "-ffp-contract=off", *include)
    call(*compiler, *flags, *sources, *objects, "-lm", "-lgcov", "-o", name, folder=folder)
    return folder / name


def run_c_programs(folder: Path) -> None:
    """The tests; the inputs of check_checks; the fuzz targets on seeds and golden files."""
    for source in sorted(folder.glob("tests/c/test_*.c")):
        call(c_program(folder, str(source)), folder=folder)
    corpus = folder / "corpus"
    corpus.write_bytes(b"".join(check_checks.corpus()))
    call(c_program(folder, "tests/c/decode_corpus.c"), corpus, folder=folder)
    frames = sorted(map(str, folder.glob("tests/golden/*/*.frame")))
    call(c_program(folder, "fuzz/mutants.c"), str(MUTANTS), *frames, folder=folder)
    for target in TARGETS:
        (folder / "seeds" / target).mkdir(parents=True)
    (folder / "seeds" / "decode_large").mkdir()
    call(c_program(folder, "fuzz/seeds.c"), "seeds", folder=folder)
    for target in TARGETS:
        inputs = (
            frames if target == "decode_frame" else sorted((folder / "seeds" / target).iterdir())
        )
        call(c_program(folder, f"fuzz/{target}.c", "fuzz/replay.c"), *inputs, folder=folder)


def run_python_tests(folder: Path) -> None:
    """With few random examples: what they find is no business of this script."""
    tests = [f"tests/{part}/test_{name}.py" for part in PYTHON_TESTS for name in PYTHON_TESTS[part]]
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    call(*command, folder=folder, PYTHONPATH=str(folder), QCODEC_EXAMPLES="30")


def report(folder: Path) -> int:
    """Print the table; the status of gcovr."""
    left_out = LEFT_OUT + ([] if "avx512" in Path("/proc/cpuinfo").read_text() else [".*avx512"])
    command = [
        *("gcovr", "--root", ".", "--filter", "csrc/"),
        *(word for pattern in left_out for word in ("--exclude", pattern)),
        *("--txt-metric", "branch", "--txt", "--txt-summary"),
        *("--fail-under-branch", str(BRANCHES), "--fail-under-line", str(LINES)),
        *("--json", "coverage.json", "build"),
    ]
    return subprocess.run(command, cwd=folder, check=False).returncode


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="build in this folder, which is new, and keep it")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as name:
        folder = (keep or Path(name)).resolve()
        copy_project(folder)
        build(folder)
        run_c_programs(folder)
        run_python_tests(folder)
        sys.exit(report(folder) != 0)


if __name__ == "__main__":
    main()
