"""A net from dense weights to a file, in stages. test_end_to_end.py runs it.

``python -m tests.torch.end_to_end NET DATA FOLDER STAGE...`` runs the stages in one process with
one model. A process that does not begin with ``dense`` builds a new model, and loads the result of
the previous stage from the folder. ``STAGE:STEPS`` trains this number of steps, saves a checkpoint
and ends; the same stage in the next process continues from there. Processes share only files.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from qcodec import Codebook, Density
from qcodec.torch import GradualPruning, accuracy, export, load, prune, share
from recipes.data import made_up_digits, split_of
from recipes.idx import mnist_array
from tests.repository import SHARED_DATA

STAGES = ("dense", "prune", "share", "tune", "export")
BATCH = 32
BITS = 4
CLASSES = 10


class Block(nn.Module):
    """Two convolutions with a shortcut, as in He and others 2015."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outputs))

    def forward(self, images):
        inner = functional.relu(self.norm1(self.conv1(images)))
        return functional.relu(self.norm2(self.conv2(inner)) + self.shortcut(images))


class ResNet(nn.Module):
    """Three blocks, with weights and images in channels-last format."""

    def __init__(self, size):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
        self.blocks = nn.Sequential(Block(8, 8, 1), Block(8, 16, 2), Block(16, 32, 2))
        self.head = nn.Linear(32, CLASSES)
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        images = images.contiguous(memory_format=torch.channels_last)
        return self.head(self.blocks(functional.relu(self.stem(images))).mean((2, 3)))


class Transformer(nn.Module):
    """Reads images row by row. One embedding holds the classes (the outputs), the query and the
    positions of the rows."""

    def __init__(self, size):
        super().__init__()
        width = 32
        self.rows = nn.Linear(size, width)
        self.embedding = nn.Embedding(CLASSES + 1 + size, width)
        nn.init.normal_(self.embedding.weight, std=0.2)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, 2, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.head = nn.Linear(width, CLASSES + 1 + size, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, images):
        asked = self.embedding(torch.arange(CLASSES, self.embedding.num_embeddings))
        rows = functional.pad(self.rows(images.squeeze(1)), (0, 0, 1, 0))
        return self.head(self.encoder(rows + asked)[:, 0])[:, :CLASSES]


@dataclass(frozen=True)
class Net:
    """A net, its training, and the tensors to prune and to share.

    Attributes
    ----------
    make : callable
        From the width of the images to a model.
    optimizer : callable
        From parameters and a factor of the learning rate to an optimizer.
    steps : int
        Steps of dense training; other stages are not longer.
    density : float
    pruned, shared : str
        Expressions for the names of tensors.
    """

    make: type[nn.Module]
    optimizer: object
    steps: int
    density: float
    pruned: str
    shared: str


def momentum(parameters, factor):
    return torch.optim.SGD(parameters, 0.05 * factor, momentum=0.9, weight_decay=1e-4)


def adam(parameters, factor):
    return torch.optim.AdamW(parameters, 3e-3 * factor)


NETS = {
    "resnet": Net(
        ResNet, momentum, 48, 0.3,
        pruned=r"conv\d\.weight|shortcut\.0\.weight|head\.weight",
        shared=r"stem\.0\.weight|conv\d\.weight|shortcut\.0\.weight|head\.weight",
    ),
    # The embedding is tied to the head: each expression matches one of its two names.
    "transformer": Net(
        Transformer, adam, 72, 0.4,
        pruned=r"in_proj_weight|out_proj\.weight|linear\d\.weight|rows\.weight|^head\.weight",
        shared=r"in_proj_weight|out_proj\.weight|linear\d\.weight|rows\.weight|^embedding\.weight",
    ),
}  # fmt: skip


def made_up():
    """Patterns with noise: images for training, and images for the test."""
    data = made_up_digits(seed=5, count=1400, size=16)
    return data.train, data.test


def mnist():
    """A part of MNIST's test images.

    Raises
    ------
    FileNotFoundError
        If MNIST is not available.
    """
    pixels, labels = (
        mnist_array(SHARED_DATA, f"t10k-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")
    )
    whole = split_of(pixels[:2500, None], labels[:2500], [0.1307], [0.3081])
    return whole.part(0, 2000), whole.part(2000)


