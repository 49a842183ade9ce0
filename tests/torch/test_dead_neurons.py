"""Dead neurons are masked, and the output does not change."""

import copy

import torch
from torch import nn

from qcodec import Density
from qcodec.torch import densities, prune, prune_dead_neurons

LAYERS = [("0.weight", "0.bias"), ("2.weight", "2.bias"), ("5.weight", "5.bias")]


def pruned_network():
    """A convolution and two dense layers, sparse enough to have dead units."""
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(8 * 4, 3),
    )  # fmt: skip
    prune(model, {"^0.weight": Density(0.2), "^2.weight": Density(0.03), "^5.weight": Density(0.1)})
    return model


def test_the_output_is_the_same_with_fewer_weights():
    model = pruned_network()
    images = torch.randn(20, 1, 6, 6)
    expected = model(images)
    before = densities(model)
    prune_dead_neurons(model, LAYERS)
    torch.testing.assert_close(model(images), expected)
    after = densities(model)
    assert after.keys() == before.keys()
    assert sum(after.values()) < sum(before.values())


def test_training_brings_no_dead_unit_back():
    model = pruned_network()
    prune_dead_neurons(model, LAYERS)
    dead = model[2].bias == 0
    assert 0 < int(dead.sum()) < 8
    masks = copy.deepcopy(densities(model))
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(5):
        optimizer.zero_grad()
        model(torch.randn(20, 1, 6, 6)).square().sum().backward()
        optimizer.step()
    assert torch.equal(model[2].bias == 0, dead)
    assert densities(model) == masks


def test_parameters_stay_the_same_objects():
    model = pruned_network()
    before = list(map(id, model.parameters()))
    prune_dead_neurons(model, LAYERS)
    assert list(map(id, model.parameters())) == before
