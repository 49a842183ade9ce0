"""basic-pitch: which notes sound, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .agreement import Figures, cosines, of_cosines
from .onnx_net import OnnxNet
from .sounds import windows

_COUNT, _BATCH = 200, 10
_SAMPLES, _RATE = 43_844, 22_050
_OUTPUTS = {
    "notes": "StatefulPartitionedCall:1",
    "onsets": "StatefulPartitionedCall:2",
    "contours": "StatefulPartitionedCall:0",
}


class BasicPitchNet(OnnxNet):
    """The net of the package basic-pitch, which hears synthesised notes and chords."""

    name = "basic-pitch"
    inputs = f"{_COUNT} windows of 2 s with synthesised notes and chords, seeded"

    def __init__(self, folder: Path) -> None:
        self.source = folder / "basic_pitch" / "saved_models" / "icassp_2022" / "nmp.onnx"
        sound = windows(_COUNT, _SAMPLES, _RATE)[:, :, None]
        self.batches = [sound[start : start + _BATCH] for start in range(0, _COUNT, _BATCH)]

    def outputs(self, path: Path) -> Any:
        found = zip(*self.run(path, list(_OUTPUTS.values())), strict=True)
        return dict(zip(_OUTPUTS, map(np.concatenate, found), strict=True))

    def compare(self, expected: Any, found: Any) -> Figures:
        figures: Figures = {}
        for name in _OUTPUTS:
            figures |= of_cosines(cosines(expected[name], found[name]), name)
        return figures
