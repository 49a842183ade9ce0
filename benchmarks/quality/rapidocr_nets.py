"""The nets of rapidocr-onnxruntime: what a line of text says, and whether it is upside down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from . import lines, texts
from .agreement import Figures, cosines, of_answers, of_cosines, of_texts
from .onnx_net import OnnxNet

_LINES, _TURNED, _BATCH = 500, 1000, 10
_HEIGHT, _WIDTH = 48, 320
_UPRIGHT_WIDTH = 192
_BLANK = 0  # the symbol that stands for none (CTC)


def pictures(count: int) -> list[Image.Image]:
    """Lines of text as pictures."""
    return lines.render(lines.split(texts.sentences(count)))


def _stacked(images: list[Image.Image], width: int) -> list[Any]:
    every = np.stack([lines.normalised(image, _HEIGHT, width) for image in images])
    return [every[start : start + _BATCH] for start in range(0, len(every), _BATCH)]


class ReadingNet(OnnxNet):
    """PP-OCRv4's reader."""

    name = "rapidocr, reading"
    inputs = (
        f"{_LINES} rendered lines of the standard library's docstrings, in 8 fonts, "
        "with sizes, slants, colours and noise, seeded"
    )

    def __init__(self, folder: Path) -> None:
        self.source = folder / "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx"
        self.batches = _stacked(pictures(_LINES), _WIDTH)

    def outputs(self, path: Path) -> Any:
        # Half a gigabyte as float32; the cosines below are the same in seven digits.
        return np.concatenate([batch[0].astype(np.float16) for batch in self.run(path)])

    def compare(self, expected: Any, found: Any) -> Figures:
        read = of_texts(*([_symbols(one) for one in every] for every in (expected, found)))
        return read | of_cosines(cosines(expected, found))


def _symbols(scores: Any) -> list[int]:
    """The symbols that are read: the top answers, without repetitions and blanks."""
    top = scores.argmax(axis=1).tolist()
    changed = [now for before, now in zip([None, *top], top, strict=False) if now != before]
    return [symbol for symbol in changed if symbol != _BLANK]


class UprightNet(OnnxNet):
    """PP-OCR's classifier of upright lines."""

    name = "rapidocr, upright"
    inputs = f"{_TURNED:,} lines rendered in the same way, every other one upside down"

    def __init__(self, folder: Path) -> None:
        self.source = folder / "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx"
        turned = [
            image.rotate(180) if place % 2 else image
            for place, image in enumerate(pictures(_TURNED))
        ]
        self.batches = _stacked(turned, _UPRIGHT_WIDTH)

    def outputs(self, path: Path) -> Any:
        return np.concatenate([batch[0] for batch in self.run(path)])

    def compare(self, expected: Any, found: Any) -> Figures:
        return of_answers(expected, found) | of_cosines(cosines(expected, found))
