"""Gradual pruning, sensitivity scans, dropout, penalties and freezing."""

import csv
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from qcodec import Codebook, Density, Quality
from qcodec.torch import (
    AdjustedDropout,
    GradualPruning,
    cubic,
    densities,
    dropout_after_pruning,
    frozen,
    l1,
    l2,
    plot_sensitivity,
    prune,
    sensitivity,
    share,
    stepwise,
    write_sensitivity,
)


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 20), nn.Dropout(0.5),
        nn.Linear(20, 5),
    )  # fmt: skip


def test_the_cubic_schedule_prunes_at_its_steps_and_no_others():
    model = nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.1)}, start=2, stop=9, every=3)
    found = []
    for _ in range(12):
        pruning.step()
        found.append(densities(model)["weight"])
    at = {step: round(1 - 0.9 * (1 - (1 - (step - 2) / 7) ** 3), 2) for step in (5, 8, 9)}
    expected = [1.0] * 4 + [at[5]] * 3 + [at[8]] + [at[9]] * 4
    assert found == expected
    assert expected[-1] == 0.1


def test_masks_only_ever_lose_weights():
    model = nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.2)}, 0, 6, every=1)
    kept = torch.ones(10, 10, dtype=torch.bool)
    for _ in range(6):
        model.parametrizations.weight.original.data.normal_()  # training may do what it wants
        pruning.step()
        mask = model.parametrizations.weight[0].mask
        assert not bool((mask & ~kept).any())
        kept = mask.clone()


def test_stages_are_equally_long_and_the_last_begins_at_the_end():
    model = nn.Linear(10, 10)
    schedule = stepwise([0.5, 1.0])
    pruning = GradualPruning(model, {"weight": Density(0.2)}, 0, 4, every=1, schedule=schedule)
    found = [densities(model)["weight"]]
    for _ in range(5):
        pruning.step()
        found.append(densities(model)["weight"])
    assert found == [0.6, 0.6, 0.6, 0.6, 0.2, 0.2]


def test_a_stopped_schedule_goes_on():
    def pruned(stop_at):
        torch.manual_seed(2)
        model = nn.Linear(10, 10)
        pruning = GradualPruning(model, {"weight": Density(0.2)}, 1, 7, every=2)
        for _ in range(stop_at):
            pruning.step()
        again = nn.Linear(10, 10)
        other = GradualPruning(again, {"weight": Density(0.2)}, 1, 7, every=2)
        again.load_state_dict(model.state_dict())
        other.load_state_dict(pruning.state_dict())
        for _ in range(8 - stop_at):
            other.step()
        return again.weight

    assert torch.equal(pruned(4), pruned(8))


@pytest.mark.parametrize(
    ("start", "stop", "every", "at"),
    [
        (0, 0, 1, 0), (0, 0, 100, 0), (0, 1, 1, 1), (5, 5, 1, 5), (5, 5, 100, 5), (2, 9, 100, 9),
        (10, 17, 5, 17), (np.int64(1), torch.tensor(3), np.uint8(2), 3),
    ],
)  # fmt: skip
def test_the_target_is_reached_at_the_stop_and_not_before(start, stop, every, at):
    model = nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.1)}, start, stop, every)
    found = [densities(model)["weight"]]
    for _ in range(20):
        pruning.step()
        found.append(densities(model)["weight"])
    assert all(density > 0.1 for density in found[:at])
    assert found[at:] == [0.1] * (21 - at)


@pytest.mark.parametrize("stop", [100, 51, 50, 49, 40, 7])
def test_a_run_that_goes_on_with_another_stop_reaches_the_target(stop):
    model, again = nn.Linear(10, 10), nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.1)}, 5, 100, 5)
    for _ in range(50):
        pruning.step()
    other = GradualPruning(again, {"weight": Density(0.1)}, 5, stop, 5)
    again.load_state_dict(model.state_dict())
    other.load_state_dict(pruning.state_dict())
    assert densities(again) == densities(model)
    for _ in range(max(1, stop - 50)):
        other.step()
    assert densities(again)["weight"] == 0.1


