"""ADMM: exact projections, the squared penalty, and a known fixed point."""

import copy
import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from qcodec import (
    Affine,
    Codebook,
    Density,
    FixedPoint,
    Lossless,
    NOfM,
    Quality,
    Sparse,
    Ternary,
)
from qcodec.torch import Admm, Run, densities, fit, prune


def layer(values):
    """A layer of one row of weights."""
    weights = torch.tensor([values])
    model = nn.Linear(weights.shape[1], 1, bias=False).to(weights.dtype)
    model.weight.data.copy_(weights)
    return model


def projected(model, constraint):
    """The first Z: the projection of the weights."""
    return Admm(model, {"weight": constraint}).state_dict()["weight"]["z"].flatten().numpy()


def nearest_sparse(values, kept):
    """The nearest sparse tensor, found by trying all supports of this size."""
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
    """Minimise a quadratic plus the penalty exactly, then update: textbook ADMM."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(rounds):
        for _ in range(60):
            optimizer.zero_grad()
            difference = model.weight - target
            (0.5 * (curvature * difference.square()).sum() + admm.penalty()).backward()
            optimizer.step()
        admm.update()


def test_it_ends_at_the_known_solution_of_a_separable_quadratic():
    """f = sum c/2 (w - t)^2 with one weight: the weight with the greatest c/2 t^2 is kept.

    Magnitudes at the minimum of the loss alone would keep another weight.
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
    assert magnitude.weight[0, 1] == 0  # pruning by magnitude at once loses the wrong weight


def test_at_the_fixed_point_the_multiplier_is_the_gradient_of_the_loss():
    """At the fixed point W = Z and rho * U = -grad f(W)."""
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


REFUSED = {
    "too many weights": ({"weight": 7}, 1.0, ValueError, "'0.weight': found 7 weights to keep"),
    "fewer than none": ({"weight": -1}, 1.0, ValueError, "allowed are 0 to 6"),
    "a float": ({"weight": 0.1}, 1.0, TypeError, "'0.weight': found float, allowed Density"),
    "a bool": ({"weight": True}, 1.0, TypeError, "'0.weight': found bool"),
    "a quality": ({"weight": Quality(1.0)}, 1.0, TypeError, "'0.weight': found Quality"),
    "no constraint": ({}, 1.0, ValueError, "found none, allowed is at least one"),
    "no mapping": (Density(0.1), 1.0, TypeError, "found Density, allowed is a mapping"),
    "no such tensor": ({"bias": 1}, 1.0, ValueError, "no parameter matches"),
    "no rho for it": ({"weight": 1}, {"other": 1.0}, ValueError, "no rho for it"),
    "rho 0": ({"weight": 1}, 0.0, ValueError, "allowed is more than 0"),
    "rho NaN": ({"weight": 1}, float("nan"), ValueError, "found rho=nan"),
    "rho infinite": ({"weight": 1}, float("inf"), ValueError, "finite"),
    "rho a string": ({"weight": 1}, "1", TypeError, "found rho='1', allowed is a number"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name):
    constraints, rho, kind, message = REFUSED[name]
    model = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(2, 3, bias=False))
    with pytest.raises(kind, match=message):
        Admm(model, constraints, rho)


# ---- all tensors or none ----


def two_layers():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 2, bias=False))
    admm = Admm(model, {"0": 3, "1": Codebook(1)}, rho={"0": 0.5, "1": 2.0})
    with torch.no_grad():
        model[0].weight.add_(0.1)
        model[1].weight.add_(0.1)
    return model, admm


def contents(admm):
    return {
        name: (of["z"].tolist(), of["u"].tolist(), of["rho"])
        for name, of in admm.state_dict().items()
    }


def with_part(state, **changed):
    return {**state, "1.weight": {**state["1.weight"], **changed}}


