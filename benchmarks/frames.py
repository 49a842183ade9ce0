"""Whole frames to floats in memory that is there already: `python -m benchmarks.frames`.

Gaussian weights through `decode(data, out=array)` on one thread, medians of interleaved runs,
beside the speed of storing and copying as many floats.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import qcodec
from qcodec import Affine, Codebook, Density, Lossless, Sparse, Ternary

RUNS = 7
CODECS = {
    "codebook, 4 bits": Codebook(4),
    "codebook, 8 bits": Codebook(8),
    "ternary": Ternary(),
    "affine, 8 bits": Affine(8),
    "4 bits, 10 % dense": Sparse(Codebook(4), Density(0.1)),
    "lossless": Lossless(),
}


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def rows(count: int) -> list[tuple[str, str, float, float]]:
    """(what, how it is coded, G weights a second, GB of output a second)."""
    weights = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    out, half = np.ones(count, np.float32), np.ones(count, np.float16)
    jobs: dict[tuple[str, str], tuple[Callable[[], object], int]] = {
        ("store (NumPy fill)", ""): (lambda: out.fill(1.5), 4),
        ("copy", ""): (lambda: np.copyto(out, weights), 4),
    }
    for name, codec in CODECS.items():
        quantized = codec.quantize(weights)
        for profile in ("fixed", "balanced"):
            data = qcodec.encode(quantized, codec, profile=profile)
            coded = f"{profile}: {', '.join(qcodec.info(data).codings)}"
            jobs[name, coded] = (lambda data=data: qcodec.decode(data, out=out), 4)  # type: ignore[misc]
            if name == "codebook, 4 bits":
                jobs[f"{name}, to float16", coded] = (
                    lambda data=data: qcodec.decode(data, out=half, dtype="float16"),  # type: ignore[misc]
                    2,
                )
    times: dict[tuple[str, str], list[float]] = {key: [] for key in jobs}
    for _ in range(RUNS):
        for key, (job, _) in jobs.items():
            times[key].append(seconds(job))
    found = []
    for (what, coded), (_, size) in jobs.items():
        rate = count / statistics.median(times[what, coded]) / 1e9
        found.append((what, coded, rate, size * rate))
    return found


def main() -> int:
    """Print a table, and the time of one small call."""
    print("| what | coded as | G weights/s | GB/s of output |\n|---|---|---:|---:|")
    for what, coded, weights, output in rows(1 << 24):
        print(f"| {what} | {coded} | {weights:.2f} | {output:.1f} |")
    small, out = qcodec.encode(np.zeros(16, np.float32)), np.empty(16, np.float32)
    calls = [
        seconds(lambda: [qcodec.decode(small, out=out) for _ in range(1000)]) for _ in range(RUNS)
    ]
    print(f"\nOne call on 16 elements: {1000 * statistics.median(calls):.2f} microseconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