def test_weights_that_became_zero_after_the_end_are_not_pruned_by_a_resume():
    model, again = nn.Linear(10, 10), nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.2)}, 0, 2, 1)
    for _ in range(3):
        pruning.step()
    with torch.no_grad():
        model.parametrizations.weight.original.zero_()
    other = GradualPruning(again, {"weight": Density(0.2)}, 0, 2, 1)
    again.load_state_dict(model.state_dict())
    other.load_state_dict(pruning.state_dict())
    other.step()
    assert densities(again)["weight"] == 0.2


STEPS = {
    "a float to stop": ((0, 9.0, 1), TypeError, r"stop=9.0: allowed is an integer"),
    "a fraction to start": ((Fraction(3, 1), 9, 1), TypeError, "start="),
    "a float between": ((0, 9, 0.5), TypeError, r"every=0.5: allowed is an integer"),
    "NaN": ((float("nan"), 9, 1), TypeError, "start=nan"),
    "a string": ((0, "9", 1), TypeError, "stop='9'"),
    "a start before 0": ((-1, 2, 1), ValueError, "allowed are 0 <= start <= stop"),
    "a stop before the start": ((3, 2, 1), ValueError, "allowed are 0 <= start <= stop"),
    "none between": ((0, 2, 0), ValueError, "every >= 1"),
}
TARGETS = {
    "a quality": ({"weight": Quality(1.0)}, TypeError, "'0.weight': found Quality, allowed"),
    "a number": ({"weight": 0.1}, TypeError, "'0.weight': found float, allowed Density"),
    "no mapping": (Density(0.1), TypeError, "found Density, allowed is a mapping"),
    "nothing": ({}, ValueError, "found none, allowed is at least one"),
    "no expression": ({"(": Density(0.1)}, ValueError, r"'\(' is not a regular"),
    "no string": ({1: Density(0.1)}, TypeError, "pattern=1: allowed is"),
    "no such tensor": ({"fc": Density(0.1)}, ValueError, "no parameter matches"),
}  # fmt: skip
SCHEDULES = {
    "above 1": (lambda progress: 1.5, ValueError, r"schedule\(0.0\) is 1.5, allowed are 0 to 1"),
    "below 0": (lambda progress: -0.1, ValueError, "is -0.1"),
    "NaN": (lambda progress: float("nan"), ValueError, "is nan"),
    "one that raises": (lambda progress: 1 / 0, ZeroDivisionError, "division"),
}
REFUSED = {
    **{
        name: ((steps, {"weight": Density(0.1)}, cubic), *said)
        for name, (steps, *said) in STEPS.items()
    },
    **{name: (((0, 9, 1), targets, cubic), *said) for name, (targets, *said) in TARGETS.items()},
    **{
        name: (((0, 9, 1), {"weight": Density(0.1)}, schedule), *said)
        for name, (schedule, *said) in SCHEDULES.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_gradual_pruning_that_is_refused_changes_nothing(name):
    (steps, targets, schedule), kind, message = REFUSED[name]
    model = network()
    before = list(model.state_dict())
    with pytest.raises(kind, match=message):
        GradualPruning(model, targets, *steps, schedule=schedule)
    assert list(model.state_dict()) == before


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_step_whose_schedule_is_wrong_can_be_tried_again(name):
    wrong, kind, _ = SCHEDULES[name]
    model = nn.Linear(10, 10)
    pruning = GradualPruning(model, {"weight": Density(0.1)}, 0, 4, 1)
    pruning.step()
    before, state = densities(model), pruning.state_dict()
    pruning.schedule = wrong
    with pytest.raises(kind):
        pruning.step()
    assert (densities(model), pruning.state_dict()) == (before, state)


@pytest.mark.parametrize("layer", range(3))
def test_a_step_at_which_a_weight_is_nan_can_be_tried_again(layer):
    def pruned():
        torch.manual_seed(0)
        model = nn.Sequential(*(nn.Linear(10, 10) for _ in range(3)))
        return model, GradualPruning(model, {"weight": Density(0.1)}, 0, 4, 1)

    model, pruning = pruned()
    pruning.step()
    before, state = densities(model), pruning.state_dict()
    original = model[layer].parametrizations.weight.original.data
    at = model[layer].weight.detach().abs().argmax()
    kept = original.clone()
    original.view(-1)[at] = float("nan")
    with pytest.raises(ValueError, match=rf"'{layer}\.weight'.*NaN"):
        pruning.step()
    assert (densities(model), pruning.state_dict()) == (before, state)
    original.copy_(kept)
    other, of_other = pruned()
    for _ in range(3):
        pruning.step()
    for _ in range(4):
        of_other.step()
    assert all(torch.equal(one.weight, two.weight) for one, two in zip(model, other, strict=True))


STATES = {
    "nothing": ({}, ValueError, "allowed is a state with densities and steps"),
    "steps alone": ({"steps": 3}, ValueError, "densities"),
    "half a step": ({"steps": 1.5, "densities": {}}, TypeError, r"steps=1.5"),
    "less than none": ({"steps": -1, "densities": {}}, ValueError, "steps=-1"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_is_none_is_refused(name):
    state, kind, message = STATES[name]
    pruning = GradualPruning(nn.Linear(4, 4), {"weight": Density(0.5)}, 0, 4, 1)
    pruning.step()
    before = pruning.state_dict()
    with pytest.raises(kind, match=message):
        pruning.load_state_dict(state)
    assert pruning.state_dict() == before


@pytest.mark.parametrize("wrong", [[], [0.5, 0.4], [-0.1, 1.0], [0.5, 1.5]])
def test_stages_that_make_no_schedule_are_refused(wrong):
    with pytest.raises(ValueError, match="that rise"):
        stepwise(wrong)


def test_schedules_begin_and_end():
    assert (cubic(0.0), cubic(1.0)) == (0.0, 1.0)
    assert stepwise([1.0])(0.0) == stepwise([1.0])(1.0) == 1.0


def test_a_scan_measures_one_pruned_layer_at_a_time_and_leaves_the_model():
    model = network()
    prune(model, {"^5.weight": Density(0.8)})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seen = []

    def measure(one):
        parts = [one[0].weight, one[3].weight, one[5].weight]
        seen.append([int(part.count_nonzero()) / part.numel() for part in parts])
        for parameter in one.parameters():  # a measure may change its model
            parameter.data.zero_()
        return float(len(seen))

    rows = sensitivity(model, ["^0.weight", "^5.weight"], [0.25, 0.5], measure)
    assert [(row.tensor, row.density, row.measure) for row in rows] == [
        ("0.weight", 0.5, 1.0), ("0.weight", 0.25, 2.0),
        ("5.weight", 0.5, 3.0), ("5.weight", 0.25, 4.0),
    ]  # fmt: skip
    assert seen == [[0.5, 1.0, 0.8], [0.25, 1.0, 0.8], [1.0, 1.0, 0.5], [1.0, 1.0, 0.25]]
    after = model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_scan_is_written_and_drawn(tmp_path):
    rows = sensitivity(network(), ["weight$"], [1.0, 0.5, 0.1], lambda one: 0.5)
    write_sensitivity(rows, tmp_path / "scan.csv")
    with (tmp_path / "scan.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [(row["tensor"], float(row["density"])) for row in read] == [
        (row.tensor, row.density) for row in rows
    ]
    pytest.importorskip("matplotlib")
    plot_sensitivity(rows, tmp_path / "scan.png")
    assert (tmp_path / "scan.png").read_bytes()[:4] == b"\x89PNG"


def test_dropout_follows_the_square_root_of_the_connections_and_does_not_compound():
    model = network()
    dropout = AdjustedDropout(model, {"4": "^3.weight"})
    assert dropout.update() == {"4": 0.5}
    prune(model, {"^3.weight": Density(0.25)})
    assert dropout.update() == dropout.update() == {"4": 0.25}
    prune(model, {"^3.weight": Density(0.04)})
    assert model[4].p == 0.25
    dropout.update()
    assert model[4].p == pytest.approx(0.1, abs=1e-3)


def test_a_dropout_whose_layer_is_gone_leaves_all_rates():
    model = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)) for _ in range(2)))
    dropout = AdjustedDropout(model, {"0.1": "^0.0.weight", "1.1": "^1.0.weight"})
    prune(model, {"weight": Density(0.25)})
    model[1][0] = nn.Identity()
    with pytest.raises(ValueError, match=r"found no '1\.1' with '1\.0\.weight'"):
        dropout.update()
    assert (model[0][1].p, model[1][1].p) == (0.5, 0.5)


