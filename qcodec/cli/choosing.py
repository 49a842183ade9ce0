"""How much ``encode`` may change the weights: by name, by size, or by error."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .._file.recoding import Recoded
from .._file.tensor_file import TensorFile
from ..rate_distortion import Point, at_bytes, at_error, offers, sensitivities
from ..rate_distortion.onnx_outputs import onnx_outputs
from ..recipes import QUALITIES, READY_MADE, Recipe
from .faults import UsageError, line_of
from .progress import Progress
from .recipe import recipe_of

_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?(B|KB|MB|GB|TB)?", re.IGNORECASE)
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DECIBELS = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?(dB)?", re.IGNORECASE)
# About how often a search encodes each tensor, for its progress.
_PASSES = 16
#: The widest bar of the curve.
_WIDTH = 32


def add_choosing(parser: argparse.ArgumentParser) -> None:
    """``--recipe``, ``--quality`` and ``--target-...``, of which one may be given."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--recipe",
        metavar="FILE|NAME",
        help=f"a TOML file, or one of {', '.join(READY_MADE)}, perhaps with (ARGUMENTS); "
        "default: lossless",
    )
    group.add_argument(
        "--quality",
        choices=tuple(QUALITIES),
        help="a measured recipe for nets that are not trained again: docs/quality.md",
    )
    group.add_argument(
        "--target-size", type=_size, metavar="SIZE", help="the size of OUT, such as 20MB"
    )
    group.add_argument(
        "--target-bpw", type=_number, metavar="BITS", help="bits per weight of OUT, such as 3.2"
    )
    group.add_argument(
        "--target-sqnr",
        type=_decibels,
        metavar="DB",
        help="signal-to-quantization-noise ratio of the weights, such as 25dB",
    )
    parser.add_argument(
        "--calibrate",
        metavar="NPZ",
        help="of an ONNX file, with a target: sample inputs by name, with which is measured how "
        "much an error in each tensor changes the outputs (needs onnxruntime)",
    )


def named_recipe(options: argparse.Namespace) -> Recipe:
    """Return the recipe of ``--recipe`` or ``--quality``; the default keeps every bit."""
    if options.quality is not None:
        return QUALITIES[options.quality]
    return Recipe() if options.recipe is None else recipe_of(options.recipe, "--recipe")


def has_target(options: argparse.Namespace) -> bool:
    """Whether a size or an error is wanted."""
    wanted = (options.target_size, options.target_bpw, options.target_sqnr)
    return any(one is not None for one in wanted)


def point_at_target(
    options: argparse.Namespace, file: TensorFile, recipe: Recipe, beside: int = 0, **saving: Any
) -> Point:
    """Choose the codec of each tensor for the wanted size or error.

    Parameters
    ----------
    options : argparse.Namespace
    file : TensorFile
    recipe : Recipe
        Its rules hold; the codecs of other weights are chosen.
    beside : int
        Bytes of OUT that are no tensors.
    **saving
        Further arguments of `qcodec.rate_distortion.at_bytes`.

    Raises
    ------
    UsageError
        If the size or the error cannot be reached.
    """
    tensors: Mapping[str, Any] = Recoded(file, Recipe())
    offered = offers(recipe)
    sizes = file.directory.sizes()
    saving = {
        **saving, "threads": options.threads, "keep_rules": True, "sensitivity": "relative"
    }  # fmt: skip
    if options.calibrate is not None:
        saving["sensitivity"] = _sensitivity(options, file, recipe)
    try:
        with Progress("choosing", _PASSES * sum(sizes.values()), options.quiet) as shown:
            saving["progress"] = lambda name: shown.advance(sizes[name], name)
            if options.target_sqnr is not None:
                return at_error(tensors, offered, sqnr=options.target_sqnr, **saving)
            size = options.target_size
            if size is None:
                elements = sum(math.prod(file.get_slice(name).get_shape()) for name in tensors)
                size = int(options.target_bpw * elements / 8)
            return at_bytes(tensors, offered, max(size - beside, 1), **saving)
    except ValueError as error:
        flag = next(name for name in _TARGETS if getattr(options, name) is not None)
        raise UsageError(f"--{flag.replace('_', '-')}: {error}") from error


