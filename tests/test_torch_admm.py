"""ADMM: exact projections, the squared penalty, and a fixed point that is known."""

import copy
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from qcodec import Codebook, Density, NOfM, Sparse  # noqa: E402
from qcodec.torch import Admm, Run, densities, fit, prune  # noqa: E402


def layer(values):
    """A layer of one row of weights."""
    weights = torch.tensor([values])
    model = nn.Linear(weights.shape[1], 1, bias=False).to(weights.dtype)
    model.weight.data.copy_(weights)
    return model


def projected(model, constraint):
    """Z as it begins: the projection of the weights."""
    return Admm(model, {"weight": constraint}).state_dict()["weight"]["z"].flatten().numpy()


def nearest_sparse(values, kept):
    """By trying all supports of this size."""
    candidates = []
    for support in itertools.combinations(range(len(values)), kept):
        candidate = np.zeros_like(values)
        candidate[list(support)] = values[list(support)]
        candidates.append(candidate)
    return min(candidates, key=lambda candidate: np.square(values - candidate).sum())


@pytest.mark.parametrize("kept", range(9))
@pytest.mark.parametrize("seed", range(3))
def test_a_number_of_weights_is_projected_onto_exactly(kept, seed):
    values = np.random.default_rng(seed).standard_normal(8).astype(np.float32)
    expected = nearest_sparse(values, kept)
    model = layer(values.tolist())
    np.testing.assert_array_equal(projected(model, kept), expected)
    np.testing.assert_array_equal(projected(model, Density(kept / 8)), expected)


def test_n_of_m_is_projected_onto_exactly():
    values = np.random.default_rng(5).standard_normal(12).astype(np.float32)
    expected = np.concatenate([nearest_sparse(part, 2) for part in values.reshape(3, 4)])
    np.testing.assert_array_equal(projected(layer(values.tolist()), NOfM(2, 4)), expected)


def test_few_shared_values_are_projected_onto_exactly():
    values = np.random.default_rng(6).standard_normal(7).astype(np.float32)
    found = projected(layer(values.tolist()), Codebook(1))
    ordered = np.sort(values.astype(np.float64))
    errors = [
        sum(np.square(part - part.mean()).sum() for part in (ordered[:cut], ordered[cut:]))
        for cut in range(1, 7)
    ]
    assert len(np.unique(found)) == 2
    assert np.square(values - found).sum() == pytest.approx(min(errors), rel=1e-5)


def test_sparse_and_shared_values_are_both_kept_to():
    torch.manual_seed(0)
    model = nn.Linear(40, 10)
    admm = Admm(model, {"weight": Sparse(Codebook(2), Density(0.1))})
    admm.update()
    z = admm.state_dict()["weight"]["z"]
    assert int(z.count_nonzero()) <= 40
    assert len(z.unique()) <= 5
    admm.prune()
    assert densities(model)["weight"] <= 0.1


def test_the_penalty_is_half_rho_times_the_squared_distance():
    model = layer([1.0, 4.0, -2.0])
    admm = Admm(model, {"weight": 1}, rho=0.5)  # Z = (0, 4, 0)
    assert float(admm.penalty().detach()) == 0.5 / 2 * (1 + 4)  # unsquared: sqrt(5) / 4
    admm.update()  # U = (1, 0, -2): W - Z + U = (2, 0, -4)
    assert float(admm.penalty().detach()) == 0.5 / 2 * (4 + 16)


def test_the_gradient_of_the_penalty_is_that_of_finite_differences():
    model = layer([1.0, 4.0, -2.0, 0.25]).double()
    other = nn.Sequential(model, layer([3.0, 1.0]).double())
    admm = Admm(other, {"^0": 2, "^1": 1}, rho={"^0": 0.3, "^1": 0.7})
    admm.update()
    admm.penalty().backward()
    for parameter in other.parameters():
        for index in range(parameter.numel()):
            ends = []
            for step in (1e-4, -1e-4):
                with torch.no_grad():
                    parameter.view(-1)[index] += step
                    ends.append(float(admm.penalty()))
                    parameter.view(-1)[index] -= step
            slope = (ends[0] - ends[1]) / 2e-4
            assert float(parameter.grad.view(-1)[index]) == pytest.approx(slope, abs=1e-8)


