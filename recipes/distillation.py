"""Distillation: a net learns from another's outputs (Hinton, Vinyals, Dean, arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.nn import functional

from .data import Batches


class Taught:
    """Batches whose targets are the outputs of a teacher.

    Parameters
    ----------
    batches : Batches
    teacher : torch.nn.Module
        Runs in evaluation mode.
    mixed : bool
        Whether to mix two images in random proportion (mixup, Zhang et al. 2017, arXiv
        1710.09412). The teacher labels mixtures too, which multiplies a small set of images.
    """

    def __init__(self, batches: Batches, teacher: torch.nn.Module, mixed: bool = False) -> None:
        self.batches, self.teacher, self.mixed = batches, teacher.eval(), mixed

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for images, _ in self.batches:
            if self.mixed:
                part = torch.rand(len(images), 1, 1, 1)
                images = part * images + (1 - part) * images[torch.randperm(len(images))]
            with torch.no_grad():
                outputs = self.teacher(images)
            yield images, outputs


def distillation_loss(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the teacher's softened outputs, at temperature 4."""
    temperature = 4.0
    wanted = functional.softmax(targets / temperature, 1)
    return functional.cross_entropy(outputs / temperature, wanted) * temperature**2
