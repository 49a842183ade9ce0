"""Masks that training cannot undo, under plain names."""

import copy

import pytest
import torch
from torch.nn.utils import parametrize
from torch.nn.utils.prune import l1_unstructured

from qcodec import Density, Quality, Threshold
from qcodec.torch import Compressed, Free, densities, plain_tensors, prune


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4), torch.nn.BatchNorm1d(4)
    )


def train(model, optimizer, steps=5):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(32, 8)).square().sum().backward()
        optimizer.step()


OPTIMIZERS = {
    "sgd with momentum and decay": lambda p: torch.optim.SGD(p, 0.01, 0.9, weight_decay=0.1),
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_pruned_weights_stay_zero_under_an_optimizer_that_was_made_before(make):
    model = network()
    optimizer = make(model.parameters())
    train(model, optimizer)  # momentum that would move pruned weights
    prune(model, {"weight$": Density(0.25)})
    gone = model[0].weight == 0
    before = model[0].weight.clone()
    train(model, optimizer)
    assert torch.equal(model[0].weight == 0, gone)
    assert not torch.equal(model[0].weight, before)


def test_a_kept_weight_has_the_gradient_it_had_and_a_pruned_one_none():
    model, free = network(), network()
    prune(model, {"^0.weight": Density(0.5)})
    with torch.no_grad():
        free[0].weight.copy_(model[0].weight)
    inputs = torch.randn(10, 8)
    for one in (model, free):
        one(inputs).square().sum().backward()
    mask = model[0].parametrizations.weight[0].mask
    expected = torch.where(mask, free[0].weight.grad, 0)
    assert torch.equal(model[0].parametrizations.weight.original.grad, expected)


def test_pruned_weights_are_plus_zero_even_of_infinite_and_negative_ones():
    for count in (3, 30_000):  # small and large tensors are masked in different ways
        mask = Compressed(Free(), torch.zeros(count, dtype=torch.bool))
        found = mask(torch.tensor([-1.0, float("inf"), float("nan")]).repeat(count // 3))
        assert not found.view(torch.int32).any()


def test_pruning_again_never_brings_a_weight_back():
    model = network()
    prune(model, {"^0.weight": Density(0.5)})
    first = model[0].weight != 0
    with torch.no_grad():
        model[0].parametrizations.weight.original.copy_(torch.randn(16, 8))
    prune(model, {"^0.weight": Density(0.25)})
    second = model[0].weight != 0
    assert int(second.sum()) == 32
    assert not (second & ~first).any()


def test_quality_takes_the_deviation_of_what_is_left():
    model = torch.nn.Linear(4, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.1, 1.0, -2.0, 3.0]]))
    prune(model, {"weight": Threshold(0.5)})
    prune(model, {"weight": Quality(0.9)})  # deviation of 1, -2, 3: 2.05; of all four: 1.8
    assert model.weight.tolist() == [[0.0, 0.0, -2.0, 3.0]]


def test_the_state_dict_has_torchs_names_and_goes_into_a_model_pruned_alike():
    model = network()
    prune(model, {"^0.weight": Density(0.5)})
    state = copy.deepcopy(model.state_dict())
    assert {"0.parametrizations.weight.original", "0.parametrizations.weight.0.mask"} <= set(state)
    again = network()
    prune(again, {"^0.weight": Density(0.9)})
    again.load_state_dict(state)
    assert torch.equal(again[0].weight, model[0].weight)
    assert densities(again) == {"0.weight": 0.5}


def test_removing_the_parametrization_leaves_a_plain_layer_with_zeros():
    model = network()
    prune(model, {"^0.weight": Density(0.5)})
    weight = model[0].weight.clone()
    parametrize.remove_parametrizations(model[0], "weight")
    assert torch.equal(model[0].weight, weight)
    assert type(model[0]) is torch.nn.Linear


def test_a_rule_that_finds_nothing_is_an_error_that_names_what_there_is():
    with pytest.raises(ValueError, match=r"no parameter matches 'conv'; .*'0.weight'"):
        prune(network(), {"conv": Density(0.5), "weight": Density(0.5)})


def test_plain_tensors_are_the_state_dict_of_the_plain_model():
    plain, model = network(), network()
    prune(model, {"weight": Density(1.0)})
    l1_unstructured(model[2], "bias", 0)
    found, wanted = plain_tensors(model), plain.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_module_that_stands_in_two_places_is_pruned_once():
    layer = torch.nn.Linear(8, 8)
    model = torch.nn.Sequential(layer, torch.nn.ReLU(), layer)
    prune(model, {"weight": Density(0.5)})
    assert densities(model) == {"0.weight": 0.5, "2.weight": 0.5}
    assert len(layer.parametrizations.weight) == 1


@pytest.mark.parametrize("size", [8, 200])  # masked by a product, and by bits
def test_the_weights_are_the_same_bits_whether_or_not_they_are_trained(size):
    model = torch.nn.Linear(size, size)
    for density in (0.5, 0.25, 0.1):  # each mask replaces the cached factors of the last
        prune(model, {"weight": Density(density)})
        changed = copy.deepcopy(model)
        prune(changed, {"weight": Density(density / 2)})
        for one in (model, changed):
            trained = one.weight
            with torch.no_grad():
                seen = one.weight
            assert trained.requires_grad
            assert torch.equal(trained.view(torch.int32), seen.view(torch.int32))
            assert int(seen.view(torch.int32).count_nonzero()) == round(
                densities(one)["weight"] * size * size
            )
            trained.sum().backward()
            assert torch.equal(one.parametrizations.weight.original.grad != 0, seen != 0)
            one.zero_grad()
