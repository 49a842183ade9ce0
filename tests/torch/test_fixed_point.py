"""Fixed-point weights and activations: the rounding, its gradient, and what a file holds."""

import copy

import numpy as np
import pytest
import torch

import qcodec
from qcodec import Density, FixedPoint
from qcodec.torch import (
    FixedPointActivations,
    FixedPointValues,
    export,
    fix_activations,
    fix_points,
    load,
    plain_tensors,
    prune,
)
from qcodec.torch.fixed_point import rounded


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 4)
    ).to(dtype)


def images(count=16, dtype=torch.float32):
    return torch.randn(count, 3, 5, 5, generator=torch.Generator().manual_seed(1)).to(dtype)


def train(model, optimizer, steps=3, dtype=torch.float32):
    for _ in range(steps):
        optimizer.zero_grad()
        model(images(dtype=dtype)).square().sum().backward()
        optimizer.step()


def test_rounding_is_exact_at_every_power_of_two():
    """Compares with float64, which computes all of this exactly."""
    random = np.random.default_rng(0)
    steps = np.concatenate([random.uniform(-20, 20, 500), np.arange(-20, 20) + 0.5])
    for exponent in range(-127, 128):
        exact = np.ldexp(steps, exponent)
        values = exact[np.abs(exact) < np.finfo(np.float32).max].astype(np.float32)
        low, high = (-8, 7) if exponent < 124 else (-1, 1)  # 2.0**128 is infinite
        wanted = np.clip(np.rint(np.ldexp(values.astype(np.float64), -exponent)), low, high)
        wanted = np.ldexp(wanted, exponent).astype(np.float32) + np.float32(0)
        found = rounded(torch.from_numpy(values), torch.tensor(exponent), low, high)
        assert found.numpy().tobytes() == wanted.tobytes(), exponent


@pytest.mark.parametrize("step", ["mse", "max", "gauss", "laplace", "gamma"])
@pytest.mark.parametrize("bits", [2, 3, 8, 9, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_weights_are_what_the_codec_gives_and_what_is_stored(bits, step, dtype):
    weight = (torch.randn(40, 30, generator=torch.Generator().manual_seed(bits)) * 0.1).to(dtype)
    codec = FixedPoint(bits, step)
    points = FixedPointValues(weight, codec)
    with torch.no_grad():
        seen = points(weight)
    stored, wanted = points.quantized(weight), codec.quantize(weight)
    assert stored.dequantize().tobytes() == wanted.dequantize().tobytes()
    assert seen.view(torch.uint8).numpy().tobytes() == stored.dequantize().tobytes()
    assert stored.bits == bits


def test_the_gradient_goes_straight_through_and_stops_where_it_clips():
    weight = torch.tensor([-1.13, -1.12, 0.0, 0.3, 0.87, 0.88], requires_grad=True)
    points = rounded(weight, torch.tensor(-2), -4, 3)  # -1 to 0.75, so it clips beyond 0.875
    gradient = torch.arange(1.0, 7.0)
    points.backward(gradient)
    assert torch.equal(weight.grad, torch.tensor([0.0, 2, 3, 4, 5, 0]))


def test_training_moves_weights_over_the_grid_and_the_step_stays():
    model = network()
    fix_points(model, FixedPoint(4))
    points = model[3].parametrizations.weight[0].values
    step = 2.0 ** int(points.exponent)
    before = model[3].weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9)
    train(model, optimizer)
    after = model[3].weight.detach()
    assert not torch.equal(before, after)
    assert 2.0 ** int(points.exponent) == step
    assert torch.equal(after, (after / step).round().clamp(-8, 7) * step)


def test_a_second_choice_of_bits_takes_the_place_of_the_first():
    model, once = network(), network()
    fix_points(model, FixedPoint(2))
    fix_points(model, {r"^3\.weight": FixedPoint(6)})
    fix_points(once, {r"^3\.weight": FixedPoint(6)})
    assert torch.equal(model[3].weight, once[3].weight)
    assert len(model[0].weight.unique()) <= 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_trained_fixed_point_net_comes_back_bit_for_bit(dtype, tmp_path):
    model = network(dtype)
    prune(model, {r"^3\.weight": Density(0.4)})
    fix_points(model, {r"^0\.weight": FixedPoint(8), r"^3\.weight": FixedPoint(4)})
    fix_activations(model, FixedPoint(8), [images(dtype=dtype)])
    train(model, torch.optim.SGD(model.parameters(), 1e-3, 0.9), dtype=dtype)
    assert export(model, tmp_path / "net.qcodec") < 1100
    with qcodec.safe_open(tmp_path / "net.qcodec") as file:
        assert (file.info("0.weight").kind, file.info("0.weight").code_bits) == ("affine", 8)
    again = network(dtype)
    fix_activations(again, FixedPoint(2), [images(dtype=dtype)])
    load(again, tmp_path / "net.qcodec")
    for name, tensor in plain_tensors(model).items():
        assert torch.equal(plain_tensors(again)[name], tensor), name
    assert torch.equal(again(images(dtype=dtype)), model(images(dtype=dtype)))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8, 15])
