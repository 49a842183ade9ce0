"""Latent weights and one price per bit: dropped weights, and weights that come back."""

import copy

import numpy as np
import pytest
import torch

from qcodec import Affine, Codebook, Density, Sparse
from qcodec.rate_distortion import at_price
from qcodec.torch import (
    LatentValues,
    densities,
    plain_tensors,
    prune,
    prune_at_price,
    share,
    share_at_price,
    share_latent,
    share_latent_at_price,
)
from qcodec.torch.export import quantized_of
from qcodec.torch.tensors import places

SHARED = {"weight": Sparse(Codebook(4))}
PRICED = {**SHARED, "bias": Affine(8)}


def network(dtype=torch.float32):
    torch.manual_seed(0)
    layers = torch.nn.Linear(40, 60), torch.nn.Tanh(), torch.nn.Linear(60, 20)
    return torch.nn.Sequential(*layers).to(dtype)


def train(model, optimizer, steps=5):
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(16, 40)).square().sum().backward()
        optimizer.step()


def latent_of(layer):
    """The parameter, and the parametrization that shares its values."""
    parametrizations = layer.parametrizations.weight
    return parametrizations.original, parametrizations[0].values


def test_gradients_pass_as_if_nothing_were_shared():
    model = network()
    share_latent(model, {"weight": Sparse(Codebook(2, rate=0.2))})
    plain = network()
    plain.load_state_dict(plain_tensors(model))
    inputs = torch.randn(16, 40)
    for one in (model, plain):
        one(inputs).square().sum().backward()
    for layer, alike in ((model[0], plain[0]), (model[2], plain[2])):
        weight, _ = latent_of(layer)
        assert int((layer.weight == 0).sum()) > 0
        assert torch.equal(weight.grad, alike.weight.grad)


def test_each_value_is_the_mean_of_its_members():
    model = network()
    share_latent(model, {"weight": Sparse(Codebook(2, rate=0.1))})
    weight, latent = latent_of(model[0])
    with torch.no_grad():
        weight.normal_()
    assert not model[0].weight[~latent.stored].any()
    for code in latent.codes.unique():
        members = latent.stored & (latent.codes == code)
        if members.any():
            wanted = weight[members].mean()
            assert torch.allclose(model[0].weight[members], wanted, atol=1e-6)


def test_what_was_dropped_comes_back_if_it_grows_and_what_is_masked_does_not():
    model = network()
    prune(model, {"^0.weight": Density(0.5)})
    share_latent(model, {"weight": Sparse(Codebook(2, rate=0.3))})
    masked = ~model[0].parametrizations.weight[0].mask
    weight, latent = latent_of(model[0])
    dropped = ~latent.stored & ~masked
    assert dropped.any()
    with torch.no_grad():
        weight[dropped] = 1.0
        weight[masked] = 1.0
    assert not model[0].weight[dropped | masked].any()
    share_latent(model, {"weight": Sparse(Codebook(2, rate=0.3))})
    assert model[0].weight[dropped].all()
    assert not model[0].weight[masked].any()


@pytest.mark.parametrize("codec", [Codebook(8), Sparse(Codebook(8)), Sparse(Codebook(7))], ids=str)
@pytest.mark.parametrize("density", [1.0, 0.4])
def test_codes_of_all_numbers_leave_room_for_what_is_pruned_later(codec, density):
    model = network()
    share_latent(model, {"^0.weight": codec})
    weight, latent = latent_of(model[0])
    prune(model, {"^0.weight": Density(density)})
    for code in latent.codes.unique():
        members = latent.stored & (latent.codes == code)
        if members.any():
            mean = weight[members].double().mean().float()
            assert torch.allclose(model[0].weight[members], mean, atol=1e-6)
    assert not model[0].weight[~latent.stored].any()
    assert int(latent.stored.sum()) == round(density * latent.stored.numel())
    (place,) = (one for one in places(model) if one.name == "0.weight")
    assert np.array_equal(quantized_of(place).dequantize(), place.value.numpy())


def test_assigned_again_are_the_weights_and_not_their_shared_values():
    model = network()
    start = {name: tensor.clone() for name, tensor in plain_tensors(model).items()}
    for price in (1e-2, 1e-6):  # weights dropped at the first price come back
        share_latent_at_price(model, SHARED, price)
    recipe = at_price(start, SHARED, 1e-6)
    for name in ("0.weight", "2.weight"):
        codec = recipe.codec_for(name, tuple(start[name].shape), "float32")
        wanted = codec.quantize(start[name]).dequantize()
        assert np.allclose(plain_tensors(model)[name].numpy(), wanted, atol=1e-6)


