"""The published ResNet-20 for CIFAR-10, shared by its recipes."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file

from .batch_norms import fold_batch_norms
from .cifar import cifar10
from .data import Data, made_up_digits
from .networks import ResNet20

_NET = "resnet20_cifar10.safetensors"


def load_resnet20_data(folder: Path, short: bool) -> tuple[Data, ResNet20]:
    """Load CIFAR-10 and the trained net, or small made-up data and an untrained net.

    Parameters
    ----------
    folder : pathlib.Path
        Contains CIFAR-10 in one of the forms of `cifar10`, and ``resnet20_cifar10.safetensors``,
        the weights of Idelbayev's ResNet-20 (91.7 % on all test images).
    short : bool
        Whether to use made-up data.
    """
    model = ResNet20()
    if short:
        return made_up_digits(count=264, channels=3, size=32), model
    model.load_state_dict(load_file(folder / _NET))
    return cifar10(folder), model


def folded_resnet20() -> ResNet20:
    """A fresh net with folded batch normalisations, to load a file into."""
    model = ResNet20()
    fold_batch_norms(model)
    return model