def _sensitivity(options: argparse.Namespace, file: TensorFile, recipe: Recipe) -> dict[str, float]:
    """Return how much an error in each tensor that may be quantized counts in the outputs."""
    tensors = Recoded(file, Recipe())
    names = [name for name in tensors if _is_offered(file, name, recipe)]
    try:
        with (
            np.load(options.calibrate, allow_pickle=False) as samples,
            Progress("calibrating", len(names), options.quiet) as shown,
        ):
            return sensitivities(
                tensors, onnx_outputs(options.input, dict(samples)), names,
                progress=lambda done, total, name: shown.advance(1, name),  # noqa: ARG005
            )  # fmt: skip
    except ImportError as error:
        raise UsageError("--calibrate: needs onnxruntime (pip install onnxruntime)") from error
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(line_of(error, f"--calibrate {options.calibrate}")) from error


def _is_offered(file: TensorFile, name: str, recipe: Recipe) -> bool:
    if recipe.has_rule_for(name) or file.directory.tensors[name].opaque:
        return False
    shape = tuple(file.get_slice(name).get_shape())
    return not recipe.why_no_weight(shape, file.element_type(name).name)


_TARGETS = ("target_size", "target_bpw", "target_sqnr")


def curve_text(point: Point, beside: int = 0) -> str:
    """Draw the rate-distortion curve: bars for the SQNR at each size that was tried.

    Examples
    --------
    >>> print(curve_text(Point(1.0, 200, 1.0, 16.0, Recipe(), ((100, 8.0), (400, 32.0)))))
      bytes  SQNR dB
        100      8.0  ########
    >   200     16.0  ################
        400     32.0  ################################
    """
    points = [(size, sqnr) for size, sqnr in point.tried if math.isfinite(sqnr) and sqnr > 0]
    points = sorted({*_spread(points, _ROWS), (point.bytes, point.sqnr)})
    most = max((sqnr for _, sqnr in points if math.isfinite(sqnr)), default=1.0)
    rows = [
        (
            ">" if (size, sqnr) == (point.bytes, point.sqnr) else "",
            f"{size + beside:,}",
            f"{sqnr:.1f}" if math.isfinite(sqnr) else "exact",
            "#" * round(_WIDTH * min(sqnr / most, 1.0)),
        )
        for size, sqnr in points
    ]
    wide = max(len("bytes"), *(len(row[1]) for row in rows))
    lines = [f"  {'bytes':>{wide}}  SQNR dB"]
    lines += [f"{mark:<1} {size:>{wide}}  {sqnr:>7}  {bar}" for mark, size, sqnr, bar in rows]
    return "\n".join(lines)


#: Rows of the curve, besides that of the chosen point.
_ROWS = 7


def _spread(points: Sequence[tuple[int, float]], count: int) -> list[tuple[int, float]]:
    """Return at most `count` of the points, at about equal distances of their SQNR."""
    if len(points) <= count:
        return list(points)
    low, high = points[0][1], points[-1][1]
    wanted = [low + (high - low) * at / (count - 1) for at in range(count)]
    return [min(points, key=lambda point: abs(point[1] - sqnr)) for sqnr in wanted]


def _typed(pattern: re.Pattern[str], example: str, value: Callable[[re.Match[str]], Any]) -> Any:
    def parse(text: str) -> Any:
        match = pattern.fullmatch(text)
        found = value(match) if match else 0
        if not found > 0:
            message = f"invalid value: {text!r}: allowed is a number above 0, such as {example}"
            raise argparse.ArgumentTypeError(message)
        return found

    return parse


_size = _typed(_SIZE, "20MB", lambda m: int(float(m[1]) * _UNITS[(m[2] or "B").upper()]))
_number = _typed(re.compile(r"(\d{1,3}(?:\.\d{1,6})?)"), "3.2", lambda m: float(m[1]))
_decibels = _typed(_DECIBELS, "25dB", lambda m: float(m[1]))