def test_activations_get_all_levels_and_the_best_power_of_two(bits, signed):
    sample = torch.randn(3000, generator=torch.Generator().manual_seed(bits))
    sample = sample if signed else sample.relu()
    activations = FixedPointActivations()
    activations.choose(sample, FixedPoint(bits))
    exponent, low, high, _ = activations.form.tolist()
    assert high - low == 2**bits - 1
    assert (low < 0) == signed
    errors = {
        trial: float((rounded(sample, torch.tensor(trial), low, high) - sample).square().sum())
        for trial in range(exponent - 3, exponent + 4)
    }
    assert min(errors, key=errors.get) == exponent


def test_each_layer_gets_what_was_rounded():
    model = network()
    seen = {}
    fix_activations(model, {r"^3\.input": FixedPoint(4)}, [images()])
    model[3].register_forward_pre_hook(lambda module, given: seen.update(given=given[0]))
    plain = network()[:3](images())
    model(images())
    exponent, low, high, _ = model[3].fixed_point_input.form.tolist()
    assert low == 0  # after a ReLU
    wanted = (plain / 2.0**exponent).round().clamp(0, high) * 2.0**exponent
    assert torch.equal(seen["given"], wanted)
    assert not hasattr(model[0], "fixed_point_input")


def test_activations_survive_state_dicts_and_copies():
    model, again = network(), network()
    fix_activations(model, FixedPoint(5), [images()])
    fix_activations(again, FixedPoint(2), [images() * 100])
    again.load_state_dict(model.state_dict())
    wanted = model(images())
    assert torch.equal(again(images()), wanted)
    assert torch.equal(copy.deepcopy(model)(images()), wanted)
    assert not torch.equal(network()(images()), wanted)


def test_activations_fixed_again_are_rounded_once():
    model, once = network(), network()
    fix_activations(model, FixedPoint(2), [images()])
    fix_activations(model, FixedPoint(8), [images()])
    fix_activations(once, FixedPoint(8), [images()])
    assert len(model[0]._forward_pre_hooks) == 1
    assert model[0].fixed_point_input.form.tolist() == once[0].fixed_point_input.form.tolist()


def test_what_it_cannot_do_is_said():
    model = network()
    with pytest.raises(ValueError, match="allowed is one step per tensor"):
        fix_points(model, FixedPoint(4, per=0))
    with pytest.raises(ValueError, match="no parameter matches"):
        fix_points(model, {"fc": FixedPoint(4)})
    with pytest.raises(ValueError, match=r"no layer matches 'fc'; there are 0.input, 3.input"):
        fix_activations(model, {"fc": FixedPoint(4)}, [images()])
    with pytest.raises(ValueError, match="bits=16: allowed are 2 to 15"):
        fix_activations(model, FixedPoint(16), [images()])
    with pytest.raises(ValueError, match=r"0.input: found no input"):
        fix_activations(network(), FixedPoint(8), [])


# ---- the ends of element types ----

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def at_the_end(dtype):
    """Weights from the minimum to the maximum number of a type that can be quantized."""
    top = min(torch.finfo(dtype).max, torch.finfo(torch.float32).max)
    weights = torch.linspace(-1, 1, 64, dtype=torch.float64).reshape(8, 8) * top
    weights[3] = top
    weights[4] = -top
    weights[5] /= 1e4
    return weights.to(dtype)


@pytest.mark.parametrize("step", ["max", "mse", "gauss", "laplace"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_weights_at_the_end_of_their_type_are_what_the_codec_gives(dtype, bits, step, tmp_path):
    layer = torch.nn.Linear(8, 8, bias=False).to(dtype)
    layer.weight.data.copy_(at_the_end(dtype))
    codec = qcodec.FixedPoint(bits, step)
    expected = codec.quantize(layer.weight).dequantize("float64")
    fix_points(layer, {"weight": codec})
    assert np.isfinite(expected).all()
    assert np.array_equal(layer.weight.detach().double().numpy(), expected)
    export(layer, tmp_path / "net.qcodec")
    stored = qcodec.load_file(tmp_path / "net.qcodec", dtype="float64")["weight"]
    assert np.array_equal(stored, expected)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_gradients_are_cut_where_the_type_ends(dtype):
    weights = at_the_end(dtype).requires_grad_()
    module = FixedPointValues(weights, qcodec.FixedPoint(8, "max"))
    given = module(weights)
    (given / 2**8).sum().backward()
    step = 2.0 ** int(module.exponent)
    far = (weights.detach().double() - given.detach().double()).abs() > step / 2
    assert not weights.grad[far].any()
    assert weights.grad[~far].all()


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8, 15])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_activations_at_the_end_of_their_type_stay_finite(dtype, bits, signed):
    inputs = at_the_end(dtype) if signed else at_the_end(dtype).abs()
    model = torch.nn.Sequential(torch.nn.Linear(8, 1, bias=False).to(dtype))
    model[0].weight.data.zero_()
    fix_activations(model, qcodec.FixedPoint(bits, "max"), [inputs])
    given = model[0].fixed_point_input(inputs).double()
    assert torch.isfinite(given).all()
    step = 2.0 ** int(model[0].fixed_point_input.form[0])
    assert (given - inputs.double()).abs().max() <= step
