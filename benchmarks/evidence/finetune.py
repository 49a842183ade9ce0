"""ResNet-20, trained a little further: the cost of a fine-tune stored beside its base."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

import qcodec
from qcodec import Delta

from .report import Row, at_most, size_of, timed

CASE = "fine-tune"
Tensors = dict[str, NDArray[Any]]
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Training:
    """How the net continues to learn: float32, in batches of 128."""

    name: str
    optimizer: str
    rate: float
    steps: int


SHORT = Training("SGD 1e-4, 20 steps", "SGD", 1e-4, 20)
LONG = Training("Adam 1e-5, 100 steps", "Adam", 1e-5, 100)


def run(data: Path, folder: Path, trainings: tuple[Training, ...] = (SHORT, LONG)) -> list[Row]:
    """Each fine-tune against its base, beside the XOR with it; nothing without torch."""
    if find_spec("torch") is None:
        print("fine-tune: skipped, torch is not installed")
        return []
    source = data / "resnet20_cifar10.safetensors"
    base, rows = load_file(source), []
    rows.append(Row(CASE, "bytes as float32", sum(array.nbytes for array in base.values())))
    for number, training in enumerate(trainings):
        tuned = fine_tuned(base, data, training)
        path = folder / f"tuned_{number}.safetensors"
        save_file(tuned, path)
        rows += _compared(
            base, load_file(path), source, folder / f"tuned_{number}.qcodec", training
        )
    return rows


def _compared(
    base: Tensors, tuned: Tensors, source: Path, path: Path, training: Training
) -> list[Row]:
    name = training.name
    beside = xor_planes_xz(base, tuned)
    alone = qcodec.save_file(tuned, path.with_suffix(".alone.qcodec"), profile="small")
    rows = [
        Row(CASE, f"{name}: bytes alone, lossless", alone),
        Row(CASE, f"{name}: bytes, XOR, byte planes, xz -9e", beside),
    ]
    for profile in ("balanced", "small"):
        qcodec.save_file(tuned, path, recipe=Delta(source), profile=profile)
        size = size_of(path)
        rows.append(Row(CASE, f"{name}: bytes, Delta, {profile}", size))
        less = round(100 * size / beside - 100, 2)
        rows.append(at_most(CASE, f"{name}: % beside XOR, {profile}", less, -8))
    with timed(rows, CASE, f"{name}: decode"):
        again = qcodec.load_file(path, base=source)
    same = all(again[key].tobytes() == array.tobytes() for key, array in tuned.items())
    rows.append(Row(CASE, f"{name}: every bit of every tensor", str(same), "True", same))
    return rows


def xor_planes_xz(base: Tensors, tuned: Tensors) -> int:
    """Bytes of all tensors' XOR, the most significant bytes first, without names or shapes."""
    words = [base[name].view("<u4") ^ array.view("<u4") for name, array in tuned.items()]
    joined = np.concatenate([word.reshape(-1) for word in words])
    planes = joined.view(np.uint8).reshape(-1, 4)[:, ::-1].T.tobytes()
    return len(lzma.compress(planes, preset=9 | lzma.PRESET_EXTREME))


def fine_tuned(base: Tensors, data: Path, training: Training) -> Tensors:
    """The net after more training, with its batch statistics. Needs torch; one thread, seeded."""
    import torch

    torch.set_num_threads(1)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in base.items()}
    weights = [tensor.requires_grad_() for name, tensor in tensors.items() if "running" not in name]
    images, labels = _train_images(data)
    optimizer = getattr(torch.optim, training.optimizer)(weights, training.rate)
    order = torch.Generator().manual_seed(1)
    for _ in range(training.steps):
        batch = torch.randint(0, len(labels), (128,), generator=order).numpy()
        optimizer.zero_grad()
        scores = _scores(tensors, torch.from_numpy(images[batch]))
        torch.nn.functional.cross_entropy(scores, torch.from_numpy(labels[batch])).backward()
        optimizer.step()
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def _train_images(data: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    with np.load(data / "cifar10_sample.npz") as sample:
        images, labels = sample["train_x"], sample["train_y"]
    scaled = (images.astype(np.float32) / 255 - np.float32(_MEAN)) / np.float32(_DEVIATION)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)), labels.reshape(-1).astype(np.int64)


def _scores(tensors: dict[str, Any], x: Any) -> Any:
    """ResNet-20 with option-A shortcuts, in training: batch norm by the batch."""
    from torch.nn import functional

    def convolved(x: Any, name: str, norm: str, stride: int = 1) -> Any:
        x = functional.conv2d(x, tensors[f"{name}.weight"], stride=stride, padding=1)
        mean, variance = tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"]
        scale, shift = tensors[f"{norm}.weight"], tensors[f"{norm}.bias"]
        return functional.batch_norm(x, mean, variance, scale, shift, training=True)

    x = functional.relu(convolved(x, "conv1", "bn1"))
    for stage in (1, 2, 3):
        for block in range(3):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = functional.relu(convolved(x, f"{name}.conv1", f"{name}.bn1", stride))
            y = convolved(y, f"{name}.conv2", f"{name}.bn2")
            if stride == 2:
                more = (y.shape[1] - x.shape[1]) // 2
                x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, more, more))
            x = functional.relu(x + y)
    return x.mean((2, 3)) @ tensors["linear.weight"].T + tensors["linear.bias"]
