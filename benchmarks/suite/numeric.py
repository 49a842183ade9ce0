"""k-means and ternary weights beside other packages, CRC32C, and the cost of one small call."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import qcodec
from qcodec._core import core
from qcodec.quantize.codebook import Init

from . import data, machine, ours
from .measure import Effort, Job, interleave
from .result import Key, Result, Results

ROUNDS = 3
LEVELS = (16, 64, 256)
TERNARY = 10  # times as many weights
COMPARED_LEVELS = 16  # up to here with other packages, which take seconds for more
OWN_INITS: tuple[Init, ...] = ("exact", "fast", "linear")

Centroids = Callable[[], np.ndarray]


def k_means_jobs(weights: np.ndarray, k: int) -> dict[str, Centroids]:
    """Ways to k centroids; ours include sorting, where they need it, and the codes."""
    jobs: dict[str, Centroids] = {
        f"qcodec Codebook, init={init}": partial(_own_centroids, weights, k, init)
        for init in OWN_INITS
    }
    jobs["qcodec Codebook, init=fast, without codes"] = lambda: core.kmeans_fast(weights, k)[0]
    if k <= COMPARED_LEVELS:
        jobs |= _of_packages(weights, k)
    return jobs


def _of_packages(weights: np.ndarray, k: int) -> dict[str, Centroids]:
    jobs: dict[str, Centroids] = {}
    if find_spec("sklearn"):
        from sklearn.cluster import KMeans

        column = weights.reshape(-1, 1)
        model = KMeans(k, n_init=1, random_state=0)
        jobs["scikit-learn KMeans"] = lambda: model.fit(column).cluster_centers_
    if find_spec("kmeans1d"):
        import kmeans1d

        jobs["kmeans1d"] = lambda: np.array(kmeans1d.cluster(weights, k).centroids)
    if find_spec("ckwrap"):
        import ckwrap

        jobs["ckwrap"] = lambda: ckwrap.ckmeans(weights, k).centers
    for package in ("sklearn", "kmeans1d", "ckwrap"):
        if find_spec(package) is None:
            warnings.warn(f"{package}: skipped: it is not installed", stacklevel=2)
    return jobs


def _own_centroids(weights: np.ndarray, k: int, init: Init) -> np.ndarray:
    found = qcodec.Codebook(k.bit_length() - 1, init=init).quantize(weights).codebook
    assert found is not None, "a codebook has entries"
    return found.values[0]


def squared_error(weights: np.ndarray, centroids: np.ndarray) -> float:
    """The sum over all weights to the nearest centroid."""
    ordered = np.sort(centroids.reshape(-1).astype(np.float32))
    error = weights - ordered[core.assign(weights, ordered)]
    return float(np.dot(error.astype(np.float64), error))


def measure(results: Results, count: int, effort: Effort) -> None:
    """All of it."""
    weights = data.gaussian(count)
    for k in LEVELS:
        _measure_k_means(results, weights, k, Effort(min(ROUNDS, effort.rounds), effort.seconds))
    _measure_ternary(results, data.gaussian(TERNARY * count), effort)
    _measure_checksum(results, weights, effort)
    _measure_small_calls(results, effort)


def _measure_k_means(results: Results, weights: np.ndarray, k: int, effort: Effort) -> None:
    jobs = k_means_jobs(weights, k)
    errors = {method: squared_error(weights, job()) for method, job in jobs.items()}
    minimum = errors["qcodec Codebook, init=exact"]
    for method, spread in interleave(jobs, effort).items():
        key = Key("k-means", f"Gaussian, k = {k}", method, "quantize")
        share = 100 * errors[method] / minimum
        results.record(Result(key, spread, len(weights), "weights", share))


def _measure_ternary(results: Results, weights: np.ndarray, effort: Effort) -> None:
    jobs: dict[str, Job] = {
        f"qcodec Ternary, exact, scales={scales}": partial(
            qcodec.Ternary(scales=scales).quantize, weights
        )
        for scales in (1, 2)
    }
    jobs["sorting alone"] = lambda: np.sort(weights)
    for method, spread in interleave(jobs, effort).items():
        key = Key("k-means", "Gaussian, ternary", method, "quantize")
        results.record(Result(key, spread, len(weights), "weights"))


def _measure_checksum(results: Results, weights: np.ndarray, effort: Effort) -> None:
    block = weights.view(np.uint8)[: 1 << 18]
    crc = ours.core().ours_crc32c

    def choose_path(name: str) -> None:
        if name in machine.PATHS:
            ours.select(name)

    paths = [path for path in machine.available() if path != "AVX2"]  # it adds nothing to a CRC
    jobs: dict[str, Job] = dict.fromkeys(paths, lambda: crc(block.ctypes.data, len(block)))
    if find_spec("google_crc32c"):
        import google_crc32c

        copy = block.tobytes()
        jobs["google-crc32c"] = lambda: google_crc32c.value(copy)
    for name, spread in interleave(jobs, effort, before=choose_path).items():
        own = name in machine.PATHS
        key = Key("crc32c", "256 KiB", "qcodec" if own else name, "sum", name if own else "")
        results.record(Result(key, spread, len(block), "bytes"))


def _measure_small_calls(results: Results, effort: Effort) -> None:
    weights, out = np.zeros(16, np.float32), np.empty(16, np.float32)
    small = qcodec.encode(weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.qcodec"
        qcodec.save_file({"weights": weights}, path)
        with qcodec.safe_open(path, "numpy", backend="mmap") as file:
            jobs: dict[str, Job] = {
                "qcodec.decode, out=": lambda: qcodec.decode(small, out=out),
                "get_tensor of a mapped file": lambda: file.get_tensor("weights"),
            }
            spreads = interleave(jobs, effort)
    for method, spread in spreads.items():
        key = Key("small calls", "16 elements", method, "call")
        results.record(Result(key, spread, 1, "calls"))