def descend(model, admm, target, curvature, rounds):
    """Minimise a quadratic and the penalty exactly, then update: ADMM as it is written."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(rounds):
        for _ in range(60):
            optimizer.zero_grad()
            difference = model.weight - target
            (0.5 * (curvature * difference.square()).sum() + admm.penalty()).backward()
            optimizer.step()
        admm.update()


def test_it_ends_at_the_known_solution_of_a_separable_quadratic():
    """f = sum c/2 (w - t)^2 with one weight: the one with the greatest c/2 t^2 is to be kept.

    The magnitudes of what the loss alone would give say another one.
    """
    target = torch.tensor([[1.2, 1.0]])
    curvature = torch.tensor([[1.0, 4.0]])
    model = layer([1.2, 1.0])
    admm = Admm(model, {"weight": 1}, rho=2.0)
    descend(model, admm, target, curvature, 60)
    assert admm.residual()["weight"] < 1e-3
    torch.testing.assert_close(model.weight.data, torch.tensor([[0.0, 1.0]]), atol=2e-3, rtol=0)
    magnitude = layer([1.2, 1.0])
    prune(magnitude, {"weight": Density(0.5)})
    assert magnitude.weight[0, 1] == 0  # cut off at once, the wrong one is lost


def test_at_the_fixed_point_the_multiplier_is_the_gradient_of_the_loss():
    """Nothing moves any more: W = Z, and rho * U = -grad f(W)."""
    target, curvature = torch.tensor([[3.0, -0.5, 0.25]]), torch.tensor([[1.0, 1.0, 2.0]])
    model = layer([3.0, -0.5, 0.25])
    admm = Admm(model, {"weight": 1}, rho=0.8)
    descend(model, admm, target, curvature, 80)
    state = admm.state_dict()["weight"]
    torch.testing.assert_close(model.weight.data, state["z"], atol=1e-4, rtol=0)
    gradient = curvature * (model.weight.data - target)
    torch.testing.assert_close(0.8 * state["u"], -gradient, atol=1e-3, rtol=0)


def test_growing_rho_keeps_the_multipliers():
    model = layer([1.0, 4.0, -2.0])
    admm = Admm(model, {"weight": 1}, rho=0.5)
    admm.update()
    before = admm.state_dict()["weight"]
    admm.grow(4.0)
    after = admm.state_dict()["weight"]
    assert after["rho"] == 2.0
    assert torch.equal(after["rho"] * after["u"], before["rho"] * before["u"])
    assert torch.equal(after["z"], before["z"])


def test_the_residual_is_the_part_of_the_weights_that_is_not_there_yet():
    admm = Admm(layer([3.0, 4.0]), {"weight": 1})
    assert admm.residual()["weight"] == pytest.approx(3 / 5)


def test_weights_that_were_masked_stay_so():
    model = layer([1.0, 4.0, -2.0])
    prune(model, {"weight": Density(2 / 3)})
    admm = Admm(model, {"weight": 1}, rho=1.0)
    admm.penalty().backward()
    assert model.parametrizations.weight.original.grad[0, 0] == 0
    admm.prune()
    assert model.weight.tolist() == [[0.0, 4.0, 0.0]]


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path):
    inputs, targets = torch.randn(64, 10), torch.arange(64) % 3
    start = nn.Linear(10, 3)

    def trained(folder, stops):
        for epochs in stops:
            model = copy.deepcopy(start)
            admm = Admm(model, {"weight": 6}, rho=0.1)

            def after_epoch(epoch, admm=admm):
                admm.update()
                admm.grow(1.1)

            fit(
                model,
                [(inputs, targets)],
                torch.optim.Adam(model.parameters(), 0.01),
                epochs,
                run=Run(folder, {}),
                penalty=admm.penalty,
                after_epoch=after_epoch,
                extras={"admm": admm},
            )
        return model.weight, admm.state_dict()["weight"]

    whole, state = trained(tmp_path / "whole", [6])
    parts, state_of_parts = trained(tmp_path / "parts", [2, 6])
    assert torch.equal(whole, parts)
    assert torch.equal(state["u"], state_of_parts["u"])
    assert state["rho"] == state_of_parts["rho"]


def test_what_cannot_be_meant_is_refused():
    model = layer([1.0, 2.0])
    with pytest.raises(ValueError, match=r"found 3 weights to keep, allowed are 0 to 2"):
        Admm(model, {"weight": 3})
    with pytest.raises(ValueError, match="no parameter matches"):
        Admm(model, {"bias": 1})
    with pytest.raises(ValueError, match="no rho for it"):
        Admm(model, {"weight": 1}, rho={"other": 1.0})
    with pytest.raises(ValueError, match="allowed is more than 0"):
        Admm(model, {"weight": 1}, rho=0.0)
    with pytest.raises(ValueError, match="allowed"):
        Admm(model, {"weight": 1}).load_state_dict({})
