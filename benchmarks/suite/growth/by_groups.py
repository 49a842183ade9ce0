"""Quantizing, decoding and reading against the number of groups with parameters of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import numpy as np

import qcodec
from qcodec import Affine, Codebook, Codec

from .. import data
from ..measure import Job
from .by_size import decoding, encoding
from .extent import Extent
from .series import Growth, Series, new_folder, up_to

#: Weights that are divided into groups.
WEIGHTS = 1 << 22
# The parameters of smaller groups would take more bytes than their elements, so they are refused.
_SMALLEST_GROUP = 32
BY_ROW, LAST_AXIS = "by row", "along the last axis"
#: What is decoded beside groups by row: the name, and how its groups lie.
PAIRS = [
    (f"{what}, {parameters}", where)
    for parameters in ("scales", "codebooks")
    for what, where in (("4,096 groups", LAST_AXIS), ("windows of 3 x 3", "by input channel"))
]
#: So many times as long as by row.
PAIRS_MAXIMUM = 2


def series(extent: Extent) -> Iterator[Series]:
    """All of them."""
    count = min(WEIGHTS, extent.weights)
    numbers = up_to(min(extent.groups, count // _SMALLEST_GROUP), 1, 8)
    for name, codec, each in (
        ("codebooks of 4 bits", partial(Codebook, 4), 0.02),
        ("scales of 8 bits", partial(Affine, 8, symmetric=True), 0.02),
    ):
        for where, per in ((BY_ROW, 0), (LAST_AXIS, 1)):
            encode = partial(_encode, codec(per=per), count, per)
            decode = partial(_decode, codec(per=per), count, per)
            yield Series(
                f"encode, {name} {where}",
                "groups",
                numbers,
                encode,
                Growth.ANY,
                each=each,
                units=count,
            )
            yield Series(
                f"decode, {name} {where}", "groups", numbers, decode, Growth.ANY, units=count
            )
        rows = partial(_one_row, codec(per=0), count)
        title = f"one row after another, {name} {BY_ROW}"
        yield Series(title, "groups", numbers, rows, Growth.CONSTANT, call=50)


def pairs(extent: Extent) -> Iterator[tuple[str, str, Job]]:
    """What is decoded, how its groups lie, and the job: each is compared with groups by row."""
    count = min(4 * WEIGHTS, extent.weights)
    groups = min(4096, count // _SMALLEST_GROUP)
    windows = data.gaussian(count // (64 * 9) * 64 * 9).reshape(-1, 64, 3, 3)
    for name, codec in (("scales", Affine(8, per=0)), ("codebooks", Codebook(4, per=0))):
        for where, per in ((BY_ROW, 0), (LAST_AXIS, 1)):
            job = decoding(_weights(count, per, groups), _with(codec, per))
            yield f"4,096 groups, {name}", where, job
        for where, per in ((BY_ROW, 0), ("by input channel", 1)):
            yield f"windows of 3 x 3, {name}", where, decoding(windows, _with(codec, per))


def title(name: str, where: str) -> str:
    """How a pair is named in results."""
    return f"decode {name} {where}, against {BY_ROW}"


def _with(codec: Codec, per: int) -> Codec:
    return qcodec.from_config({**codec.get_config(), "per": per})


def _weights(count: int, per: int, groups: int) -> np.ndarray:
    """As many weights as can be divided evenly, the groups along the axis `per` of two."""
    array = data.gaussian(count // groups * groups)
    return array.reshape((groups, -1) if per == 0 else (-1, groups))


def _encode(
    codec: Codec,
    count: int,
    per: int,
    groups: int,
    opened: ExitStack,  # noqa: ARG001
) -> Job:
    return encoding(_weights(count, per, groups), codec)


def _decode(
    codec: Codec,
    count: int,
    per: int,
    groups: int,
    opened: ExitStack,  # noqa: ARG001
) -> Job:
    return decoding(_weights(count, per, groups), codec)


def _one_row(codec: Codec, count: int, groups: int, opened: ExitStack) -> Job:
    """Rows of one open tensor; the first has read the parameters."""
    path = new_folder(opened) / "net.qcodec"
    qcodec.save_file({"w": _weights(count, 0, groups)}, path, recipe=codec, profile="fixed")
    part = opened.enter_context(qcodec.safe_open(path)).get_slice("w")
    return lambda: part[groups // 2, :64]
