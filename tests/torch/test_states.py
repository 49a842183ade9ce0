"""State dicts fit after any pruning, other settings are refused, assignments take effect."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import qcodec.torch as qt
from qcodec import (
    Affine,
    Codebook,
    Density,
    FixedPoint,
    Quality,
    Sparse,
    Ternary,
    Threshold,
    TrainedTernary,
)
from qcodec.torch import (
    Admm,
    GradualPruning,
    densities,
    export,
    fix_activations,
    fix_points,
    frozen,
    l1,
    l2,
    plain_tensors,
    prune,
    prune_at_price,
    prune_dead_neurons,
    round_centroids,
    share,
    share_at_price,
    share_latent,
    ternarize,
)
from tests.repository import ROOT
from tests.torch.methods import inputs_of, net, trained

pytestmark = pytest.mark.training

WEIGHTS = "weight$"

# ---- state dicts ----

#: Chains after which the number of stored weights depends on the weights.
CHAINS = {
    "quality, share": lambda model: (
        prune(model, {WEIGHTS: Quality(1.0)}),
        share(model, {WEIGHTS: Codebook(3)}),
    ),
    "threshold, share": lambda model: (
        prune(model, {WEIGHTS: Threshold(0.1)}),
        share(model, {WEIGHTS: Codebook(3)}),
    ),
    "share what is stored": lambda model: share(model, {WEIGHTS: Sparse(Codebook(3))}),
    "share three values": lambda model: share(model, {WEIGHTS: Ternary()}),
    "share at a price": lambda model: share_at_price(model, {WEIGHTS: Sparse(Codebook(3))}, 1e-3),
    "prune at a price": lambda model: prune_at_price(model, {WEIGHTS: Sparse(Codebook(3))}, 1e-3),
    "threshold, latent": lambda model: (
        prune(model, {WEIGHTS: Threshold(0.1)}),
        share_latent(model, {WEIGHTS: Codebook(3)}),
    ),
    "threshold, fixed points": lambda model: (
        prune(model, {WEIGHTS: Threshold(0.1)}),
        fix_points(model, {WEIGHTS: FixedPoint(4)}),
    ),
    "threshold, ternary": lambda model: (
        prune(model, {WEIGHTS: Threshold(0.1)}),
        ternarize(model, {WEIGHTS: TrainedTernary(0.05)}),
    ),
}


def constant():
    """Set weights that every rule stores."""
    model = net()
    with torch.no_grad():
        for number in (0, 2, 4):
            model[number].weight.fill_(0.5)
    return model


@pytest.mark.parametrize("chain", CHAINS)
def test_a_state_fits_a_model_that_kept_other_weights(chain):
    models = [net(), trained(net(), seed=3), constant()]
    for model in models:
        CHAINS[chain](model)
    assert len({str(densities(model)) for model in models}) > 1 or "three" in chain
    for source in models:
        for model in map(copy.deepcopy, models):
            model.load_state_dict(source.state_dict())
            assert torch.equal(model(inputs_of(5, 8)), source(inputs_of(5, 8)))
            assert densities(model) == densities(source)


def fixed(bits):
    return lambda model: fix_points(model, {WEIGHTS: FixedPoint(bits)})


def refixed(model):
    fixed(8)(model)
    fixed(3)(model)


def ternary(zeros):
    return lambda model: ternarize(model, {WEIGHTS: zeros})


@pytest.mark.parametrize(
    ("saved", "into"),
    [
        (fixed(3), fixed(8)),
        (refixed, fixed(8)),
        (ternary(Density(0.3)), ternary(TrainedTernary(0.05))),
        (ternary(Density(0.3)), ternary(Density(0.4))),
        (ternary(TrainedTernary(0.05)), ternary(TrainedTernary(0.06))),
    ],
    ids=["bits", "bits changed in between", "rule", "density", "threshold"],
)
def test_a_state_of_other_settings_is_refused(saved, into):
    source, model = net(), net()
    saved(source)
    into(model)
    with pytest.raises(RuntimeError, match=r"0.parametrizations.weight.*settings.*allowed"):
        model.load_state_dict(source.state_dict())


def test_a_copy_of_fixed_points_takes_another_state():
    model, other = net(), net()
    with torch.no_grad():
        other[0].weight *= 64
    for one in (model, other):
        fixed(4)(one)
        one(inputs_of(5, 8))  # the steps have been read
    again = copy.deepcopy(model)
    again.load_state_dict(other.state_dict())
    assert torch.equal(again[0].weight, other[0].weight)


# ---- averages ----


def test_an_average_of_parameters_follows_masks_that_change():
    model = net()
    pruning = GradualPruning(model, {WEIGHTS: Density(0.1)}, 0, 8, every=1)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(8):
        optimizer.zero_grad()
        model(inputs_of(5, 8)).square().mean().backward()
        optimizer.step()
        pruning.step()
        average.update_parameters(model)
    average(inputs_of(5, 8))
    assert densities(average.module) == densities(model)
    for name, weight in plain_tensors(model).items():
        if name in densities(model):
            assert torch.equal(plain_tensors(average.module)[name] != 0, weight != 0)


# ---- assignments, and writes into computed weights ----

METHODS = {
    "prune": lambda model: prune(model, {WEIGHTS: Density(0.5)}),
    "share": lambda model: share(model, {WEIGHTS: Codebook(2)}),
    "share_latent": lambda model: share_latent(model, {WEIGHTS: Codebook(2)}),
    "fix_points": lambda model: fix_points(model, {WEIGHTS: FixedPoint(4)}),
    "ternarize": lambda model: ternarize(model, {WEIGHTS: TrainedTernary(0.05)}),
}


@pytest.mark.parametrize("method", METHODS)
def test_what_is_assigned_to_a_weight_arrives(method):
    model = net()
    METHODS[method](model)
    before = model[0].weight.detach().clone()
    parameters = [id(one) for one in model.parameters()]
    model[0].weight = -before
    assert [id(one) for one in model.parameters()] == parameters
    assert torch.equal(model[0].weight != 0, before != 0)
    if method == "ternarize":  # its two values are separate parameters
        assert torch.equal(model[0].weight.sign(), -before.sign())
    elif method == "fix_points":  # the range has one more negative step
        assert ((model[0].weight + before).abs() <= 2.0**-4).all()
    else:
        torch.testing.assert_close(model[0].weight.detach(), -before)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_written_into_a_computed_weight_is_lost(method):
    """As docs/training.md says, torch computes the weight again at each access."""
    model = net()
    METHODS[method](model)
    before = model[0].weight.detach().clone()
    with torch.no_grad():
        model[0].weight.fill_(1.0)
    assert torch.equal(model[0].weight, before)


# ---- foreign parametrizations are read, not changed ----


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_freezing_a_normed_layer_freezes_all_of_it():
    for norm in (torch.nn.utils.parametrizations.weight_norm, torch.nn.utils.weight_norm):
        model = net()
        norm(model[2])
        with frozen(model, [r"^2\.weight"]):
            names = [name for name, one in model.named_parameters() if not one.requires_grad]
        assert len(names) == 2
        assert all(one.requires_grad for one in model.parameters())


def test_looking_at_spectral_norm_does_not_move_it():
    model = net().train()
    torch.nn.utils.parametrizations.spectral_norm(model[2])
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    plain_tensors(model)
    l2(model, {WEIGHTS: 1.0})()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


# ---- without ml_dtypes ----

_WITHOUT_ML_DTYPES = """
import sys
sys.modules["ml_dtypes"] = None
import tempfile
from pathlib import Path
import torch
from tests.torch.test_situations import check_file, train_a_step
from tests.torch.methods import METHODS, Case, apply, inputs_of, net
make = lambda: net(dtype=torch.bfloat16)
for method in METHODS:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(make(), inputs_of(5, 8, dtype=torch.bfloat16), make, method=method)
        apply(case, Path(folder))
        train_a_step(case)
        check_file(case, Path(folder))
        print(method)
