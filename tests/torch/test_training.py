"""Side effects of measuring and training: modes of modules, checkpoints, and nothing else."""

import pytest
import torch
from torch import nn

from qcodec import FixedPoint
from qcodec.torch import (
    Run,
    accuracy,
    fit,
    fix_activations,
    measure_sqnr,
    output_sqnr,
    sensitivity,
)
from qcodec.torch.modes import Modes, evaluating

INPUTS = torch.randn(12, 6, generator=torch.Generator().manual_seed(1))
TARGETS = torch.arange(12) % 3


class ErrorOfTheUserError(Exception):
    """Raised by user code."""


def fail(*_, **__):
    raise ErrorOfTheUserError


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3))


def fitted(model, batches=((INPUTS, TARGETS),), epochs=2, **parts):
    fit(model, batches, torch.optim.SGD(model.parameters(), 0.1), epochs, **parts)


def modes(model):
    return [module.training for module in model.modules()]


#: Everything that runs a model: as it should be, and with something of the user's that raises.
RUNS = {
    "accuracy": lambda model: accuracy(model, INPUTS, TARGETS),
    "fix_activations": lambda model: fix_activations(model, FixedPoint(8), [INPUTS]),
    "output_sqnr": lambda model: output_sqnr(model, model, [INPUTS]),
    "measure_sqnr": lambda model: measure_sqnr(model, {"0.weight": FixedPoint(4)}, [INPUTS]),
    "sensitivity": lambda model: sensitivity(model, ["0.weight"], [0.5], lambda one: 1.0),
    "fit": fitted,
}
WRONG = torch.ones(12, 7)
RAISING = {
    "accuracy": lambda model: accuracy(model, WRONG, TARGETS),
    "fix_activations": lambda model: fix_activations(model, FixedPoint(8), [INPUTS, WRONG]),
    "output_sqnr": lambda model: output_sqnr(model, model, [INPUTS, WRONG]),
    "output_sqnr of another model": lambda model: output_sqnr(nn.Linear(7, 3), model, [INPUTS]),
    "measure_sqnr": lambda model: measure_sqnr(model, {"0.weight": FixedPoint(4)}, [WRONG]),
    "sensitivity": lambda model: sensitivity(model, ["0.weight"], [0.5], fail),
    "fit, loss": lambda model: fitted(model, loss=fail),
    "fit, penalty": lambda model: fitted(model, penalty=fail),
    "fit, after_step": lambda model: fitted(model, after_step=fail),
    "fit, after_epoch": lambda model: fitted(model, after_epoch=fail),
    "fit, measure": lambda model: fitted(model, measure=lambda: fail(model.eval())),
    "fit, progress": lambda model: fitted(model, progress=fail),
    "fit, loader": lambda model: fitted(model, (fail() for _ in range(1))),
}


@pytest.mark.parametrize("frozen", [[], [1], [0, 1, 2, 3]])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("run", [*RUNS, *(f"{name} raises" for name in RAISING)])
def test_every_module_is_left_in_its_own_mode(run, training, frozen):
    model = network().train(training)
    for index in frozen:
        model[index].train(not training)
    before = [layer.training for layer in model]
    if run in RUNS:
        RUNS[run](model)
    else:
        with pytest.raises((ErrorOfTheUserError, RuntimeError)):
            RAISING[run.removesuffix(" raises")](model)
    assert model.training == training
    assert [layer.training for layer in model] == before


@pytest.mark.parametrize("hook", ["measure", "after_epoch"])
def test_a_frozen_batch_norm_does_not_move_while_the_model_is_fitted(hook):
    model = network()
    model[1].eval()
    mean = model[1].running_mean.clone()
    weight = model[0].weight.detach().clone()
    modes_in_loop = []

    def measured(*_):
        model.eval()
        if hook == "measure":
            model.train()  # as most loops do, for all modules
        return {}

    fitted(
        model, epochs=3, after_step=lambda: modes_in_loop.append(modes(model)), **{hook: measured}
    )
    assert torch.equal(model[1].running_mean, mean)
    assert not torch.equal(model[0].weight, weight)
    assert modes_in_loop == [[True, True, False, True, True]] * 3


def test_a_module_that_a_loop_freezes_stays_frozen_until_the_end():
    model = network()
    modes_in_loop = []

    def freeze():
        modes_in_loop.append(model[1].training)
        model[1].eval()

    fitted(model, epochs=3, after_step=freeze, after_epoch=lambda epoch: model.eval())
    assert modes_in_loop == [True, False, False]
    assert model[1].training


