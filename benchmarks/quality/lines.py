"""Lines of text as pictures: the fonts of matplotlib, sizes, slants, colours, and noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral"),
)
_LONGEST = 28  # characters of a line


def split(sentences: list[str]) -> list[str]:
    """The beginnings of sentences, as many words as a line holds."""
    lines = []
    for sentence in sentences:
        line = ""
        for word in sentence.split():
            if len(line) + len(word) >= _LONGEST:
                break
            line = f"{line} {word}".strip()
        lines.append(line or sentence[:_LONGEST])
    return lines


def render(texts: list[str], seed: int = 0) -> list[Image.Image]:
    """A picture of each text."""
    generator = np.random.default_rng(seed)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [_render(text, folder, generator) for text in texts]


def _render(text: str, folder: Path, generator: np.random.Generator) -> Image.Image:
    name = _FONTS[generator.integers(len(_FONTS))]
    font = ImageFont.truetype(str(folder / f"{name}.ttf"), int(generator.integers(14, 49)))
    left, top, right, bottom = font.getbbox(text)
    margin = int(generator.integers(3, 10))
    size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
    paper, ink = _colours(generator)
    picture = Image.new("RGB", size, paper)
    ImageDraw.Draw(picture).text((margin - left, margin - top), text, ink, font)
    angle = float(generator.uniform(-1.5, 1.5))
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    pixels = np.asarray(picture, np.float64)
    pixels += generator.uniform(0, 25) * generator.standard_normal(pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _colours(generator: np.random.Generator) -> tuple[Any, Any]:
    """Of the paper and of the ink: one is light and one is dark."""
    light = tuple(int(c) for c in generator.integers(190, 256, 3))
    dark = tuple(int(c) for c in generator.integers(0, 90, 3))
    return (light, dark) if generator.random() < 0.8 else (dark, light)


def normalised(picture: Image.Image, height: int, width: int) -> NDArray[np.float32]:
    """A picture (3, height, width) from -1 to 1, at the left of zeros, as PaddleOCR's nets take it.

    It keeps its ratio, or is made narrower to fit.
    """
    scaled = min(width, max(1, -(-picture.width * height // picture.height)))
    small = picture.resize((scaled, height), Image.Resampling.BILINEAR)
    padded = np.zeros((3, height, width), np.float32)
    pixels = np.asarray(small, np.float32)[:, :, ::-1]  # blue comes first in OpenCV
    padded[:, :, :scaled] = (pixels.transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return padded
