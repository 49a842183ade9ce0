"""The structured set beside other compressors: its cases, and a summary."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

from ..evidence.quantizing import quantized
from ..nets import structured
from ..nets.sources import AbsentError, Sources
from . import plain
from .case import Array, Case, Tensors
from .sizes import Sizes
from .table import megabytes

PUBLIC = "public"
_PROFILES = ("small", "balanced")


@dataclass(frozen=True)
class Job:
    """A case of this set.

    Attributes
    ----------
    group : str
        Nets whose ratios are averaged together.
    case : Case
    codes : mapping of str to Quantized or ndarray, optional
        The same tensors as the codes that they were made of.
    """

    group: str
    case: Case
    codes: Tensors | None = None


def jobs(
    sources: Sources, public: Path | None = None, only: Collection[str] = ()
) -> Iterator[Job | str]:
    """Every way to store every net, and a remark where data is missing.

    Parameters
    ----------
    sources : Sources
    public : Path or None
        A folder of safetensors files, each a net of somebody else's.
    only : collection of str
        Names of nets; empty: all.
    """
    files = sorted(public.glob("*.safetensors")) if public else []
    unknown = set(only) - structured.NETS.keys() - {path.stem for path in files}
    if unknown:
        raise ValueError(f"no net is called {', '.join(sorted(unknown))}")
    for name, net in structured.NETS.items():
        if not only or name in only:
            yield from _of_net(name, net, sources)
    for path in files:
        if not only or path.stem in only:
            yield from _of_file(path)
    if not public:
        yield "public nets: no folder of them was given"


def _of_net(name: str, net: structured.Structured, sources: Sources) -> Iterator[Job | str]:
    try:
        tensors = structured.tensors(name, sources)
        codes = net.codes(sources, tensors) if net.codes else None
    except AbsentError as error:
        yield f"{name}: {error}"
        return
    yield Job(net.group, _exactly(name, tensors), codes)
    for title, recipe in (net.recipes or {}).items():
        yield Job("quantized", Case(title, quantized(tensors, recipe), net=name, whole=True))


def _of_file(path: Path) -> Iterator[Job]:
    tensors = plain.read(path)
    yield Job(PUBLIC, _exactly(path.stem, tensors))
    floats = sum(array.nbytes for array in tensors.values() if array.dtype == "float32")
    if 2 * floats > sum(array.nbytes for array in tensors.values()):
        for title, recipe in structured.FOUR_BITS.items():
            case = Case(title, quantized(tensors, recipe), net=path.stem, whole=True)
            yield Job(f"{PUBLIC}, quantized", case)


def _exactly(name: str, tensors: dict[str, Array]) -> Case:
    return Case(structured.EXACTLY, tensors, net=name, whole=True)


def summary(found: list[tuple[str, Sizes]], remarks: Collection[str] = ()) -> str:
    """A row a case, then the geometric mean and the worst of each group.

    Parameters
    ----------
    found : list of tuple of str and Sizes
        Groups and sizes.
    remarks : collection of str
    """
    lines = [
        "| net | way | `small`: bytes, MB/s | `balanced`: bytes, MB/s | best peer | "
        "| small / best | balanced / best | small / codes |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    lines += [row(sizes) for _, sizes in found]
    lines += ["", "| group | cases | `small`: mean, worst | `balanced`: mean, worst |"]
    lines += ["|---|---:|---:|---:|"]
    for group in dict.fromkeys(group for group, _ in found):
        lines.append(_mean(group, [sizes for one, sizes in found if one == group]))
    lines.append(_mean("all", [sizes for _, sizes in found]))
    return "\n".join([*lines, *(["", *(f"- {remark}" for remark in remarks)] if remarks else [])])


def row(sizes: Sizes) -> str:
    """A case's row of the summary."""
    ours = (f"{sizes.ours[p]:,}, {megabytes(sizes.dense, sizes.seconds[p])}" for p in _PROFILES)
    cells = [sizes.case.net, sizes.case.title, *ours]
    if sizes.peers:
        name, size = sizes.best
        cells += [name, f"{size:,}", *(f"{sizes.against_best(p):.3f}" for p in _PROFILES)]
    else:
        cells += [""] * 4
    cells.append(f"{sizes.ours['small'] / sizes.codes:.3f}" if sizes.codes else "")
    return f"| {' | '.join(cells)} |"


def _mean(group: str, sizes: list[Sizes]) -> str:
    cells = [group, f"{len(sizes)}"]
    for profile in _PROFILES:
        ratios = [one.against_best(profile) for one in sizes if one.peers]
        if ratios:
            mean = exp(sum(map(log, ratios)) / len(ratios))
            cells.append(f"{mean:.3f}, {max(ratios):.3f}")
        else:
            cells.append("")
    return f"| {' | '.join(cells)} |"
