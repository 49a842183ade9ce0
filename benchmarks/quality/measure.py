"""Runs each net as each way makes it, and keeps what was found."""

from __future__ import annotations

import hashlib
import json
import pickle
import tempfile
from collections.abc import Iterable
from pathlib import Path

from qcodec._io.atomic import replace_file

from .agreement import Figures
from .net import Net, sqnr
from .ways import Way


class Measurements:
    """Figures of a net by ways.

    A folder keeps how the net answers with the weights of a file, by the digest of that file and of
    what the float net says to the inputs. So a change of the encoder or of the inputs is measured
    anew, and a way that makes the same file again is not.

    Parameters
    ----------
    net : Net
    cache : pathlib.Path
    """

    def __init__(self, net: Net, cache: Path) -> None:
        self.net, self.cache = net, cache
        self._expected = net.outputs(net.source)
        self._digest = hashlib.sha256(pickle.dumps(self._expected)).digest()

    def of(self, way: Way) -> Figures:
        """Bytes, SQNR and agreement with the float net."""
        with tempfile.TemporaryDirectory() as folder:
            made = way.make(self.net, Path(folder))
            agreement = self._agreement(made.path)
        figures: Figures = {"bytes": made.bytes, "times": self.net.file.stat().st_size / made.bytes}
        if made.tensors is not None:
            figures["SQNR"] = sqnr(self.net.tensors(), made.tensors)
        return figures | agreement

    def _agreement(self, path: Path) -> Figures:
        weights = path / self.net.file.name if path.is_dir() else path
        digest = hashlib.sha256(self._digest + weights.read_bytes()).hexdigest()
        kept = self.cache / f"{digest[:32]}.json"
        if not kept.exists():
            found = self.net.compare(self._expected, self.net.outputs(path))
            self.cache.mkdir(parents=True, exist_ok=True)
            replace_file(kept, [json.dumps(found, indent=1).encode()])
        return dict(json.loads(kept.read_bytes()))


def measure_all(net: Net, ways: Iterable[Way], cache: Path) -> dict[str, Figures]:
    """The figures of all ways that are for this net, by their names."""
    measurements = Measurements(net, cache)
    return {way.name: measurements.of(way) for way in ways if way.applies(net)}
