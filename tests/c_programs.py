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


def compile_all(commands, folder):
    """Compile each source with its command; the objects."""
    objects = [folder / f"{source.stem}.o" for source in commands]
    jobs = [
        [*command, "-c", source, "-o", target]
        for (source, command), target in zip(commands.items(), objects, strict=True)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: run(*job), jobs))
    return objects


def build_core(command, folder):
    """The objects of every file of the C core."""
    return compile_all(dict.fromkeys(sorted(CSRC.rglob("*.c")), command), folder)