def test_the_optimizer_keeps_its_parameters():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    train(model, optimizer)
    before = list(model.parameters())
    for _ in range(2):
        share_latent(model, {"weight": Codebook(2)})
        train(model, optimizer)
    assert {id(one) for one in before} == {id(one) for one in model.parameters()}
    assert len(model[0].weight.unique()) == 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_what_is_stored_is_what_the_model_computes_with(rate, dtype):
    model = network(dtype)
    prune(model, {"^0.weight": Density(0.3)})
    share_latent(model, {"weight": Sparse(Codebook(3, rate=rate))})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) / 8)
    for place in places(model):
        if place.parametrizations:
            decoded = quantized_of(place).dequantize()
            view = torch.int32 if dtype is torch.float32 else torch.int16
            stored = decoded.view(f"i{decoded.itemsize}")
            assert np.array_equal(stored, place.value.view(view).numpy())


def test_sharing_ends_it_without_a_loss():
    model = network()
    share_latent(model, {"weight": Sparse(Codebook(3, rate=0.1))})
    train(model, torch.optim.SGD(model.parameters(), 0.01))
    before = plain_tensors(model)
    share(model, {"weight": Sparse(Codebook(3))})
    for name, tensor in plain_tensors(model).items():
        assert torch.equal(tensor, before[name]), name
    assert len(model[0].parametrizations.weight.original) <= 8


def test_a_state_dict_goes_into_a_model_that_was_assigned_otherwise():
    model, again = network(), network()
    share_latent(model, {"weight": Sparse(Codebook(3, rate=0.05))})
    share_latent(again, {"weight": Sparse(Codebook(3, rate=0.5))})
    assert not torch.equal(model[0].weight, again[0].weight)
    again.load_state_dict(copy.deepcopy(model.state_dict()))
    assert torch.equal(model[0].weight, again[0].weight)


def test_all_zero_is_shared_too():
    latent = LatentValues(Sparse(Codebook(2)).quantize(np.zeros((2, 3), np.float32)))
    assert not latent(torch.ones(2, 3)).any()
    assert not latent.quantized(torch.ones(2, 3)).dequantize().any()


def test_pruning_at_a_price_keeps_what_a_file_at_that_price_would_store():
    model = network()
    tensors = plain_tensors(model)
    recipe = at_price(tensors, PRICED, 3e-4)
    wanted = {
        name: recipe.codec_for(name, tuple(tensor.shape), "float32").quantize(tensor).mask
        for name, tensor in tensors.items()
    }
    prune_at_price(model, PRICED, 3e-4)
    for name, tensor in plain_tensors(model).items():
        assert torch.equal(tensor, tensors[name] * torch.from_numpy(wanted[name])), name
    assert densities(model).keys() == {"0.weight", "2.weight"}
    assert 0.05 < densities(model)["0.weight"] < 0.9


def test_pruning_at_a_price_never_brings_a_weight_back():
    model = network()
    prune_at_price(model, PRICED, 3e-4)
    first = model[0].weight != 0
    with torch.no_grad():
        model[0].parametrizations.weight.original.normal_()
    prune_at_price(model, PRICED, 1e-9)
    assert not (model[0].weight != 0)[~first].any()
    assert (model[0].weight != 0)[first].float().mean() > 0.8


def test_one_price_is_for_all_layers():
    model = network()
    with torch.no_grad():
        model[0].weight.mul_(0.02)
    prune_at_price(model, PRICED, 1e-4)
    assert densities(model)["0.weight"] == 0
    assert densities(model)["2.weight"] > 0.5


def test_sharing_at_a_price_is_what_a_file_at_that_price_holds():
    model = network()
    tensors = plain_tensors(model)
    recipe = at_price(tensors, SHARED, 3e-4)
    wanted = {
        name: recipe.codec_for(name, tuple(tensor.shape), "float32").quantize(tensor).dequantize()
        for name, tensor in tensors.items()
    }
    share_at_price(model, SHARED, 3e-4)
    for name, tensor in plain_tensors(model).items():
        assert np.array_equal(tensor.numpy(), wanted[name]), name


@pytest.mark.parametrize("function", [prune_at_price, share_at_price, share_latent_at_price])
def test_a_negative_price_is_refused(function):
    with pytest.raises(ValueError, match="price"):
        function(network(), PRICED, -1.0)


def test_groups_are_refused():
    with pytest.raises(ValueError, match="60 codebooks"):
        share_latent(network(), {"weight": Codebook(2, per=0)})
