"""Several threads against one: decoding, encoding, and many small tensors.

Beside them is what the machine scales, in the same rounds: copies of memory, and computing within
the caches. The scheduler may leave a second thread on the core of the first for milliseconds, and
only these jobs notice.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

import qcodec
from qcodec import Codebook, Codec, Lossless, Ternary, Verbatim
from qcodec._frame.ids import PROFILES
from qcodec._io.source import Backend

from . import data, goal_table, machine
from .measure import Effort, Job, in_turns
from .result import Key, Result, Results

GROUP = "threads"
WORST = "worst case"
CODECS: dict[str, Codec] = {
    "ternary": Ternary(),
    "4 bits": Codebook(4),
    "8 bits": Codebook(8),
    "raw": Verbatim(),
    "lossless": Lossless(),
}
_SMALL_TENSORS, _SMALL_SIDE = 2_000, 64
# Slow encoders encode a part of the weights.
_PART = {"balanced": 1, "small": 16}
_BACKENDS: tuple[Backend, ...] = ("mmap", "pread")
# So many times the samples of other groups: not all are quiet, and the ratios are near 1.
_MORE_ROUNDS = 2
# Read before each sample, outside its time, so that no job finds its output in the cache.
_DISPLACING_BYTES = 1 << 26

# From a number of threads.
Threaded = Callable[[int], Job]


def measure(results: Results, count: int, threads: int, effort: Effort) -> None:
    """All of it, with one thread and with so many, in turns, on the path of this process."""
    weights = data.gaussian(count)
    _record(results, control_jobs(weights), "yardstick", threads, weights, effort)
    for name, codec in CODECS.items():
        with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
            jobs = dict(decoding_jobs(name, codec, weights, Path(folder), opened))
            _record(results, jobs, "decode", threads, weights, effort)
        _record_worst(results, name, threads)
    for profile, part in _PART.items():
        some = weights[: max(1, count // part)]
        _record(results, encoding_jobs(some, profile), "encode", threads, some, effort)
    with tempfile.TemporaryDirectory() as folder:
        tensors = max(4, min(_SMALL_TENSORS, count >> 13))
        jobs = small_jobs(Path(folder), tensors)
        _record(results, jobs, "file", threads, weights, effort, tensors)


def method(threads: int) -> str:
    """How a number of threads is named."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def machine_jobs(source: np.ndarray) -> dict[str, Threaded]:
    """What memory and processors scale without qcodec."""
    target, block = np.ones_like(source), np.ones(1 << 18, np.uint8)

    def copied(threads: int) -> Job:
        pairs = zip(np.array_split(target, threads), np.array_split(source, threads), strict=True)
        return _together([lambda pair=pair: np.copyto(*pair) for pair in pairs])

    def computed(threads: int) -> Job:
        blocks = -(-source.nbytes // block.nbytes)
        shares = [len(part) for part in np.array_split(np.arange(blocks), threads)]
        return _together(
            [lambda n=n: [zlib.crc32(block) for _ in range(n)] for n in shares]  # without the GIL
        )

    return {"copies of memory": copied, "computing": computed}


def control_jobs(weights: np.ndarray) -> dict[str, Threaded]:
    """Jobs of one thread under two names: how far two figures of one job are apart."""
    out = np.empty_like(weights)

    def always_one(frame: bytes) -> Threaded:
        return lambda threads: lambda: qcodec.decode(frame, out=out)  # noqa: ARG005

    return {
        f"control: one thread twice, {name}": always_one(qcodec.encode(weights, CODECS[name]))
        for name in ("ternary", "lossless")
    }


def _together(jobs: list[Job]) -> Job:
    """All jobs at once, each on a thread of a pool that is there already."""
    if len(jobs) == 1:
        return jobs[0]
    pool = ThreadPoolExecutor(len(jobs))
    return lambda: list(pool.map(lambda job: job(), jobs))


def decoding_jobs(
    name: str, codec: Codec, weights: np.ndarray, folder: Path, opened: ExitStack
) -> Iterator[tuple[str, Threaded]]:
    """In each profile that makes other bytes: from memory and files, to a new array and `out=`."""
    quantized, out, seen = codec.quantize(weights), np.empty_like(weights), set()
    for profile in PROFILES:
        frame = qcodec.encode(quantized, profile=profile)
        if frame in seen:
            continue
        seen.add(frame)
        path = folder / f"{profile}.qcodec"
        qcodec.save_file({"w": quantized}, path, profile=profile)
        for target, array in (("out=", out), ("new array", None)):
            row = f"{name}, {profile}, {{}}, {target}"
            yield row.format("bytes"), _decode(frame, array)
            for backend in _BACKENDS:
                file = opened.enter_context(qcodec.safe_open(path, backend=backend))
                yield row.format(backend), _get(file, array)


def _decode(frame: bytes, out: np.ndarray | None) -> Threaded:
    return lambda threads: lambda: qcodec.decode(frame, out=out, threads=threads)


def _get(file: qcodec.files.TensorFile, out: np.ndarray | None) -> Threaded:
    return lambda threads: lambda: file.get_tensor("w", out, threads=threads)


def encoding_jobs(weights: np.ndarray, profile: str) -> dict[str, Threaded]:
    """One array by each codec that computes."""

    def encode(codec: Codec) -> Threaded:
        return lambda threads: (
            lambda: qcodec.encode(weights, codec, profile=profile, threads=threads)
        )

    return {f"{n}, {profile}": encode(codec) for n, codec in CODECS.items() if n != "raw"}


def small_jobs(folder: Path, count: int) -> dict[str, Threaded]:
    """Files of many small tensors, without loss and with 4 bits."""
    weights = data.gaussian(count * _SMALL_SIDE**2).reshape(count, _SMALL_SIDE, _SMALL_SIDE)
    tensors = {f"{at}.weight": array for at, array in enumerate(weights)}
    jobs: dict[str, Threaded] = {}
    for recipe in ("lossless", "codebook4"):
        path, again = folder / f"{recipe}.qcodec", folder / f"{recipe}.again.qcodec"
        qcodec.save_file(tensors, path, recipe=recipe)
        jobs[f"load_file, {recipe}"] = _load(path)
        jobs[f"save_file, {recipe}"] = _save(tensors, again, recipe)
    return jobs


def _load(path: Path) -> Threaded:
    return lambda threads: lambda: qcodec.load_file(path, threads=threads)


def _save(tensors: dict[str, np.ndarray], path: Path, recipe: str) -> Threaded:
    return lambda threads: lambda: qcodec.save_file(tensors, path, recipe=recipe, threads=threads)


def _record(
    results: Results,
    jobs: dict[str, Threaded],
    action: str,
    threads: int,
    weights: np.ndarray,
    effort: Effort,
    tensors: int = 0,
) -> None:
    path, rounds = machine.current(), goal_table.rounds_of(next(iter(jobs)), action)
    beside = machine_jobs(weights)
    named: dict[tuple[str, int], Job] = {
        (name, count): job(count)
        for name, job in (jobs | beside).items()
        for count in dict.fromkeys((1, threads))
    }
    for job in named.values():
        job()
    other = np.ones(min(_DISPLACING_BYTES, 64 * len(weights)) // 8, np.uint64)
    spreads = in_turns(
        {f"{name}|{count}": job for (name, count), job in named.items()},
        _MORE_ROUNDS * effort.rounds,
        threads=threads,
        before=lambda _: other.max(),
    )
    for (name, count), spread in zip(named, spreads.values(), strict=True):
        if name in beside:
            key = goal_table.yardstick(name, rounds, method(count), path)
            results.record(Result(key, spread, len(weights), "weights"))
        else:
            key = Key(GROUP, name, method(count), action, path)
            unit = "tensors" if tensors else "weights"
            results.record(Result(key, spread, tensors or len(weights), unit))


def _record_worst(results: Results, codec: str, threads: int) -> None:
    """The decoding of a codec that several threads speed up least, under a name of its own."""
    path = machine.current()
    rows = [key.data for key in results if key.group == GROUP and key.data.startswith(f"{codec}, ")]

    def pair(row: str) -> list[Result]:
        return [results[Key(GROUP, row, method(n), "decode", path)] for n in (1, threads)]

    worst = min(rows, key=lambda row: pair(row)[1].rate / pair(row)[0].rate)
    for one in pair(worst):
        results.record(replace(one, key=replace(one.key, data=f"{codec}, {WORST}")))
