"""Short runs of the pruning recipes: all stages, on made-up data."""

import json

import pytest

torch = pytest.importorskip("torch")

import qcodec  # noqa: E402
from qcodec.torch import load  # noqa: E402
from recipes.__main__ import main  # noqa: E402
from recipes.data import made_up_digits  # noqa: E402
from recipes.networks import LeNet5, LeNet300  # noqa: E402
from recipes.stages import Stages  # noqa: E402


@pytest.fixture
def run_short(tmp_path):
    def run(name):
        folder = tmp_path / name
        assert main([name, "--data", "nowhere", "--out", str(folder), "--short"]) == 0
        return folder, json.loads((folder / "result.json").read_text())

    return run


def accuracy_of(folder, network):
    """Of the file, loaded into a net that knows nothing of the run."""
    model = network()
    load(model, folder / "net.qcodec")
    return Stages(made_up_digits(), None, {}).test(model)


@pytest.mark.parametrize(
    ("name", "network", "densities"),
    [
        ("pruned-lenet-300-100", LeNet300, {"fc1": 0.03, "fc2": 0.06, "fc3": 0.25}),
        ("pruned-lenet5", LeNet5, {"conv1": 0.4, "conv2": 0.08, "fc1": 0.02, "fc2": 0.1}),
    ],
)
def test_pruning_and_retraining(name, network, densities, run_short):
    folder, result = run_short(name)
    tensors = qcodec.load_file(folder / "net.qcodec")
    kept = sum(int((tensor != 0).sum()) for tensor in tensors.values())
    for layer, density in densities.items():
        weight = tensors[f"{layer}.weight"]
        assert (weight != 0).sum() <= round(density * weight.size)
    assert result["ours"]["parameters kept"] == kept
    assert result["ours"]["bytes, every kept bit"] == (folder / "net.qcodec").stat().st_size
    found = accuracy_of(folder, network)
    assert result["ours"]["test error, %"] == pytest.approx(100 - 100 * found)
    assert found > 0.6  # ten classes; an untrained net gets 0.1
    rows = (folder / "sensitivity.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * len(densities)


@pytest.mark.parametrize("name", ["admm-lenet5", "admm-lenet5-paper"])
def test_admm_and_sharing_at_a_price(name, run_short):
    folder, result = run_short(name)
    tensors = qcodec.load_file(folder / "net.qcodec")
    settings = json.loads((folder / "settings.json").read_text())
    for tensor, kept in settings["kept"].items():
        assert (tensors[tensor] != 0).sum() == result["ours"]["kept"][tensor] <= kept
        assert len(set(tensors[tensor].ravel().tolist())) <= 17
    assert result["ours"]["bytes"] == (folder / "net.qcodec").stat().st_size
    found = accuracy_of(folder, LeNet5)
    assert result["ours"]["test accuracy, %"] == pytest.approx(100 * found)
    assert found > 0.6
