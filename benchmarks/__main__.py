"""Every goal beside its peer: `python -m benchmarks [--data FOLDER] [--update DOCUMENT]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recipes.sections import rewrite

from . import pictures
from .evidence import __main__ as evidence
from .evidence.report import markdown as evidence_table
from .peers import __main__ as peers
from .suite import data, elsewhere, goal_table, groups, machine, report
from .suite.goals import judge
from .suite.measure import Effort
from .suite.result import Results
from .suite.settings import Settings


def arguments() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the nets and data sets")
    parser.add_argument("--minilm", type=Path, help="model.safetensors of all-MiniLM-L6-v2")
    parser.add_argument("--nets", type=Path, help="train the second set, and keep it there")
    parser.add_argument("--groups", nargs="+", choices=groups.GROUPS, default=list(groups.GROUPS))
    parser.add_argument("--rounds", type=int, default=Effort().rounds, help="samples of each job")
    parser.add_argument(
        "--quick", action="store_true", help="smaller sizes, to see that everything runs"
    )
    parser.add_argument("--json", type=Path, help="write everything there too")
    parser.add_argument(
        "--plot", type=Path, help="draw speed against size there, as SVG, and others beside it"
    )
    parser.add_argument("--update", type=Path, help="rewrite the tables of this document")
    parser.add_argument(
        "--this-path-only", action="store_true", help="whole frames on one path; no real nets"
    )
    return parser


def measure(options: argparse.Namespace, places: data.Places) -> tuple[Results, list[str]]:
    """All groups, those with one path a process on each path."""
    make = Settings.quick if options.quick else Settings
    results, remarks = groups.run(options.groups, make(places, Effort(options.rounds)))
    repeated = [name for name in groups.ONE_PATH_A_PROCESS if name in options.groups]
    if repeated and not options.this_path_only:
        for path in machine.available():
            if path != machine.current():
                results |= elsewhere.run_on(path, repeated, options.rounds)
    return results, machine.owed() + remarks


def real_nets(options: argparse.Namespace, places: data.Places) -> dict[str, str]:
    """Tables of whole files, if the folder of nets was named."""
    if places.data is None:
        return {}
    rows = evidence.run(evidence.ALL, places.data, places.model())
    beside_peers = peers.tables(places.data, places.model(), options.nets)
    return {"evidence": evidence_table(rows)} | beside_peers


def main() -> int:
    """Measure, print, and write what was asked for."""
    options = arguments().parse_args()
    about = machine.describe()
    places = data.Places(options.data, options.minilm)
    results, remarks = measure(options, places)
    paths = machine.available()
    verdicts = [judge(goal, results, paths) for goal in goal_table.goals(paths[-1])]
    tables = report.sections(about, remarks, verdicts, results)
    if not options.this_path_only:
        tables |= real_nets(options, places)
    print(report.markdown(tables))
    if options.json:
        report.write_json(options.json, about, remarks, verdicts, results)
    if options.plot:
        pictures.draw(tables, options.plot)
    if options.update:
        if options.groups != list(groups.GROUPS):
            del tables["goals"]  # most would be "not measured" in place of what a whole run found
        rewrite(options.update, tables)
    return 0


if __name__ == "__main__":
    sys.exit(main())
