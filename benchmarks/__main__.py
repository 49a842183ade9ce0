"""Every goal beside its peer: `python -m benchmarks [--data FOLDER] [--update DOCUMENT]`."""

from __future__ import annotations

import argparse
import sys
import warnings
from itertools import chain
from pathlib import Path

from .suite import data, goals, machine, report, streams
from .suite.measure import Effort
from .suite.result import Results


def measure(count: int, places: data.Places, effort: Effort) -> tuple[Results, list[str]]:
    """Run all groups; remarks say what was skipped."""
    results = Results()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sets = chain(data.synthetic(count), data.real(count, places))
        streams.measure(results, sets, effort)
    remarks = [str(warning.message) for warning in caught if warning.category is UserWarning]
    return results, list(dict.fromkeys(remarks))


def main() -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of SqueezeNet and ResNet-20")
    parser.add_argument("--minilm", type=Path, help="model.safetensors of all-MiniLM-L6-v2")
    parser.add_argument("--rounds", type=int, default=Effort().rounds, help="samples of each job")
    parser.add_argument("--json", type=Path, help="write everything there too")
    parser.add_argument("--update", type=Path, help="rewrite the tables of this document")
    options = parser.parse_args()
    about = machine.describe()
    places = data.Places(options.data, options.minilm)
    results, remarks = measure(1 << 20, places, Effort(options.rounds))
    remarks = machine.owed() + remarks
    paths = machine.available()
    verdicts = [goals.judge(goal, results, paths) for goal in goals.goals(paths[-1])]
    tables = report.sections(about, remarks, verdicts, results)
    print(report.markdown(tables))
    if options.json:
        report.write_json(options.json, about, remarks, verdicts, results)
    if options.update:
        report.update(options.update, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
