"""Three values per weight: their gradients, what training preserves, and files."""

import pytest
import torch

import qcodec
from qcodec import Density, Quality, TrainedTernary
from qcodec.torch import (
    TernaryValues,
    densities,
    export,
    load,
    plain_tensors,
    prune,
    ternarize,
)

BOTH = [TrainedTernary(0.3), Density(0.4)]


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.Conv2d(8, 8, 3), torch.nn.BatchNorm2d(8),
        torch.nn.Flatten(), torch.nn.Linear(8, 16), torch.nn.Linear(16, 4),
    ).to(dtype)  # fmt: skip


def loss_of(model, dtype=torch.float32):
    return model(torch.randn(16, 3, 5, 5, dtype=dtype)).square().sum()


def train(model, optimizer, steps=3, dtype=torch.float32):
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model, dtype).backward()
        optimizer.step()


def value(parameter):
    return parameter.detach().item()


def ternary_of(latent, zeros):
    ternary = TernaryValues(latent, zeros)
    with torch.no_grad():
        ternary.positive.copy_(torch.tensor(0.7))
        ternary.negative.copy_(torch.tensor(1.3))
    return ternary


@pytest.mark.parametrize("zeros", BOTH)
def test_gradients_of_the_scales_are_those_of_finite_differences(zeros):
    torch.manual_seed(1)
    latent, x = torch.randn(6, 5, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    ternary = ternary_of(latent, zeros).double()

    def loss(positive, negative):
        with torch.no_grad():
            ternary.positive.fill_(positive)
            ternary.negative.fill_(negative)
        return (ternary(latent) @ x).tanh().square().sum()

    at, h = (0.7, 1.3), 1e-6
    loss(*at).backward()
    with torch.no_grad():
        by_positive = (loss(at[0] + h, at[1]) - loss(at[0] - h, at[1])) / (2 * h)
        by_negative = (loss(at[0], at[1] + h) - loss(at[0], at[1] - h)) / (2 * h)
    assert float(ternary.positive.grad) == pytest.approx(float(by_positive), rel=1e-7)
    assert float(ternary.negative.grad) == pytest.approx(float(by_negative), rel=1e-7)
    assert abs(float(by_negative)) > 0.1  # large enough to show a wrong sign


@pytest.mark.parametrize("zeros", BOTH)
def test_latent_weights_move_by_wp_1_or_wn_times_the_gradient(zeros):
    latent = torch.randn(50, requires_grad=True)
    ternary, gradient = ternary_of(latent, zeros), torch.randn(50)
    weights = ternary(latent)
    weights.backward(gradient)
    factors = {0.7: 0.7, 0.0: 1.0, -1.3: 1.3}
    wanted = [factors[round(float(w), 3)] for w in weights.detach()]
    assert len(set(wanted)) == 3
    assert torch.equal(latent.grad, gradient * torch.tensor(wanted))


def test_the_threshold_is_a_part_of_the_largest_magnitude_and_follows_it():
    latent = torch.tensor([1.0, 0.5, 0.51, -0.5, -0.51, -0.2])
    ternary = ternary_of(latent, TrainedTernary(0.5))
    assert torch.equal(ternary(latent).sign(), torch.tensor([1.0, 0, 1, 0, -1, 0]))
    assert torch.equal(ternary(latent / latent.new_tensor([4, 1, 1, 1, 1, 1])).count_nonzero(),
                       torch.tensor(4))  # fmt: skip


@pytest.mark.parametrize("density", [0.0, 0.25, 0.6, 1.0])
def test_a_density_stays_through_training_whatever_the_weights_do(density):
    model = network()
    ternarize(model, {r"^1\.weight": Density(density)})
    train(model, torch.optim.SGD(model.parameters(), 1e-3))
    assert int(model[1].weight.count_nonzero()) == round(density * 576)


def test_scales_start_as_the_mean_magnitudes_of_their_sides():
    weight = torch.randn(1000)
    ternary = TernaryValues(weight, TrainedTernary(0.1))
    wanted = TrainedTernary(0.1).quantize(weight).codebook.values[0]
    assert value(ternary.positive) == pytest.approx(float(wanted[2]), rel=1e-5)
    assert value(ternary.negative) == pytest.approx(-float(wanted[0]), rel=1e-5)
    assert value(TernaryValues(weight.abs(), TrainedTernary(0.1)).negative) == 0.0


def test_by_default_all_layers_but_the_first_and_the_last_are_ternary():
    model = network()
    before = {name: tensor.clone() for name, tensor in plain_tensors(model).items()}
    ternarize(model)
    values = {name: len(tensor.unique()) for name, tensor in plain_tensors(model).items()}
    assert {name for name, tensor in before.items() if tensor.ndim > 1 and values[name] <= 3} == {
        "1.weight",
        "4.weight",
    }
    for name in ("0.weight", "5.weight", "1.bias"):
        assert torch.equal(plain_tensors(model)[name], before[name])


def test_an_optimizer_trains_latent_weights_and_both_scales():
    model = network()
    latent = model[1].weight
    ternarize(model)
    assert model[1].parametrizations.weight.original is latent
    scales = model[1].parametrizations.weight[0].values
    before = [tensor.detach().clone() for tensor in (latent, *scales.parameters())]
    train(model, torch.optim.Adam(model.parameters(), 0.01))
    after = (latent, *scales.parameters())
    assert not any(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert set(model[1].weight.unique().tolist()) == {
        -value(scales.negative), 0.0, value(scales.positive)
    }  # fmt: skip


def test_descent_of_the_scales_alone_lowers_the_loss():
    """With a plus instead of the minus for Wn, as printed in the paper, the loss would rise."""
    torch.manual_seed(3)
    target, latent = -torch.rand(200) - 1, -torch.rand(200) - 0.2
    ternary = ternary_of(latent, TrainedTernary(0.05))
    optimizer = torch.optim.SGD(ternary.parameters(), 1e-3)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = (ternary(latent) - target).square().sum()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[:10] == sorted(losses[:10], reverse=True)
    assert value(ternary.negative) == pytest.approx(float(-target.mean()), abs=1e-3)


def test_a_state_dict_goes_on_where_it_was():
    model, again = network(), network()
    for one in (model, again):
        ternarize(one)
    train(model, torch.optim.Adam(model.parameters(), 0.01))
    again.load_state_dict(model.state_dict())
    found, wanted = plain_tensors(again), plain_tensors(model)
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("zeros", BOTH)
def test_a_trained_ternary_net_comes_back_bit_for_bit(zeros, dtype, tmp_path):
    model = network(dtype)
    ternarize(model, {r"^[0145]\.weight": zeros})
    train(model, torch.optim.SGD(model.parameters(), 1e-4), dtype=dtype)
    export(model, tmp_path / "net.qcodec")
    with qcodec.safe_open(tmp_path / "net.qcodec") as file:
        assert file.info("1.weight").kind == "codebook"
    again = network(dtype)
    load(again, tmp_path / "net.qcodec")
    for name, wanted in plain_tensors(model).items():
        found = plain_tensors(again)[name]
        assert found.dtype == dtype or name.endswith("tracked")
        assert found.flatten().view(torch.uint8).equal(wanted.flatten().view(torch.uint8)), name


@pytest.mark.parametrize("scale", [0.0, -0.5])
def test_scales_that_training_took_to_zero_or_beyond_are_stored_as_they_are(scale):
    latent = torch.tensor([1.0, -1.0, 0.0])
    ternary = ternary_of(latent, TrainedTernary(0.05))
    with torch.no_grad():
        ternary.negative.fill_(scale)
        seen = ternary(latent).numpy()
    assert ternary.quantized(latent).dequantize().tobytes() == seen.tobytes()


def test_ternary_behind_a_mask_keeps_what_is_pruned_at_zero(tmp_path):
    model = network()
    prune(model, {r"^[14]\.weight": Density(0.3)})
    ternarize(model)
    train(model, torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=0.1))
    mask = model[1].parametrizations.weight[0].mask
    assert not model[1].weight[~mask].any()
    assert densities(model)["1.weight"] == pytest.approx(0.3, abs=0.01)
    export(model, tmp_path / "net.qcodec")
    again = network()
    load(again, tmp_path / "net.qcodec")
    assert torch.equal(again[1].weight, model[1].weight)


def test_what_it_cannot_do_is_said():
    with pytest.raises(ValueError, match="between the first and the last"):
        ternarize(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="no parameter matches"):
        ternarize(network(), {"fc": Density(0.5)})
    with pytest.raises(TypeError, match=r"'1.weight': found Quality, allowed TrainedTernary"):
        ternarize(network(), {r"^1\.weight": Quality(1.0)})
    with pytest.raises(TypeError, match=r"'1.weight': found float64"):
        ternarize(network(torch.float64), {r"^1\.weight": Density(0.5)})