def test_a_model_in_evaluation_mode_is_trained_as_a_whole():
    model = network().eval()
    modes_in_loop = []
    fitted(model, after_step=lambda: modes_in_loop.append(all(modes(model))))
    assert modes_in_loop == [True, True]
    assert not any(modes(model))


class Merging(nn.Module):
    """Like LoRA layers, `train` merges or splits the weights."""

    def __init__(self):
        super().__init__()
        self.merged = False

    def train(self, mode=True):
        self.merged = not mode
        return super().train(mode)


@pytest.mark.parametrize("frozen", [False, True])
def test_classes_that_override_train_are_told(frozen):
    model = nn.Sequential(Merging(), nn.Linear(1, 1))
    model[0].train(not frozen)
    with evaluating(model):
        assert model[0].merged
    assert (model[0].training, model[0].merged) == (not frozen, frozen)


def test_a_module_under_two_parents_is_left_in_its_own_mode():
    shared = nn.BatchNorm1d(5).eval()
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared)).eval()
    model[1].train()
    shared.eval()
    found, before = Modes(model), modes(model)
    model.eval()
    found.restore()
    assert modes(model) == before


# ---- batches, and checkpoints that cannot be loaded ----


def once():
    yield INPUTS, TARGETS


@pytest.mark.parametrize(("batches", "good"), [(once, 1), (list, 0)])
def test_an_epoch_without_batches_is_an_error_and_earlier_ones_are_kept(batches, good, tmp_path):
    model, run = network(), Run(tmp_path, {})
    with pytest.raises(ValueError, match=rf"none in epoch {good + 1}, .* but not a generator"):
        fitted(model, batches(), 3, run=run)
    assert [row["epoch"] for row in run.rows] == list(range(1, good + 1))
    kept = run.restore("train")
    assert (0 if kept is None else kept["epoch"]) == good


class Part:
    """Another user object with a state."""

    def __init__(self, value, fails=False):
        self.value, self.fails = value, fails

    def state_dict(self):
        return {"value": self.value}

    def load_state_dict(self, state):
        if self.fails and state["value"] != self.value:
            raise ErrorOfTheUserError
        self.value = state["value"]


def test_a_checkpoint_that_cannot_be_loaded_leaves_everything(tmp_path):
    fitted(network(), epochs=1, run=Run(tmp_path, {}), extras={"a": Part(1), "b": Part(2)})
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    part = Part(3)

    def again(extras):
        fit(model, [(INPUTS, TARGETS)], optimizer, 2, run=Run(tmp_path, {}), extras=extras)

    with pytest.raises(ErrorOfTheUserError):
        again({"a": part, "b": Part(4, fails=True)})
    with pytest.raises(ValueError, match=r"'train': found .*'b', .* allowed are \['a', 'epoch'"):
        again({"a": part})
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert part.value == 3


def test_a_row_that_could_not_be_written_is_not_kept(tmp_path, monkeypatch):
    run = Run(tmp_path, {})
    run.log("train", 1, loss=2.0)
    monkeypatch.setattr("qcodec.torch.training.run.replace_file", fail)
    with pytest.raises(ErrorOfTheUserError):
        run.log("train", 2, loss=1.0)
    assert [row["epoch"] for row in run.rows] == [1]


# ---- wrong arguments ----

REFUSED = {
    "no batches": (
        lambda model: output_sqnr(model, model, []), ValueError, "batches: found none",
    ),
    "inputs with targets": (
        lambda model: output_sqnr(model, model, [(INPUTS, TARGETS)]),
        TypeError, "batches: found a tuple, allowed are input tensors",
    ),
    "an output that is no tensor": (
        lambda model: output_sqnr(nn.LSTM(6, 2), nn.LSTM(6, 2), [INPUTS]),
        TypeError, "output: found tuple, allowed is a tensor",
    ),
    "no such layer": (
        lambda model: measure_sqnr(model, {"9.input": FixedPoint(4)}, [INPUTS]),
        ValueError, "no layer matches",
    ),
    "patterns that are one string": (
        lambda model: sensitivity(model, "weight", [0.5], fail), TypeError, "patterns='weight'",
    ),
    "a density above 1": (
        lambda model: sensitivity(model, ["0.weight"], [0.5, 1.5], fail), ValueError, "density=1.5",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_arguments_are_refused_before_anything_is_measured(name):
    act, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        act(network())


def test_a_scan_leaves_modes_to_the_copies_that_are_measured():
    model = network()
    model[1].eval()
    seen = []

    def measure(one):
        seen.append([layer.training for layer in one])
        one.eval()
        return 0.0

    sensitivity(model, ["0.weight"], [0.5, 1.0], measure)
    assert seen == [[True, False, True, True]] * 2