def test_dropout_is_found_in_compiled_models_by_its_own_name():
    model = network()
    compiled = torch.compile(model, backend="eager")
    prune(model, {"^3.weight": Density(0.25)})
    assert AdjustedDropout(compiled, {"4": "3.weight$"}).rates == {"4": 0.5}


@pytest.mark.parametrize("wrong", [(1.5, 0.5), (0.5, 1.5), (float("nan"), 1.0), (0.5, -0.1)])
def test_rates_and_densities_are_from_0_to_1(wrong):
    with pytest.raises(ValueError, match="allowed are 0 to 1"):
        dropout_after_pruning(*wrong)


def test_dropout_must_be_one_and_follow_one_layer():
    with pytest.raises(ValueError, match="found Linear, allowed are dropouts"):
        AdjustedDropout(network(), {"3": "^3.weight"})
    with pytest.raises(ValueError, match="allowed is one weight"):
        AdjustedDropout(network(), {"4": "weight"})


@pytest.mark.parametrize("penalty", [l1, l2])
def test_gradients_of_penalties_are_those_of_finite_differences(penalty):
    model = network().double()
    prune(model, {"^3.weight": Density(0.1)})
    share(model.float(), {"^5.weight": Codebook(2)})
    model.double()
    cost = penalty(model, {"^0.weight": 0.3, "^3.weight": 0.7, "^5.weight": 1.1})
    cost().backward()
    originals = [
        model[0].weight,
        model[3].parametrizations.weight.original,
        model[5].parametrizations.weight.original,
    ]
    for original in originals:
        gradient = original.grad.view(-1)
        for index in (0, 3, gradient.argmax().item() % original.numel()):
            ends = []
            for step in (1e-6, -1e-6):
                with torch.no_grad():
                    original.view(-1)[index] += step
                    ends.append(float(cost()))
                    original.view(-1)[index] -= step
            assert float(gradient[index]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-4)
    masked = ~model[3].parametrizations.weight[0].mask
    assert not bool(originals[1].grad[masked].any())


