"""Shared trained values: gradients, fixed assignments, fixed zeros."""

import copy

import numpy as np
import pytest
import torch

from qcodec import Codebook, DeepCompression, Density, Sparse, Ternary
from qcodec.torch import (
    export,
    load,
    plain_tensors,
    prune,
    round_centroids,
    share,
)
from qcodec.torch.export import quantized_of
from qcodec.torch.tensors import places

RECIPES = {
    "k-means": {"weight": Codebook(3)},
    "paper's starts": {"weight": DeepCompression(3)},
    "entropy-constrained": {"weight": Sparse(Codebook(3, rate=0.2))},
}
OPTIMIZERS = {
    "sgd with momentum and decay": lambda p: torch.optim.SGD(p, 0.01, 0.9, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, 0.01, 0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
}


def layer(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.nn.Linear(40, 30).to(dtype)


def shared_layer(recipe="k-means", dtype=torch.float32):
    model = layer(dtype)
    prune(model, {"weight": Density(0.4)})
    share(model, RECIPES[recipe])
    return model


def parts(model):
    """The trained centroids, and their parametrization."""
    shared = model.parametrizations.weight
    return shared.original, shared[0]


def members(shared, number):
    """The weights that have a given centroid."""
    return shared.mask & (shared.values.codes == number)


def train(model, optimizer, steps=5):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 40)).square().sum().backward()
        optimizer.step()


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_gradient_of_a_centroid_is_the_sum_over_its_members(recipe):
    model = shared_layer(recipe)
    centroids, shared = parts(model)
    plain = torch.nn.Linear(40, 30)
    plain.load_state_dict(plain_tensors(model))
    inputs = torch.randn(16, 40)
    for one in (model, plain):
        one(inputs).square().sum().backward()
    for number in range(len(centroids)):
        expected = plain.weight.grad[members(shared, number)].sum()
        assert torch.isclose(centroids.grad[number], expected, rtol=1e-4, atol=1e-4), number


@pytest.mark.parametrize("recipe", RECIPES)
def test_gradients_agree_with_finite_differences(recipe):
    centroids, shared = parts(shared_layer(recipe))
    inputs = torch.randn(5, 40, dtype=torch.float64)

    def outputs(values):
        return torch.tanh(inputs @ shared(values).T)

    exact = centroids.detach().double().requires_grad_()
    assert torch.autograd.gradcheck(outputs, (exact,))
    assert torch.autograd.gradgradcheck(outputs, (exact,))


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("recipe", RECIPES)
def test_zeros_stay_zero_and_members_stay_together(recipe, make):
    model = shared_layer(recipe)
    centroids, _ = parts(model)
    before, start = model.weight.detach().clone(), centroids.detach().clone()
    train(model, make(model.parameters()))
    after = model.weight.detach()
    assert not torch.equal(before, after)
    assert torch.equal(before == 0, after == 0)
    assert not centroids[start == 0].any()
    for value in before.unique():
        assert len(after[before == value].unique()) == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_assigned_weights_become_the_means_of_their_members(dtype):
    model = shared_layer(dtype=dtype)
    centroids, shared = parts(model)
    weight = torch.randn(30, 40).to(dtype)
    model.weight = weight
    wanted = [weight.float()[members(shared, number)].mean() for number in range(1, len(centroids))]
    precision = torch.finfo(dtype).eps
    assert torch.allclose(centroids[1:].float(), torch.stack(wanted), rtol=precision, atol=1e-6)
    assert centroids[0] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_what_is_stored_is_what_the_model_computes_with(dtype):
    model = shared_layer("entropy-constrained", dtype)
    with torch.no_grad():
        parts(model)[0].add_(0.01).mul_(torch.linspace(-1, 1, len(parts(model)[0])).to(dtype))
    (place,) = (one for one in places(model) if one.name == "weight")
    decoded = quantized_of(place).dequantize()
    view = torch.int32 if dtype is torch.float32 else torch.int16
    assert np.array_equal(decoded.view(f"i{decoded.itemsize}"), place.value.view(view).numpy())


def test_a_state_dict_goes_into_a_model_that_was_shared_alike():
    model, again = shared_layer(), shared_layer()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    train(model, optimizer)
    again.load_state_dict(copy.deepcopy(model.state_dict()))
    assert torch.equal(model.weight, again.weight)
    other = torch.optim.Adam(again.parameters(), 0.01)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one, its in ((model, optimizer), (again, other)):
        torch.manual_seed(1)
        train(one, its)
    assert torch.equal(model.weight, again.weight)


