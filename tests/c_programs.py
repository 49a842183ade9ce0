"""Building the C core and the programs in tests/c, with any compiler."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
CSRC = ROOT / "csrc"
PROGRAMS = sorted((ROOT / "tests/c").glob("test_*.c"))
FLAGS = [
    *("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off"),
    f"-I{CSRC}",
]


def run(*command):
    """The standard output of a command that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def build_core(command, folder):
    """The objects of every file of the C core."""
    sources = sorted(CSRC.rglob("*.c"))
    objects = [folder / f"{source.stem}.o" for source in sources]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = zip(sources, objects, strict=True)
        list(pool.map(lambda job: run(*command, "-c", job[0], "-o", job[1]), jobs))
    return objects
