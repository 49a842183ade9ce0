"""ResNet-20: which of ten things a picture shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from benchmarks.evidence.datasets import cifar_test
from recipes.networks import ResNet20

from .agreement import Figures, of_answers
from .net import Net, Tensors


class ResNet20Net(Net):
    """Idelbayev's ResNet-20 for CIFAR-10, which torch runs."""

    name = "ResNet-20"
    inputs = "the first 1,000 test images of CIFAR-10"

    def __init__(self, data: Path) -> None:
        self.source = data / "resnet20_cifar10.safetensors"
        images, self.labels = cifar_test(data)
        self.images = torch.from_numpy(images)

    @torch.inference_mode()
    def outputs(self, path: Path) -> Any:
        model = ResNet20()
        model.load_state_dict(load_file(path))
        model.eval()
        return torch.cat([model(batch).softmax(1) for batch in self.images.split(250)]).numpy()

    def compare(self, expected: Any, found: Any) -> Figures:
        accuracy = float((found.argmax(axis=1) == self.labels).mean())
        return of_answers(expected, found) | {"accuracy": accuracy}

    def write(self, tensors: Tensors, path: Path) -> None:
        save_file({name: torch.as_tensor(array) for name, array in tensors.items()}, path)
