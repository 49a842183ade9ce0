"""Two builds of qcodec, side by side: what a change costs that should cost nothing.

``python benchmarks/builds.py OLD NEW [--rounds N]``: both are folders of clones in which
``python setup.py build_ext --inplace`` has been run. Processes of the two take turns, one round
after the other, on every instruction set of the machine. Uses only what both have: names that
every version of the package knows.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: A sample repeats its job for so long, and the fastest call counts.
SECONDS = 0.1
PATHS = {"AVX-512": "", "AVX2": "AVX512", "portable": "SSE42,AVX2,AVX512,NEON,ARM_CRC"}


def jobs(folder: str) -> dict[str, Callable[[], object]]:
    """What is timed, with the build that this process imports."""
    import numpy as np

    import qcodec

    random = np.random.default_rng(0)
    weights = random.normal(size=(1024, 1024)).astype(np.float32)
    sparse = np.where(random.random(weights.shape) < 0.1, weights, 0).astype(np.float32)
    halves = weights.astype(np.float16)
    few = np.arange(16, dtype=np.float32)
    codecs: dict[str, tuple[Any, Any]] = {
        "4-bit codebook": (qcodec.Codebook(bits=4), weights),
        "8-bit codebook": (qcodec.Codebook(bits=8), weights),
        "4-bit affine, groups of 64": (qcodec.Affine(bits=4, group=64), weights),
        "ternary": (qcodec.Ternary(), weights),
        "a tenth of float32": (qcodec.Lossless(), sparse),
        "lossless float32": (qcodec.Lossless(), weights),
        "lossless float16": (qcodec.Lossless(), halves),
    }
    found: dict[str, Callable[[], object]] = {}
    path = Path(folder) / "net.safetensors"
    qcodec.save_file({"few": few, "weights": weights}, path, recipe=qcodec.Codebook(bits=4))
    file = qcodec.safe_open(path, "numpy").__enter__()
    frame, out = qcodec.encode(few), np.empty_like(few)
    found["decode 16 elements, out="] = lambda: qcodec.decode(frame, out=out)
    found["get_tensor, 16 elements"] = lambda: file.get_tensor("few")
    found["encode 16 elements"] = lambda: qcodec.encode(few)
    for name, (codec, array) in codecs.items():
        data, to = qcodec.encode(array, codec), np.empty_like(array)
        found[f"decode {name}"] = lambda data=data, to=to: qcodec.decode(data, out=to)  # type: ignore[misc]
        numbers = codec.quantize(array)  # without the search for centroids
        found[f"encode {name}"] = lambda numbers=numbers: qcodec.encode(numbers)  # type: ignore[misc]
    return found


def fastest(job: Callable[[], object]) -> float:
    """Seconds of one call: of the processor, and the fewest of several samples."""
    job()
    samples, end = [], time.process_time() + SECONDS
    calls = 1
    while len(samples) < 3 or time.process_time() < end:
        start = time.process_time()
        for _ in range(calls):
            job()
        taken = time.process_time() - start
        samples.append(taken / calls)
        if taken < 0.002:
            calls *= 2
            samples = samples[-2:]
    return min(samples)


def run(build: Path, disabled: str) -> dict[str, float]:
    """One round of one build, in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": str(build.resolve()),
        "QCODEC_DISABLE_CPU_FEATURES": disabled,
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--worker", folder]
        done = subprocess.run(  # noqa: S603
            command, env=environment, cwd=folder, capture_output=True, text=True, check=True
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def table(old: list[dict[str, float]], new: list[dict[str, float]]) -> list[str]:
    """A row per job: microseconds of both, and the ratio with its quartiles over the rounds."""
    rows = []
    for name in old[0]:
        ratios = [b[name] / a[name] for a, b in zip(old, new, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        before, after = (1e6 * statistics.median(r[name] for r in each) for each in (old, new))
        rows.append(
            f"| {name} | {before:,.2f} | {after:,.2f} | {middle:.3f} ({low:.3f} to {high:.3f}) |"
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("builds", type=Path, nargs="*", metavar="BUILD", help="OLD and NEW")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--paths", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument("--worker", metavar="FOLDER", help="time this process's own build")
    options = parser.parse_args()
    if options.worker:
        print(json.dumps({name: fastest(job) for name, job in jobs(options.worker).items()}))
        return
    if len(options.builds) != 2:
        parser.error("two builds are compared: OLD NEW")
    for path in options.paths:
        rounds: tuple[list[dict[str, float]], ...] = ([], [])
        for _ in range(options.rounds):
            for build, done in zip(options.builds, rounds, strict=True):
                done.append(run(build, PATHS[path]))
        print(f"\n{path}\n\n| job | old, µs | new, µs | new / old |\n|---|---|---|---|")
        print("\n".join(table(*rounds)), flush=True)


if __name__ == "__main__":
    main()
