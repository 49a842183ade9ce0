#!/usr/bin/env python3
"""Switch off each input check of the C core in turn: ``python tools/check_checks.py``.

If a check (``QC_CHECK``) can be switched off and no test fails, the check is useless or untested.
This tool builds the core once, under the sanitizers, with checks that can be switched off
(csrc/base/check.h). It switches off each check in turn and runs everything that could notice: the
broken inputs of the tests, through tests/c/decode_corpus.c, and the C tests of wrong arguments and
of interruptions. A test notices by a crash, another result, another kind of error, or another rule
where it asks for the rule's name. Prints the checks that no test notices, and exits with status 1
if there are any. Takes a minute or two of processor time.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the modules are found through the path above
from tests.c.c_programs import FLAGS, build_core, run
from tests.format import test_golden, test_lanes, test_streams_broken
from tests.writers.stream_writer import stream_of

SWITCHABLE = [
    *("-DQC_SWITCHABLE_CHECKS", "-O1"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
]
TESTS = ROOT / "tests" / "c"
PROGRAMS = (
    "decode_corpus",
    "test_arguments",
    "test_frame_arguments",
    "test_plan_arguments",
    "test_poll",
)
#: A decoder that no longer ends has noticed.
SECONDS = 60


# ---- the corpus -----------------------------------------------------------------------


def record(
    kind: str, data: bytes, *, named: bool, width: int = 1, count: int = 0, base: bytes = b""
) -> bytes:
    """An input, as tests/c/decode_corpus.c reads it; `named`: a test asks for the rule's name."""
    sizes = (size.to_bytes(8, "little") for size in (count, len(base), len(data)))
    return kind.encode() + bytes([width, named]) + b"".join(sizes) + base + data


def golden_files() -> Iterator[bytes]:
    """Those of every release, broken ones too (tests/format/test_golden.py)."""
    for folder in test_golden.MANIFESTS:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        for part in ("valid", "broken"):
            for name in manifest[part]:
                path = folder / ("broken" if part == "broken" else "") / name
                base = test_golden.base_beside(path) or b""
                named = name in test_golden.RULES
                kind = "p" if path.suffix == ".qcodec" else "f"
                yield record(kind, path.read_bytes(), named=named, base=base)


def broken_streams() -> Iterator[bytes]:
    """Those of test_streams_broken.py and test_lanes.py in tests/format, which ask for the rule."""
    for data, count, width, *_ in test_streams_broken.BROKEN.values():
        yield record("s", data, named=True, width=width, count=count)
    for coding, body, *_ in test_lanes.BROKEN.values():
        data, count = stream_of(coding, body), 300
        yield record("s", data, named=True, width=test_lanes.WIDTH, count=count)


def corpus() -> Iterator[bytes]:
    """All inputs."""
    yield from golden_files()
    yield from broken_streams()


# ---- programs -------------------------------------------------------------------------


def build(folder: Path) -> dict[str, list[str]]:
    """The command of every program."""
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    command = [*compiler.split(), *FLAGS, *SWITCHABLE]
    objects = build_core(command, folder)
    commands = {}
    for name in PROGRAMS:
        source, executable = TESTS / f"{name}.c", folder / name
        run(*command, source, TESTS / "switched_checks.c", *objects, "-lm", "-o", executable)
        commands[name] = [str(executable)]
    inputs = folder / "corpus"
    inputs.write_bytes(b"".join(corpus()))
    commands["decode_corpus"].append(str(inputs))
    return commands


def outcome(command: list[str], **environment: str) -> tuple[int, str]:
    """What a program ends with and prints."""
    try:
        done = subprocess.run(
            command,
            env=os.environ | environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, ""
    return done.returncode, done.stdout.decode("latin-1")


def failed_checks(report: Path) -> dict[str, bool]:
    """Every check (file:line) and whether it failed; a check in a header is compiled many times."""
    failed: dict[str, bool] = {}
    for line in report.read_text(encoding="utf-8").splitlines():
        check, hit = line.rsplit(" ", 1)
        failed[check] = failed.get(check, False) or hit == "1"
    return failed


def main() -> None:
    """Run the command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = build(folder)
        expected: dict[str, tuple[int, str]] = {}
        failed: dict[str, dict[str, bool]] = {}
        for program, command in commands.items():
            report = folder / f"{program}.report"
            expected[program] = outcome(command, QC_CHECK_REPORT=str(report))
            if expected[program][0] != 0:
                sys.exit(f"{program} fails with all checks on")
            failed[program] = failed_checks(report)

        def is_noticed(check: str) -> bool:
            return any(
                outcome(command, QC_CHECK_OFF=check) != expected[program]
                for program, command in commands.items()
                if failed[program][check]
            )

        checks = sorted(failed["decode_corpus"])
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            noticed = list(pool.map(is_noticed, checks))
    unnoticed = [check for check, was in zip(checks, noticed, strict=True) if not was]
    for check in unnoticed:
        path, line = check.rsplit(":", 1)
        print(f"{Path(path).relative_to(ROOT)}:{line}: nothing notices when this check is off")
    print(f"{len(checks)} checks, {len(unnoticed) or 'none'} of them unnoticed")
    sys.exit(bool(unnoticed))


if __name__ == "__main__":
    main()
