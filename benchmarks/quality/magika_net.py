"""magika: which of 214 types a file has."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from .agreement import Figures, cosines, of_answers, of_cosines
from .onnx_net import OnnxNet
from .python_files import python_files

_COUNT, _BATCH = 1000, 50
_SHARE = 0.3  # of the files that end alike: most are Python otherwise


class MagikaNet(OnnxNet):
    """The net of the package magika, asked about files that come with Python."""

    name = "magika"
    inputs = (
        f"{_COUNT:,} files of the standard library and the installed packages, chosen by the "
        f"digests of their paths, at most {_SHARE:.0%} with one ending"
    )

    def __init__(self) -> None:
        import magika

        self.source = Path(magika.__file__).parent / "models" / "standard_v3_3" / "model.onnx"
        features = _features(magika.Magika())
        self.batches = [features[start : start + _BATCH] for start in range(0, _COUNT, _BATCH)]

    def outputs(self, path: Path) -> Any:
        return np.concatenate([batch[0] for batch in self.run(path)])

    def compare(self, expected: Any, found: Any) -> Figures:
        return of_answers(expected, found) | of_cosines(cosines(expected, found))


def _features(package: Any) -> Any:
    """What the package makes of files: bytes of the beginning and of the end, as numbers.

    Files that it knows without its net, such as short ones, are left out.
    """
    found: list[list[int]] = []
    endings = Counter[str]()
    for path in python_files():
        if len(found) == _COUNT:
            return np.array(found, np.int32)
        if endings[path.suffix] < _SHARE * _COUNT:
            _, features = package._get_result_or_features_from_path(path)
            if features is not None:
                endings[path.suffix] += 1
                found.append(features.beg + features.end)
    raise ValueError(f"{len(found)} files were found, needed are {_COUNT}")