DATA = {"made up": made_up, "mnist": mnist}


class Course:
    """One net in one folder. Each stage is a method that changes the model."""

    def __init__(self, net, data, folder):
        self.net, self.folder = net, Path(folder)
        self.train, self.test = data()
        self.size = self.train.images.shape[-1]
        self.stop = None

    def built(self, stage):
        """The model at the beginning of a stage, parametrized, with values still to load."""
        model = self.net.make(self.size)
        before = STAGES[: STAGES.index(stage)]
        if "prune" in before:
            prune(model, {self.net.pruned: Density(self.net.density)})
        if "share" in before:
            share(model, {self.net.shared: Codebook(BITS)})
        if before:
            model.load_state_dict(torch.load(self.folder / f"{before[-1]}.pt", weights_only=True))
        return model

    def dense(self, model):
        self._train("dense", model, self.net.steps, 1)

    def prune(self, model):
        steps = self.net.steps
        target = {self.net.pruned: Density(self.net.density)}
        pruning = GradualPruning(model, target, start=5, stop=steps * 2 // 3, every=7)
        self._train("prune", model, steps, 0.5, pruning)

    def share(self, model):
        count = len(list(model.parameters()))
        share(model, {self.net.shared: Codebook(BITS)})
        assert len(list(model.parameters())) == count, "what is tied has one codebook"

    def tune(self, model):
        self._train("tune", model, self.net.steps // 2, 0.02, autocast=True)

    def export(self, model):
        export(model, self.folder / "net.qcodec")
        self._record("exported", model)

    def load(self):
        """Load the file, as another process would."""
        torch.manual_seed(999)
        model = self.net.make(self.size)
        count = len(list(model.parameters()))
        load(model, self.folder / "net.qcodec")
        assert len(list(model.parameters())) == count, "what is tied stays so"
        self._record("loaded", model)

    def _train(self, stage, model, steps, factor, pruning=None, autocast=False):
        """Make the optimizer, and train from the last checkpoint to the next one or to the end."""
        optimizer = self.net.optimizer(model.parameters(), factor)
        parts = {"model": model, "optimizer": optimizer, "pruning": pruning}
        parts = {name: part for name, part in parts.items() if part is not None}
        first, checkpoint = 0, self.folder / f"{stage}.checkpoint.pt"
        torch.manual_seed(STAGES.index(stage))
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            for name, part in parts.items():
                part.load_state_dict(state[name])
            torch.set_rng_state(state["random"])
            first = state["steps"]
        model.train()
        for step in range(first, self.stop or steps):
            images, labels = self._batch(step)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            if pruning is not None:
                pruning.step()
        if self.stop:
            state = {name: part.state_dict() for name, part in parts.items()}
            state |= {"steps": self.stop, "random": torch.get_rng_state()}
            torch.save(state, checkpoint)

    def _batch(self, step):
        """The batch of a step, the same in every process."""
        epoch, number = divmod(step, len(self.train.images) // BATCH)
        random = torch.Generator().manual_seed(epoch)
        order = torch.randperm(len(self.train.images), generator=random)
        chosen = order[number * BATCH : (number + 1) * BATCH]
        return self.train.images[chosen], self.train.labels[chosen]

    def _record(self, name, model):
        """Record the model's outputs for the test images, in bfloat16 too."""
        model.eval()
        with torch.no_grad():
            logits = model(self.test.images)
            with torch.autocast("cpu", torch.bfloat16):
                halves = model(self.test.images)
        right = accuracy(model, self.test.images, self.test.labels)
        found = {"logits": logits, "in bfloat16": halves, "accuracy": right}
        torch.save(found, self.folder / f"{name}.pt")


def main(net, data, folder, *stages):
    torch.set_num_threads(1)
    torch.manual_seed(7)
    course = Course(NETS[net], DATA[data], folder)
    if stages == ("load",):
        course.load()
        return
    model = course.built(stages[0].partition(":")[0])
    for stage in stages:
        name, _, stop = stage.partition(":")
        course.stop = int(stop or 0)
        getattr(course, name)(model)
        if not stop:
            torch.save(model.state_dict(), course.folder / f"{name}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
