"""All methods on one case: sizes, and decoding speeds measured in turns."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import qcodec
from qcodec import Lossless, Recipe
from qcodec.recipes import Rule

from ..evidence.entropy import order0_bytes
from ..evidence.report import Row
from ..suite.measure import Effort, Job, Spread, interleave
from . import arrays, general, whole
from .case import Array, Case, same
from .forms import Form, forms
from .stored import Stored

PROFILES = ("balanced", "small")
#: Slow compressors get no form larger than this, unless `patient`.
SLOW_BYTES = 12 << 20
EFFORT = Effort(rounds=5)


@dataclass(frozen=True)
class Entry:
    """What one method made of a case.

    Attributes
    ----------
    stored : Stored
    tensors : Spread
        Seconds to float32 tensors.
    decompress : Spread or None
        Seconds to what the compressor was given.
    """

    stored: Stored
    tensors: Spread
    decompress: Spread | None


@dataclass(frozen=True)
class Comparison:
    """All of a case.

    Attributes
    ----------
    case : Case
    dense : int
        Bytes of the decoded tensors.
    entries : list of Entry
        The largest first.
    order0 : int
        Bytes at the entropy of order 0 of each tensor's codes, tables not counted, and of
        codebooks, scales and whole floats; 0: none.
    remarks : list of str
        Who is missing, and why.
    """

    case: Case
    dense: int
    entries: list[Entry]
    order0: int
    remarks: list[str]

    def of(self, method: str) -> Entry | None:
        """What this method made of it."""
        return next((entry for entry in self.entries if entry.stored.method == method), None)

    def goals(self) -> list[Row]:
        """The case's goals, judged."""
        return self.case.goals(self)


def compare(case: Case, folder: Path, patient: bool = False, effort: Effort = EFFORT) -> Comparison:
    """Store, decode, compare and time.

    Parameters
    ----------
    case : Case
    folder : Path
        Our files are written there.
    patient : bool
        Wait for slow compressors on large cases.
    effort : Effort
    """
    print(f"{case.title} ...", file=sys.stderr, flush=True)
    wanted = case.decoded()
    ours = our_files(case, folder)
    peers, remarks = _peers(case, patient)
    stored = [*_smallest(peers), *ours]
    for one in stored:
        check(one, case, wanted)
    jobs: dict[str, Job] = {f"{one.method} tensors": one.tensors for one in stored}
    jobs |= {f"{one.method} bytes": one.decompress for one in stored if one.decompress}
    spreads = interleave(jobs, effort)
    entries = [
        Entry(one, spreads[f"{one.method} tensors"], spreads.get(f"{one.method} bytes"))
        for one in stored
    ]
    entries.sort(key=lambda entry: -entry.stored.bytes)
    dense = sum(array.nbytes for array in wanted.values())
    return Comparison(case, dense, entries, _order0(case), remarks)


def check(one: Stored, case: Case, wanted: Mapping[str, Array]) -> None:
    """Refuse what does not give every bit back."""
    assert same(one.tensors(), wanted), f"{case.title}: {one.method} gives other tensors back"


def _order0(case: Case) -> int:
    if case.forms or case.lossless:
        return 0
    return order0_bytes(case.tensors) + len(forms(case.tensors)[0].rest)


def our_files(case: Case, folder: Path) -> list[Stored]:
    """Whole files, names and checksums included."""
    found = []
    halves = any(getattr(tensor, "dtype", None) == np.uint16 for tensor in case.tensors.values())
    recipe = Recipe([Rule("", Lossless("bfloat16"))]) if halves else None
    for profile in PROFILES:
        path = folder / f"{profile}.qcodec"
        qcodec.save_file(case.tensors, path, recipe=recipe, profile=profile)
        data = path.read_bytes()
        found.append(
            Stored(
                f"qcodec {profile}",
                "",
                len(data),
                None,
                lambda data=data: qcodec.load(data),  # type: ignore[misc]
                own=True,
            )
        )
    return found


def _peers(case: Case, patient: bool) -> tuple[list[Stored], list[str]]:
    if case.whole:
        return whole.everything(case)
    given = case.forms() if case.forms else forms(case.tensors)
    found, remarks = [], []
    methods, missing = general.methods()
    for method in methods:
        hasty = method.slow and not patient
        some = [form for form in given if not hasty or form.bytes <= SLOW_BYTES]
        found += [general.stored(method, form) for form in some]
        if not some:
            minimum = min(form.bytes for form in given)
            remarks.append(f"{method.name}: left out, takes minutes for {minimum >> 20} MiB")
    more, absent = _array_peers(case, given)
    names = dict.fromkeys(missing + absent)
    return found + more, remarks + [f"{name}: not installed" for name in names]


def _array_peers(case: Case, given: list[Form]) -> tuple[list[Stored], list[str]]:
    if case.lossless:
        return arrays.of_floats(given[0])
    found, missing = arrays.of_codes(given)
    if case.forms is None:
        try:
            found.append(arrays.deep_cabac_of(case))
        except ImportError:
            missing.append("nncodec")
    return found, missing


def _smallest(stored: list[Stored]) -> Iterator[Stored]:
    """Of each method, the form that it makes smallest."""
    for method in dict.fromkeys(one.method for one in stored):
        yield min((one for one in stored if one.method == method), key=lambda one: one.bytes)
