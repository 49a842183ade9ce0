"""Whole frames to floats, into an existing buffer, beside NumPy, SciPy and torch.

The bounds are what the memory allows: plain copies and non-temporal stores.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

import qcodec
from qcodec import Codebook, Lossless, Quantized, Sparse, Ternary
from qcodec.codecs.pruning import Density
from qcodec.dtypes import element_type
from qcodec.quantized import Groups

from . import data, machine
from .measure import Effort, Job, interleave
from .peers_c import store
from .result import Key, Result, Results

GROUP = "frames"
# Read before each sample, outside its time, so that no job finds its output in the cache. Written
# lines would have to be stored first, within the sample.
DISPLACING_BYTES = 1 << 26
BITS = range(1, 9)
# With several threads, for the memory to be shared, a few show what the others do.
THREADED = ("codebook, 4 bits", "ternary", "lossless float32")


def spread_levels(count: int, bits: int) -> Quantized:
    """Codes of a Gaussian: a tile of them again and again, which codes as well as new ones."""
    tile = Codebook(bits, init="linear").quantize(data.gaussian(min(count, 1 << 20)))
    codes = np.resize(tile.codes, count)
    assert tile.codebook is not None, "a codebook has entries"
    book = Groups(tile.codebook.values)
    return Quantized((count,), "float32", "codebook", codes, None, tile.bits, codebook=book)


def frames(count: int) -> Iterator[tuple[str, str, bytes, str]]:
    """(data, method, the frame, the element type to decode to)."""
    for bits in BITS:
        quantized = spread_levels(count, bits)
        for profile in ("fixed", "balanced"):
            frame = qcodec.encode(quantized, profile=profile)
            yield f"codebook, {bits} bits", _coded(profile), frame, "float32"
            if bits == 4:
                yield "codebook, 4 bits to float16", _coded(profile), frame, "float16"
    weights = data.gaussian(count)
    for name, codec in (
        ("ternary", Ternary()),
        ("4 bits, 10 % dense, gaps", Sparse(Codebook(4), Density(0.1), positions="gaps")),
        ("4 bits, 10 % dense, mask", Sparse(Codebook(4), Density(0.1), positions="mask")),
        ("lossless float32", Lossless()),
    ):
        quantized = codec.quantize(weights)
        for profile in ("fixed", "balanced"):
            frame = qcodec.encode(quantized, codec, profile=profile)
            yield name, _coded(profile), frame, "float32"
            if name == "ternary":
                yield "ternary to float16", _coded(profile), frame, "float16"
    half = (weights.view(np.uint32) >> 16).astype(np.uint16)
    frame = qcodec.encode(half, Lossless(dtype="bfloat16"))
    yield "lossless bfloat16", _coded("balanced"), frame, "bfloat16"


def _coded(profile: str) -> str:
    return f"qcodec {profile}"


def bounds(out: np.ndarray, source: np.ndarray) -> dict[str, Job]:
    """What the memory allows for an output of this type."""
    return {"store bound": lambda: store(out), "memcpy": lambda: np.copyto(out, source)}


def look_ups(count: int, out: np.ndarray) -> dict[tuple[str, str], Job]:
    """How codes become floats without qcodec: (data, method) and the job."""
    codes = np.resize(data.k_means(min(count, 1 << 20), 4), count)
    book = np.linspace(-1, 1, 16, dtype=np.float32)
    packed = np.resize(np.arange(81, dtype=np.uint8), count // 4)
    # Four trits a byte: a row of four floats for each value that a byte can have.
    rows = book[(np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3]
    quads = out[: count // 4 * 4].reshape(-1, 4)
    jobs: dict[tuple[str, str], Job] = {
        ("codebook, 4 bits", "np.take, out="): lambda: np.take(book, codes, out=out, mode="clip"),
        ("codebook, 4 bits", "book[codes]"): lambda: book[codes],
        ("ternary", "np.take of 4, out="): lambda: np.take(
            rows, packed, axis=0, out=quads, mode="clip"
        ),
    }
    if find_spec("torch") is None:
        warnings.warn("torch: skipped: it is not installed", stacklevel=2)
        return jobs
    import torch

    torch.set_num_threads(1)
    indices, entries, target = torch.from_numpy(codes).int(), torch.from_numpy(book), out
    quad_indices = torch.from_numpy(packed).int()
    tensor = torch.from_numpy(target)
    return jobs | {
        ("codebook, 4 bits", "torch index_select, out="): lambda: torch.index_select(
            entries, 0, indices, out=tensor
        ),
        ("ternary", "torch index_select of 4, out="): lambda: torch.index_select(
            torch.from_numpy(rows), 0, quad_indices, out=torch.from_numpy(quads)
        ),
    }


def sparse_peers(count: int, out: np.ndarray) -> dict[tuple[str, str], Job]:
    """How a matrix of which a tenth is stored becomes dense without qcodec."""
    side = math.isqrt(count)
    kept = Sparse(Lossless(), Density(0.1)).quantize(data.gaussian(side * side))
    matrix = kept.dequantize().reshape(side, side)
    dense = out[: side * side].reshape(side, side)
    positions, values = np.flatnonzero(matrix), matrix[matrix != 0]
    gaps = np.diff(positions, prepend=-1)

    def scatter() -> None:
        dense.fill(0)
        dense.reshape(-1)[np.cumsum(gaps) - 1] = values

    jobs: dict[tuple[str, str], Job] = {("", "np.cumsum and scatter"): scatter}
    if find_spec("scipy"):
        from scipy.sparse import csr_array

        stored = csr_array(matrix)
        jobs["", "scipy csr toarray"] = stored.toarray
        jobs["", "scipy csr toarray, out="] = lambda: stored.toarray(out=dense)
    if find_spec("torch"):
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls its csr tensors experimental
            tensor = torch.from_numpy(matrix).to_sparse_csr()
        jobs["", "torch csr to_dense"] = tensor.to_dense
    return {("4 bits, 10 % dense, gaps", method): job for (_, method), job in jobs.items()}


def measure(results: Results, count: int, effort: Effort, threads: tuple[int, ...] = (1,)) -> None:
    """Decode every frame on the path that this process uses."""
    path = machine.current()
    outs = {
        "float32": np.ones(count, np.float32),
        "float16": np.ones(count, np.float16),
        "bfloat16": np.ones(count, np.uint16).view(element_type("bfloat16").carrier),
    }
    jobs: dict[Key, Job] = {}
    for dtype, out in outs.items():
        plain_out = out.view(f"u{out.itemsize}")
        for method, job in bounds(plain_out, np.ones_like(plain_out)).items():
            jobs[Key(GROUP, f"memory of {dtype}", method, "store", path)] = job
    plain = look_ups(count, outs["float32"]) | sparse_peers(count, outs["float32"])
    for (name, method), job in plain.items():
        jobs[Key(GROUP, name, method, "decode", path)] = job
    for name, coded, frame, dtype in frames(count):
        for some in threads if name in THREADED else threads[:1]:
            method = coded if some == 1 else f"{coded}; {some} threads"
            jobs[Key(GROUP, name, method, "decode", path)] = _decode(
                frame, outs[dtype], dtype, some
            )
    _record(results, jobs, count, effort)


def _decode(frame: bytes, out: np.ndarray, dtype: str, threads: int) -> Callable[[], object]:
    return lambda: qcodec.decode(frame, out=out, dtype=dtype, threads=threads)


def _record(results: Results, jobs: dict[Key, Job], count: int, effort: Effort) -> None:
    named = {f"{key.data}|{key.method}": (key, job) for key, job in jobs.items()}
    other = np.ones(DISPLACING_BYTES // 8, np.uint64)
    # One call a sample: a second one would find a part of its output in the cache.
    once = Effort(effort.rounds, 0)
    for several in (False, True):
        some = {
            name: job for name, (key, job) in named.items() if ("threads" in key.method) == several
        }
        spreads = interleave(some, once, threads=1 + several, before=lambda _: other.max())
        for name, spread in spreads.items():
            results.record(Result(named[name][0], spread, count, "weights"))
