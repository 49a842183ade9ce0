"""Whole frames at C level, with the output and the workspace at many addresses of a page.

On some machines a load waits for an earlier store whose address has the same low bits. Where
malloc puts the decoder's blocks then decides its speed, and a benchmark that leaves this to
malloc measures luck.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import qcodec
from qcodec import Codebook, Ternary
from qcodec.dtypes import element_type

from . import data, machine, ours
from .measure import Effort, Job, Spread, in_turns
from .peers_c import store
from .result import Key, Result, Results

GROUP = "placement"
BOUND, SLOWEST, MEDIAN = "store bound", "slowest offset", "median offset"
PAGE = 4096
#: Of the output or of the workspace, in bytes after the start of a page; the other is at 0.
OFFSETS = sorted({*range(0, PAGE, 64), 4, 16, 32, 48, PAGE // 2 + 16, PAGE // 2 + 32})
_FRAMES = (
    ("ternary, fixed", Ternary(), "fixed"),
    ("4 bits, fixed", Codebook(4), "fixed"),
    ("4 bits, balanced", Codebook(4), "balanced"),
)
_PARAMETER_BYTES = 1 << 12
_DISPLACING_BYTES = 1 << 26


class Pages:
    """Memory from which arrays at chosen offsets in a page are cut.

    Parameters
    ----------
    size : int
        Bytes of an array.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._whole = np.ones(size + 2 * PAGE, np.uint8)
        self._start = -self._whole.ctypes.data % PAGE

    def at(self, offset: int) -> np.ndarray:
        """The array that begins so many bytes after the start of a page."""
        return self._whole[self._start + offset :][: self.size]


def measure(results: Results, count: int, effort: Effort, offsets: list[int] = OFFSETS) -> None:
    """Every frame on every vector path at every offset; all offsets of a frame take turns."""
    weights, out = data.gaussian(count), Pages(4 * count)
    for name, codec, profile in _FRAMES:
        frame = np.frombuffer(qcodec.encode(weights, codec, profile=profile), np.uint8)
        wanted = qcodec.decode(frame)
        for path in machine.available():
            if path != "portable":
                ours.select(path)
                _measure(results, name, path, frame, wanted, out, effort, offsets)


def _measure(
    results: Results,
    name: str,
    path: str,
    frame: np.ndarray,
    wanted: np.ndarray,
    out: Pages,
    effort: Effort,
    offsets: list[int],
) -> None:
    jobs: dict[str, Job] = {BOUND: lambda: store(out.at(0))}
    for label, output, workspace in _places(out, offsets):
        jobs[label] = _decode(frame, output, workspace)
        output[:] = 0
        jobs[label]()
        assert np.array_equal(output.view(np.uint8), wanted.view(np.uint8)), label
    other = np.ones(min(_DISPLACING_BYTES, 16 * len(wanted)) // 8, np.uint64)
    spreads = in_turns(jobs, effort.rounds, before=lambda _: other.max())
    found = {BOUND: spreads.pop(BOUND)}
    found |= extremes(spreads)
    for method, spread in found.items():
        results.record(
            Result(Key(GROUP, name, method, "decode", path), spread, len(wanted), "weights")
        )


def extremes(spreads: dict[str, Spread]) -> dict[str, Spread]:
    """The spread of the slowest offset, and that of the one in the middle.

    They are ordered by their lower quartiles: of more than a hundred offsets, some have a median
    that an interruption made.
    """
    ordered = sorted(spreads.values(), key=lambda spread: spread.lower)
    return {SLOWEST: ordered[-1], MEDIAN: ordered[len(ordered) // 2]}


def _places(out: Pages, offsets: list[int]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    scratch = Pages(ours.core().ours_frame_workspace())
    for offset in offsets:
        yield f"output at {offset}", out.at(offset), scratch.at(0)
        if offset:
            yield f"workspace at {offset}", out.at(0), scratch.at(offset)


def _decode(frame: np.ndarray, out: np.ndarray, workspace: np.ndarray) -> Job:
    memory = np.empty(_PARAMETER_BYTES, np.uint8)
    call, dtype = ours.core().ours_frame_decode, element_type("float32").id

    def decode() -> None:
        data, to, parameters, scratch = (a.ctypes.data for a in (frame, out, memory, workspace))
        status = call(data, len(frame), dtype, to, len(out), parameters, len(memory), scratch)
        assert status == 0, status

    return decode
