"""MNIST, split for training, validation and test; and small made-up data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .idx import mnist_array

_VALIDATION = 5000
_MNIST = {"train": "train", "test": "t10k"}
Augment = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Split:
    """Images (n, channels, height, width), normalised, and their labels."""

    images: torch.Tensor
    labels: torch.Tensor

    def part(self, start: int, stop: int | None = None) -> Split:
        """The images and labels at some indices."""
        return Split(self.images[start:stop], self.labels[start:stop])


@dataclass(frozen=True)
class Data:
    """Three splits: `validation` is for the choice of settings, `test` only for results."""

    train: Split
    validation: Split
    test: Split


class Batches:
    """Batches in a new random order (torch's generator) for each pass.

    Parameters
    ----------
    split : Split
    size : int
    augment : callable, optional
        From a batch of images to a batch of images.
    """

    def __init__(self, split: Split, size: int, augment: Augment | None = None) -> None:
        self.split, self.size, self.augment = split, size, augment

    def __len__(self) -> int:
        return len(self.split.images) // self.size

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(len(self.split.images))
        for number in range(len(self)):
            chosen = order[number * self.size : (number + 1) * self.size]
            images = self.split.images[chosen]
            if self.augment is not None:
                images = self.augment(images)
            yield images, self.split.labels[chosen]


def mnist(folder: Path) -> Data:
    """Load MNIST from its four published files, gzipped or not.

    Parameters
    ----------
    folder : pathlib.Path
        Contains the files, directly or in ``mnist`` (or torchvision's ``MNIST/raw``).

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message has its name and the folders.
    """
    train, test = (_mnist_part(folder, _MNIST[part]) for part in ("train", "test"))
    return Data(train.part(0, -_VALIDATION), train.part(-_VALIDATION), test)


def split_of(
    pixels: np.ndarray, labels: np.ndarray, mean: list[float], deviation: list[float]
) -> Split:
    """Normalise images of bytes by channel; put them and labels on torch's default device.

    Parameters
    ----------
    pixels : numpy.ndarray of uint8
        Shape (n, channels, height, width).
    labels : numpy.ndarray
    mean, deviation : list of float
        One per channel, for pixels from 0 to 1.
    """
    images = torch.tensor(pixels.astype(np.float32) / 255)
    channels = (torch.tensor(numbers)[:, None, None] for numbers in (mean, deviation))
    middle, spread = channels
    return Split((images - middle) / spread, torch.tensor(labels.astype(np.int64)))


def made_up_digits(seed: int = 0, count: int = 600, channels: int = 1, size: int = 28) -> Data:
    """Make small data that a net learns in seconds: ten fixed random patterns with noise."""
    random = torch.Generator(torch.get_default_device()).manual_seed(seed)
    patterns = torch.randn(10, channels, size, size, generator=random)
    labels = torch.arange(count) % 10
    images = patterns[labels] + torch.randn(count, channels, size, size, generator=random)
    whole = Split(images, labels)
    return Data(whole.part(0, -200), whole.part(-200, -100), whole.part(-100))


def shifted(pixels: int) -> Augment:
    """An augmentation: shift each image by up to this many pixels, padded with zeros (black)."""

    def move(images: torch.Tensor) -> torch.Tensor:
        n, _, height, width = images.shape
        padded = torch.nn.functional.pad(images, (pixels,) * 4, value=float(images.min()))
        offsets = torch.randint(0, 2 * pixels + 1, (2, n, 1))
        rows = offsets[0] + torch.arange(height)
        columns = offsets[1] + torch.arange(width)
        return padded[
            torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]
        ].permute(0, 3, 1, 2)

    return move


def _mnist_part(folder: Path, name: str) -> Split:
    images = mnist_array(folder, f"{name}-images-idx3-ubyte")
    labels = mnist_array(folder, f"{name}-labels-idx1-ubyte")
    return split_of(images[:, None], labels, [0.1307], [0.3081])
