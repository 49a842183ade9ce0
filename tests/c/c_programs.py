"""Building the C core and the programs in tests/c, with any compiler."""

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.repository import ROOT

CSRC = ROOT / "csrc"
PROGRAMS = sorted((ROOT / "tests/c").glob("test_*.c"))
FLAGS = [
    *("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-pthread"),
    f"-I{CSRC}",
]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")


def run(*command):
    """The standard output of a command that has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def object_of(source, folder):
    """Where a source's object goes: two folders may have a file of the same name."""
    return folder / f"{source.parent.name}-{source.stem}.o"


def compile_all(commands, folder):
    """Compile each source with its command; the objects."""
    objects = [object_of(source, folder) for source in commands]
    jobs = [
        [*command, "-c", source, "-o", target]
        for (source, command), target in zip(commands.items(), objects, strict=True)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda job: run(*job), jobs))
    return objects


def compile_once(commands, tmp_path_factory):
    """As compile_all, once for all tests and all processes of a test run that ask for the same."""
    import fcntl  # not on Windows, where no test compiles anything

    lines = [" ".join(map(str, (*command, source))) for source, command in commands.items()]
    key = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder = root / f"objects-{key[:16]}"
    with (root / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            compile_all(commands, folder)
            (folder / "complete").touch()
    return [object_of(source, folder) for source in commands]


def build_core(command, folder):
    """The objects of every file of the C core."""
    return compile_all(dict.fromkeys(sorted(CSRC.rglob("*.c")), command), folder)


def shared_core(command, tmp_path_factory):
    """The same, compiled once for a whole test run."""
    return compile_once(dict.fromkeys(sorted(CSRC.rglob("*.c")), command), tmp_path_factory)


def builds_and_runs(folder, source, *flags):
    """Whether this machine's compiler takes these flags and these lines."""
    path, program = folder / "trial.c", folder / "trial"
    path.write_text(source + "int main(void) { return 0; }\n")
    command = [*COMPILER.split(), *flags, path, "-o", program]
    built = subprocess.run(command, capture_output=True, check=False)
    return built.returncode == 0 and subprocess.run([program], check=False).returncode == 0


def host_core(tmp_path_factory):
    """This machine's compiler with its sanitizers, as a command, and the C core as objects."""
    command = [*COMPILER.split(), *FLAGS]
    command += SANITIZE if builds_and_runs(tmp_path_factory.mktemp("trial"), "", *SANITIZE) else []
    return command, shared_core(command, tmp_path_factory)
