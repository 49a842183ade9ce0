"""Sizes of whole files, and how fast ours decode. Sizes of others are remembered in a folder.

A remembered size was compared bit for bit when it was measured. Its key contains all that was
given to the compressor and the package's release, so nothing has to be deleted by hand.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..suite.measure import Spread, interleave
from . import plain, whole
from .case import Array, Case, Tensors
from .compare import EFFORT, PROFILES, check, our_files
from .forms import forms
from .stored import Stored


@dataclass(frozen=True)
class Sizes:
    """Bytes of whole files.

    Attributes
    ----------
    case : Case
    ours, peers : dict of str to int
        By profile, and by method.
    seconds : dict of str to Spread
        To decode ours, by profile.
    codes : int or None
        Our smallest file if the user gives the codes that the tensors were made of.
    """

    case: Case
    ours: dict[str, int]
    peers: dict[str, int]
    seconds: dict[str, Spread] = field(compare=False)
    codes: int | None = None

    @property
    def dense(self) -> int:
        """Bytes of the decoded tensors."""
        return sum(array.nbytes for array in self.case.decoded().values())

    @property
    def best(self) -> tuple[str, int]:
        """The best peer and its bytes."""
        return min(self.peers.items(), key=lambda one: one[1])

    def against_best(self, profile: str) -> float:
        """Our bytes, where the best peer's are 1."""
        return self.ours[profile] / self.best[1]


@dataclass(frozen=True)
class Memory:
    """Sizes that were measured before, a file for each case.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def load(self, key: str) -> dict[str, int]:
        """The sizes of a case by title."""
        path = self.folder / f"{key}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def save(self, key: str, sizes: Mapping[str, int]) -> None:
        """Replace the file of a case at once: other processes may read it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
            json.dump(sizes, file, indent=1)
        Path(file.name).replace(self.folder / f"{key}.json")


def measure(case: Case, memory: Memory, codes: Tensors | None = None) -> Sizes:
    """Store a case by all methods, each decoded and compared.

    Parameters
    ----------
    case : Case
    memory : Memory
    codes : mapping of str to Quantized or ndarray, optional
        Must decode to the same tensors.
    """
    wanted = case.decoded()
    ours = _ours(case, wanted)
    seconds = interleave({profile: one.tensors for profile, one in ours.items()}, EFFORT)
    found = Sizes(case, _bytes(ours), peers(case, memory, wanted), seconds)
    if codes is None:
        return found
    known = _ours(Case(case.title, codes), wanted)
    return replace(found, codes=known["small"].bytes)


def _ours(case: Case, wanted: Mapping[str, Array]) -> dict[str, Stored]:
    with tempfile.TemporaryDirectory() as folder:
        stored = our_files(case, Path(folder))
    for one in stored:
        check(one, case, wanted)
    return dict(zip(PROFILES, stored, strict=True))


def _bytes(ours: Mapping[str, Stored]) -> dict[str, int]:
    return {profile: one.bytes for profile, one in ours.items()}


def peers(case: Case, memory: Memory, wanted: Mapping[str, Array]) -> dict[str, int]:
    """The smallest file of each method that is installed."""
    key = _key(case, wanted)
    known, smallest = memory.load(key), dict[str, int]()
    for (package, title), make in whole.makers(case).items():
        if not whole.is_there(package):
            continue
        release = f"{title}; {whole.version_of(package)}"
        if release not in known:
            print(f"{case.net}, {case.title}: {title} ...", file=sys.stderr, flush=True)
            known[release] = _smallest(make, case, wanted)
            memory.save(key, known)
        if known[release]:
            method = title.split(",")[0]
            smallest[method] = min(known[release], smallest.get(method, known[release]))
    return smallest


def _smallest(make: whole.Make, case: Case, wanted: Mapping[str, Array]) -> int:
    """0 if the package has no way to store the case."""
    stored = make()
    for one in stored:
        check(one, case, wanted)
    return min((one.bytes for one in stored), default=0)


def _key(case: Case, wanted: Mapping[str, Array]) -> str:
    """A digest of the names, shapes and dtypes, and of each form."""
    digest = hashlib.sha256(plain.header(wanted))
    for form in forms(case.tensors):
        digest.update(form.name.encode() + form.data)
    return digest.hexdigest()[:32]
