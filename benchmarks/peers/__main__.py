"""All methods on the same weights: `python -m benchmarks.peers --data FOLDER [--nets FOLDER]`.

With `--structured`, only the structured set, which is kept in the folder of `--nets`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from recipes.sections import rewrite

from ..evidence import minilm
from ..nets import cases as second_set
from ..nets import structured as third_set
from ..nets.sources import Sources
from . import cases, sizes, structured, table
from .case import Case
from .compare import Comparison, compare


def measure(makers: Iterable[Callable[[], Case]], patient: bool = False) -> list[Comparison]:
    """Every case by every method."""
    with tempfile.TemporaryDirectory() as folder:
        return [compare(make(), Path(folder), patient) for make in makers]


def tables(
    data: Path,
    model: Path | None,
    nets: Path | None = None,
    patient: bool = False,
) -> dict[str, str]:
    """The tables by the names of their markers.

    Parameters
    ----------
    data : Path
    model : Path or None
        MiniLM's file.
    nets : Path or None
        Where the nets of the second set are kept; None: they are left out.
    patient : bool
        As for `compare`.
    """
    real = measure(cases.cases(data, model), patient)
    found = {"sizes": "\n\n".join(map(table.section, real))}
    if nets is None:
        return found
    made = {name: measure(makers) for name, makers in second_set.cases(nets, data).items()}
    sections = [table.side_by_side(name, compared) for name, compared in made.items()]
    found["second set"] = "\n\n".join(sections) or second_set.MISSING
    return found


def structured_set(
    sources: Sources, public: Path | None, only: Collection[str], timed: bool
) -> str:
    """The structured set's summary and, if timed, a table a net before it.

    Parameters
    ----------
    sources : Sources
    public, only
        As for `structured.jobs`.
    timed : bool
        If not, sizes of other compressors that are in the sources' folder are taken from there.
    """
    missing = third_set.missing()
    if missing:
        return missing
    memory = sizes.Memory(sources.folder / "sizes")
    found, remarks, compared = [], [], list[Comparison]()
    with tempfile.TemporaryDirectory() as folder:
        for job in structured.jobs(sources, public, only):
            if isinstance(job, str):
                remarks.append(job)
                continue
            if timed:
                compared.append(compare(job.case, Path(folder)))
            found.append((job.group, sizes.measure(job.case, memory, job.codes)))
            print(structured.row(found[-1][1]), file=sys.stderr, flush=True)
    nets = dict.fromkeys(one.case.net for one in compared)
    tables = [
        table.side_by_side(net, [one for one in compared if one.case.net == net]) for net in nets
    ]
    return "\n\n".join([structured.summary(found, remarks), *tables])


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--nets", type=Path, help="train the second set, and keep it there")
    parser.add_argument("--update", type=Path, help="rewrite the tables of this document")
    parser.add_argument("--patient", action="store_true", help="no compressor is too slow")
    parser.add_argument("--structured", action="store_true", help="only the structured set")
    parser.add_argument("--sizes-only", action="store_true", help="of that set, time only ours")
    parser.add_argument("--public", type=Path, help="safetensors files that join that set")
    parser.add_argument("--net", action="append", default=[], help="of that set, only this net")
    options = parser.parse_args()
    model = options.minilm or minilm.find_model()
    if options.structured:
        if options.nets is None:
            parser.error("--structured: name the folder of the nets with --nets")
        sources = Sources(options.nets, options.data, model)
        timed = not options.sizes_only
        found = {"structured set": structured_set(sources, options.public, options.net, timed)}
    else:
        found = tables(options.data, model, options.nets, options.patient)
    print("\n\n".join(found.values()))
    if options.update:
        rewrite(options.update, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