"""


def test_bfloat16_works_without_ml_dtypes():
    command = [sys.executable, "-c", _WITHOUT_ML_DTYPES]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.split()) == 13


# ---- wrong arguments ----

RULES = r"^rules: found .*, allowed"
FIRST = r"^tensor '0.weight': found \w+, allowed"
SHARING = "tensor '0.weight': weight sharing: found affine, allowed is one codebook"
NUMBER = "^tensor '0.weight': strength="

#: What is wrong: the call, its error and what that says.
WRONG = {
    "prune, a number": (lambda m: prune(m, {WEIGHTS: 0.1}), TypeError, FIRST),
    "prune, a codec": (lambda m: prune(m, {WEIGHTS: Codebook(4)}), TypeError, FIRST),
    "prune, no rules": (lambda m: prune(m, {}), ValueError, RULES),
    "prune, no mapping": (lambda m: prune(m, Density(0.1)), TypeError, RULES),
    "prune, no pattern": (lambda m: prune(m, {"(": Density(0.1)}), ValueError, r"'\('"),
    "prune, a number as pattern": (lambda m: prune(m, {3: Density(0.1)}), TypeError, "pattern=3"),
    "prune, no such name": (
        lambda m: prune(m, {"wieght": Density(0.1)}),
        ValueError,
        "no parameter matches 'wieght'; there are '0.bias'",
    ),
    "prune, no model": (
        lambda m: prune(m.state_dict(), {WEIGHTS: Density(0.1)}),
        TypeError,
        "model: found OrderedDict, allowed",
    ),
    "share, a number": (lambda m: share(m, {WEIGHTS: 4}), TypeError, "codec: found int;"),
    "share, a pruning": (
        lambda m: share(m, {WEIGHTS: Density(0.1)}),
        TypeError,
        "codec: found Density;",
    ),
    "share, no rules": (lambda m: share(m, {}), ValueError, RULES),
    "share, nothing to do": (lambda m: share(m, None), ValueError, "quantizes no parameter"),
    "share, no codebook": (lambda m: share(m, {WEIGHTS: Affine(4)}), ValueError, SHARING),
    "share_latent, no codebook": (
        lambda m: share_latent(m, {WEIGHTS: Affine(4)}),
        ValueError,
        SHARING,
    ),
    "share, groups": (
        lambda m: share(m, {WEIGHTS: Codebook(2, per=0)}),
        ValueError,
        "tensor '0.weight': weight sharing: found 16 codebooks",
    ),
    "share_at_price, a negative one": (
        lambda m: share_at_price(m, {WEIGHTS: Codebook(2)}, -1.0),
        ValueError,
        "price=-1.0: allowed",
    ),
    "fix_points, a number": (lambda m: fix_points(m, 8), TypeError, FIRST),
    "fix_points, a codec": (lambda m: fix_points(m, {WEIGHTS: Codebook(4)}), TypeError, FIRST),
    "fix_points, groups": (
        lambda m: fix_points(m, {WEIGHTS: FixedPoint(4, per=0)}),
        ValueError,
        "tensor '0.weight': .*one step",
    ),
    "fix_activations, a codec": (
        lambda m: fix_activations(m, Codebook(4), [inputs_of(5, 8)]),
        TypeError,
        "found Codebook, allowed FixedPoint",
    ),
    "ternarize, a number": (lambda m: ternarize(m, {WEIGHTS: 0.05}), TypeError, FIRST),
    "ternarize, a codec": (lambda m: ternarize(m, {WEIGHTS: Ternary()}), TypeError, FIRST),
    "Admm, a number": (lambda m: Admm(m, {WEIGHTS: 0.1}), TypeError, FIRST),
    "GradualPruning, a quality": (
        lambda m: GradualPruning(m, {WEIGHTS: Quality(1.0)}, 0, 9),
        TypeError,
        FIRST,
    ),
    "frozen, a string": (
        lambda m: frozen(m, "weight").__enter__(),
        TypeError,
        "patterns: found the string 'weight'",
    ),
    "frozen, no such name": (
        lambda m: frozen(m, ["wieght"]).__enter__(),
        ValueError,
        "no parameter matches 'wieght'",
    ),
    "l1, no rules": (lambda m: l1(m, {}), ValueError, RULES),
    "l1, no number": (lambda m: l1(m, {WEIGHTS: "1"}), TypeError, NUMBER),
    "l1, NaN": (lambda m: l1(m, {WEIGHTS: float("nan")}), ValueError, NUMBER),
    "l2, a negative one": (lambda m: l2(m, {WEIGHTS: -1.0}), ValueError, NUMBER),
    "l2, a list": (lambda m: l2(m, ["weight"]), TypeError, RULES),
    "prune_dead_neurons, names alone": (
        lambda m: prune_dead_neurons(m, ["0.weight", "2.weight"]),
        TypeError,
        "layers: found '0.weight', allowed",
    ),
    "prune_dead_neurons, no such name": (
        lambda m: prune_dead_neurons(m, [("9.weight", None), ("2.weight", None)]),
        ValueError,
        "found no tensors '9.weight'",
    ),
    "prune_dead_neurons, no layers": (
        lambda m: prune_dead_neurons(m, []),
        ValueError,
        "layers: found none",
    ),
    "round_centroids, none": (round_centroids, ValueError, "found no shared weights"),
    "round_centroids, float32": (
        lambda m: round_centroids(m, torch.float32),
        ValueError,
        "dtype: found torch.float32, allowed",
    ),
    "export, no model": (
        lambda m: export({}, "net.qcodec"),
        TypeError,
        "model: found dict, allowed",
    ),
    "load, no model": (
        lambda m: qt.load({}, "net.qcodec"),
        TypeError,
        "model: found dict, allowed",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_argument_is_refused_before_anything_changes(wrong):
    call, error, text = WRONG[wrong]
    model = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(error, match=text):
        call(model)
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(one.requires_grad for one in model.parameters())