def test_l2_is_what_weight_decay_is():
    penalised, decayed = network(), network()
    cost = l2(penalised, {"": 0.1})
    optimizer = torch.optim.SGD(penalised.parameters(), 0.5)
    cost().backward()
    optimizer.step()
    optimizer = torch.optim.SGD(decayed.parameters(), 0.5, weight_decay=0.1)
    (0 * sum(parameter.sum() for parameter in decayed.parameters())).backward()
    optimizer.step()
    for one, other in zip(penalised.parameters(), decayed.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_what_is_frozen_does_not_move_by_momentum_or_decay_and_then_goes_on():
    model = network().eval()
    prune(model, {"^3.weight": Density(0.5)})
    model[0].bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=0.1)

    def step():
        optimizer.zero_grad(set_to_none=False)
        model(torch.randn(6, 1, 8, 8)).square().sum().backward()
        optimizer.step()

    step()
    before = [parameter.clone() for parameter in model.parameters()]
    names = [name for name, _ in model.named_parameters()]
    with frozen(model, ["^0", "^3.weight"]):
        step()
        step()
    moved = {
        name
        for name, old, new in zip(names, before, model.parameters(), strict=True)
        if not torch.equal(old, new)
    }
    assert moved == {"3.bias", "5.weight", "5.bias"}
    assert model[0].weight.requires_grad
    assert not model[0].bias.requires_grad  # as it was before
    step()
    assert not torch.equal(before[names.index("0.weight")], model[0].weight)
