"""A stopped run continues as if it had not been stopped."""

import csv
import json

import pytest
import torch

from qcodec import Codebook, Density
from qcodec.torch import Run, accuracy, export, fit, prune, share
from recipes.data import Batches, made_up_digits, shifted

DATA = made_up_digits(size=6)


class StoppedError(Exception):
    """Stands for a crash of the machine."""


def chain(folder, stop=None):
    """Train, prune, share; interrupted after `stop`, a (stage, epoch)."""

    def progress(stage, epoch, epochs, found):
        if (stage, epoch) == stop:
            raise StoppedError

    run = Run(folder, {"seed": 3}, progress)
    torch.manual_seed(3)
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(36, 20), torch.nn.Dropout(0.2), torch.nn.Linear(20, 10)
    )
    batches = Batches(DATA.train, 50, shifted(1))

    def train(stage):
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
        measure = lambda: {"accuracy": accuracy(model, DATA.test.images, DATA.test.labels)}  # noqa: E731
        fit(model, batches, optimizer, 2, stage=stage, run=run, seed=3, schedule=schedule,
            measure=measure)  # fmt: skip

    train("dense")
    prune(model, {"weight": Density(0.3)})
    train("pruned")
    share(model, {"weight": Codebook(3)})
    train("shared")
    export(model, folder / "net.qcodec")
    return run


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    chain(folder)
    return folder


@pytest.mark.parametrize("stop", [("dense", 1), ("dense", 2), ("pruned", 1), ("shared", 1)])
def test_an_interrupted_run_ends_with_the_same_file_and_curves(stop, tmp_path, uninterrupted):
    with pytest.raises(StoppedError):
        chain(tmp_path, stop)
    chain(tmp_path)
    assert (tmp_path / "net.qcodec").read_bytes() == (uninterrupted / "net.qcodec").read_bytes()
    assert (tmp_path / "curves.csv").read_text() == (uninterrupted / "curves.csv").read_text()


def test_a_run_writes_its_settings_and_a_row_an_epoch(uninterrupted):
    assert json.loads((uninterrupted / "settings.json").read_text()) == {"seed": 3}
    with (uninterrupted / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    stages = ["dense", "dense", "pruned", "pruned", "shared", "shared"]
    assert [row["stage"] for row in rows] == stages
    assert all(float(row["loss"]) > 0 and 0 <= float(row["accuracy"]) <= 1 for row in rows)


def test_curves_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    run = Run(tmp_path, {})
    run.log("a", 1, loss=2.0)
    run.log("b", 1, loss=1.0, accuracy=0.5)
    run.plot()
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_checkpoint_is_never_half_written(tmp_path, monkeypatch):
    run = Run(tmp_path, {})
    run.save("stage", {"epoch": 1})
    monkeypatch.setattr(torch, "save", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.save("stage", {"epoch": 2})
    assert run.restore("stage") == {"epoch": 1}


def test_a_folder_of_other_settings_is_refused(tmp_path):
    Run(tmp_path, {"seed": 1, "epochs": 2})
    with pytest.raises(ValueError, match="other settings: seed was 1, is 2"):
        Run(tmp_path, {"seed": 2, "epochs": 2})


def test_accuracy_is_of_the_net_as_it_serves():
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.99), torch.nn.Identity())
    images = torch.eye(10)
    assert accuracy(model, images, torch.arange(10), batch=3) == 1
    assert model.training