STATES = {
    "nothing": (lambda state: {}, ValueError, r"found \[\], allowed \['0.weight'"),
    "another tensor": (lambda state: {**state, "2.weight": {}}, ValueError, "2.weight"),
    "no u": (
        lambda state: {**state, "1.weight": {"z": torch.zeros(2, 4), "rho": 1.0}},
        ValueError, "'1.weight': found .* allowed are rho, u and z",
    ),
    "z of another shape": (
        lambda state: with_part(state, z=torch.zeros(4, 2)),
        ValueError, r"'1.weight': found z of shape \(4, 2\), allowed is \(2, 4\)",
    ),
    "u that is no tensor": (lambda state: with_part(state, u=0.0), ValueError, "found u"),
    "rho 0": (lambda state: with_part(state, rho=0.0), ValueError, "'1.weight': found rho=0.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_a_state_of_others_is_refused_before_anything_is_loaded(name):
    make, kind, message = STATES[name]
    _, other = two_layers()
    other.update()
    other.grow(3.0)
    _, admm = two_layers()
    before = contents(admm)
    with pytest.raises(kind, match=message):
        admm.load_state_dict(make(other.state_dict()))
    assert contents(admm) == before
    admm.load_state_dict(other.state_dict())
    assert contents(admm) == contents(other) != before


@pytest.mark.parametrize("step", ["update", "prune"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_stops_all_tensors(step, bad):
    model, admm = two_layers()
    before, names = contents(admm), list(model.state_dict())
    with torch.no_grad():
        model[1].weight[0, 0] = bad
    with pytest.raises(ValueError, match=r"'1\.weight'.*NaN"):
        getattr(admm, step)()
    assert contents(admm) == before
    assert list(model.state_dict()) == names


@pytest.mark.parametrize("factor", [0, -1.0, float("nan"), float("inf"), 1e-300, 1e308, "2"])
def test_a_factor_that_leaves_no_rho_is_refused(factor):
    _, admm = two_layers()
    admm.update()
    before = contents(admm)
    with pytest.raises((ValueError, TypeError), match="allowed"):
        admm.grow(factor)
    assert contents(admm) == before


# ---- element types and devices ----

CODECS = [Codebook(2), FixedPoint(4), Ternary(), Affine(4), Sparse(Codebook(2), Density(0.5))]


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.codec_id)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_z_is_what_the_codec_decodes_to_in_every_type(dtype, codec):
    torch.manual_seed(0)
    model = nn.Linear(16, 16, bias=False).to(dtype)
    admm = Admm(model, {"weight": codec}, rho=1.0)
    z = admm.state_dict()["weight"]["z"]
    decoded = torch.from_numpy(codec.quantize(model.weight).dequantize("float64"))
    assert z.dtype == dtype
    assert torch.equal(z, decoded.to(dtype))
    admm.update()
    admm.penalty().backward()
    assert model.weight.grad.isfinite().all()


WITHOUT_ML_DTYPES = """
import sys
sys.modules["ml_dtypes"] = None
import torch, qcodec
from qcodec.torch import Admm
torch.manual_seed(0)
layer = torch.nn.Linear(16, 16).bfloat16()
for codec in (qcodec.Codebook(2), qcodec.FixedPoint(4), qcodec.Ternary(), qcodec.Affine(4)):
    admm = Admm(layer, {"weight": codec})
    assert admm.residual()["weight"] < 0.4, codec
"""


def test_bfloat16_needs_no_ml_dtypes():
    subprocess.run([sys.executable, "-c", WITHOUT_ML_DTYPES], check=True)


def test_squares_of_float16_do_not_become_infinite():
    model = layer([60000.0, -60000.0]).half()
    admm = Admm(model, {"weight": 0}, rho=1.0)
    assert float(admm.penalty().detach()) == pytest.approx(60000.0**2)
    assert admm.residual()["weight"] == 1.0


def test_z_does_not_share_memory_with_the_weights():
    model = layer([1.0, 2.0])
    admm = Admm(model, {"weight": Lossless()}, rho=2.0)
    with torch.no_grad():
        model.weight.add_(1.0)
    assert float(admm.penalty().detach()) == 2.0


def test_admm_made_in_inference_mode_can_be_trained_with():
    model = layer([1.0, 2.0])
    with torch.inference_mode():
        admm = Admm(model, {"weight": 1}, rho=1.0)
        admm.update()
        admm.grow(2.0)
    state = admm.state_dict()["weight"]
    assert not state["z"].is_inference()
    assert not state["u"].is_inference()
    admm.penalty().backward()
    assert model.weight.grad.any()


@pytest.fixture
def mesh(tmp_path):
    """A mesh of this process alone."""
    from torch.distributed import destroy_process_group, init_process_group
    from torch.distributed.device_mesh import init_device_mesh

    init_process_group("gloo", init_method=f"file://{tmp_path / 'store'}", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    destroy_process_group()


@pytest.mark.parametrize("sharded", ["before", "after"])
def test_sharded_weights_are_taken_as_a_whole(mesh, sharded):
    from torch.distributed.fsdp import fully_shard

    def trained(shard):
        torch.manual_seed(0)
        model = nn.Linear(4, 3)
        if shard == "before":
            fully_shard(model, mesh=mesh)
        admm = Admm(model, {"weight": 4}, rho=0.5)
        if shard == "after":
            fully_shard(model, mesh=mesh)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (model(torch.ones(2, 4)).square().sum() + admm.penalty()).backward()
            optimizer.step()
            admm.update()
        weight = model.weight.full_tensor() if shard else model.weight
        return weight.detach(), admm.state_dict()["weight"]["z"], admm.residual()

    plain, of_shards = trained(None), trained(sharded)
    assert torch.equal(plain[0], of_shards[0])
    assert torch.equal(plain[1], of_shards[1])
    assert plain[2] == of_shards[2]