def test_assignments_come_with_the_state_dict():
    model, again = shared_layer(), layer()
    with torch.no_grad():
        again.weight.normal_()
    prune(again, {"weight": Density(0.4)})
    share(again, RECIPES["k-means"])
    again.load_state_dict(model.state_dict())
    assert torch.equal(model.weight, again.weight)


@pytest.mark.parametrize("recipe", RECIPES)
def test_shared_again_what_was_not_stored_stays_zero(recipe):
    model = shared_layer(recipe)
    before = model.weight.detach().clone()
    train(model, torch.optim.SGD(model.parameters(), 0.01))
    share(model, {"weight": Codebook(2)})
    after = model.weight.detach()
    assert torch.equal(before == 0, after == 0)
    assert len(parts(model)[0]) <= 4
    assert parts(model)[1].mask is not None


def test_entropy_constrained_sharing_prices_positions_and_values():
    counts, zeros = [], []
    for rate in (0.0, 0.05, 0.2, 1.0):
        model = layer()
        share(model, {"weight": Sparse(Codebook(4, rate=rate))})
        codes = parts(model)[1].values.codes[parts(model)[1].mask]
        shares = torch.bincount(codes)[torch.bincount(codes) > 0] / max(len(codes), 1)
        counts.append(float(-(shares * shares.log2()).sum()))
        zeros.append(int((model.weight == 0).sum()))
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 3 > counts[-1]
    assert zeros == sorted(zeros)
    assert zeros[-1] > zeros[0]


def test_entropy_constrained_assignments_are_those_of_the_codec():
    model = layer()
    codec = Sparse(Codebook(4, rate=0.1))
    wanted = codec.quantize(model.weight.detach().numpy()).dequantize()
    share(model, {"weight": codec})
    assert np.array_equal(model.weight.detach().numpy(), wanted)


def test_all_zero_is_shared_too():
    model = layer()
    with torch.no_grad():
        model.weight.zero_()
    share(model, {"weight": Sparse(Codebook(4, rate=0.1))})
    model(torch.randn(4, 40)).sum().backward()
    assert not model.weight.any()


def test_a_module_that_stands_in_two_places_is_shared_once():
    one = layer()
    model = torch.nn.ModuleList([one, one])
    codec = Sparse(Codebook(4, rate=0.3))
    wanted = codec.quantize(one.weight.detach().numpy()).dequantize()
    share(model, {"weight": codec})
    assert np.array_equal(one.weight.detach().numpy(), wanted)
    assert len(one.parametrizations.weight) == 1


def test_values_follow_the_device_of_the_model():
    model = shared_layer().to("meta")
    assert model.weight.is_meta
    assert parts(model)[1].mask.is_meta
    assert parts(model)[1].values.codes.is_meta
    assert parts(model)[1](parts(model)[0]).shape == (30, 40)


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        (Codebook(2, per=0), "30 codebooks"),
        (Codebook(2, scale="max"), "scales: True"),
        (Ternary(per=0), "30 codebooks"),
    ],
)
def test_what_has_more_than_a_codebook_is_refused_by_name(codec, message):
    model = layer()
    before = model.weight.detach().clone()
    with pytest.raises(ValueError, match=f"^tensor 'weight': .*{message}"):
        share(model, {"weight": codec})
    assert torch.equal(model.weight, before)


def test_float64_is_refused_by_name():
    with pytest.raises(TypeError, match=r"'weight': found float64, allowed float32"):
        share(layer(torch.float64), {"weight": Codebook(2)})


def test_a_frozen_parameter_stays_frozen():
    model = layer()
    model.weight.requires_grad_(False)
    share(model, {"weight": Codebook(2)})
    assert not parts(model)[0].requires_grad


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounded_centroids_are_stored_in_16_bits_and_decode_to_what_the_model_has(dtype, tmp_path):
    model = shared_layer()
    whole = export(model, tmp_path / "whole.qcodec")
    before = parts(model)[0].detach().clone()
    round_centroids(model, getattr(torch, dtype))
    centroids, shared = parts(model)
    assert torch.equal(centroids, before.to(getattr(torch, dtype)).float())
    assert not torch.equal(centroids, before)
    assert shared.quantized(centroids).codebook_dtype == dtype
    assert export(model, tmp_path / "rounded.qcodec") < whole
    again = layer()
    load(again, tmp_path / "rounded.qcodec")
    assert torch.equal(again.weight, model.weight)
    assert again.weight.dtype == torch.float32
