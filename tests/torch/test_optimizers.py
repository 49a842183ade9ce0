"""Optimizers made before a method continue, or ask for a new optimizer; frozen weights."""

import copy

import pytest
import torch

from qcodec import Codebook, Density, FixedPoint, Sparse, TrainedTernary
from qcodec.torch import (
    GradualPruning,
    export,
    fix_points,
    frozen,
    load,
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
from qcodec.torch.tensors import places

pytestmark = pytest.mark.training

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.01, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, 0.01, foreach=False),
    "adam, foreach": lambda p: torch.optim.Adam(p, 0.01, foreach=True),
    "adam, fused": lambda p: torch.optim.Adam(p, 0.01, fused=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, momentum=0.9),
    "lbfgs": lambda p: torch.optim.LBFGS(p, 0.1, max_iter=2),
}


def load_shared(model, folder):
    export(model, folder / "net.qcodec")
    load(model, folder / "net.qcodec")


def nothing(model, folder):
    pass


METHODS = {
    "nothing": nothing,
    "prune": lambda model, _: prune(model, {"weight": Density(0.5)}),
    "prune gradually": lambda model, _: GradualPruning(model, {"weight": Density(0.5)}, 0, 4),
    "prune at price": lambda model, _: prune_at_price(
        model, {"weight": Sparse(Codebook(2))}, 0.001
    ),
    "prune dead neurons": lambda model, _: prune_dead_neurons(
        model, [("0.weight", "0.bias"), ("2.weight", "2.bias")]
    ),
    "share": lambda model, _: share(model, {"weight": Codebook(2)}),
    "share in 3 bits": lambda model, _: share(model, {"weight": Codebook(3)}),
    "share as many as there are": lambda model, _: share(model, {"^0.bias": Codebook(3)}),
    "share at price": lambda model, _: share_at_price(
        model, {"weight": Sparse(Codebook(2))}, 0.001
    ),
    "round centroids": lambda model, _: round_centroids(model),
    "latent": lambda model, _: share_latent(model, {"weight": Codebook(2)}),
    "fix": lambda model, _: fix_points(model, {"weight": FixedPoint(4)}),
    "fix in 6 bits": lambda model, _: fix_points(model, {"weight": FixedPoint(6)}),
    "ternarize": lambda model, _: ternarize(model, {"weight": TrainedTernary(0.2)}),
    "load": load_shared,
}

#: What was done before the optimizer was made, and what after.
REPLACING = [
    ("nothing", "share"),
    ("prune", "share"),
    ("nothing", "share at price"),
    ("nothing", "share as many as there are"),
    ("latent", "share"),
    ("fix", "share"),
    ("ternarize", "share"),
    ("share", "share in 3 bits"),
    ("share", "load"),
    ("share as many as there are", "load"),
    ("share", "fix"),
    ("share", "latent"),
    ("share", "ternarize"),
    ("ternarize", "ternarize"),
    ("ternarize", "fix"),
    ("ternarize", "latent"),
    ("ternarize", "load"),
]
KEEPING = [
    ("nothing", "prune"),
    ("prune", "prune gradually"),
    ("nothing", "prune at price"),
    ("nothing", "prune dead neurons"),
    ("nothing", "latent"),
    ("latent", "latent"),
    ("nothing", "fix"),
    ("fix", "fix in 6 bits"),
    ("latent", "fix"),
    ("fix", "latent"),
    ("nothing", "ternarize"),
    ("fix", "ternarize"),
    ("share", "prune"),
    ("share", "round centroids"),
    ("share", "share"),  # as many values in the same order: centroids stay
    ("prune", "load"),
    ("fix", "load"),
]


def net():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 6))


def inputs():
    return torch.randn(16, 6, generator=torch.Generator().manual_seed(1))


def train(model, optimizer, steps=1, set_to_none=True):
    def loss():
        optimizer.zero_grad(set_to_none=set_to_none)
        value = (model(inputs()) - 1).square().mean()
        value.backward()
        return value

    for _ in range(steps):
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(loss)
        else:
            loss()
            optimizer.step()


def kept(tensors):
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def moved(before, after, names):
    return {name: not torch.equal(before[name], after[name]) for name in names}


def optimizer_state(optimizer):
    return copy.deepcopy(optimizer.state_dict())


def equal_states(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal_states(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal_states, one, other))
    return one == other


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("before", "method"), REPLACING)
def test_an_optimizer_of_replaced_parameters_says_so(before, method, name, tmp_path):
    model = net()
    METHODS[before](model, tmp_path)
    optimizer = OPTIMIZERS[name](model.parameters())
    train(model, optimizer)
    METHODS[method](model, tmp_path)
    weights, momenta = kept(model.state_dict()), optimizer_state(optimizer)
    with pytest.raises(RuntimeError, match="make a new optimizer") as raised:
        train(model, optimizer)
    assert ".weight" in str(raised.value) or ".bias" in str(raised.value)
    assert type(optimizer).__name__ in str(raised.value)
    assert same(kept(model.state_dict()), weights)
    assert equal_states(optimizer_state(optimizer), momenta)
    seen = kept(plain_tensors(model))
    train(model, OPTIMIZERS[name](model.parameters()), 5)
    assert all(moved(seen, plain_tensors(model), seen).values())


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("before", "method"), KEEPING)
def test_an_optimizer_of_parameters_that_stay_goes_on(before, method, name, tmp_path):
    model = net()
    METHODS[before](model, tmp_path)
    optimizer = OPTIMIZERS[name](model.parameters())
    train(model, optimizer, 2)
    held = [id(one) for group in optimizer.param_groups for one in group["params"]]
    momenta = optimizer_state(optimizer)
    METHODS[method](model, tmp_path)
    assert {id(one) for one in model.parameters()} >= set(held)
    assert equal_states(optimizer_state(optimizer), momenta)
    originals = {place.name: place.original for place in places(model)}
    start = kept(originals)
    train(model, optimizer, 3)
    assert all(moved(start, originals, start).values())
    for parameter, of in optimizer.state.items():
        for key in ("momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg"):
            assert of.get(key, parameter).shape == parameter.shape


def test_an_optimizer_that_holds_none_of_them_goes_on():
    model = net()
    optimizer = torch.optim.SGD(model[2].parameters(), 0.1)
    share(model, {"^0.weight": Codebook(2)})
    train(model, optimizer)


def test_an_optimizer_of_another_model_or_a_copy_goes_on():
    model = net()
    other = copy.deepcopy(model)
    optimizer = torch.optim.SGD(other.parameters(), 0.1, momentum=0.9)
    share(model, {"weight": Codebook(2)})
    train(other, optimizer, 2)


@pytest.mark.parametrize("method", ["share", "latent", "fix", "ternarize", "prune"])
def test_gradients_of_before_do_not_disturb(method, tmp_path):
    """An old gradient has the shape of the old weights; a new optimizer would zero it in place."""
    model = net()
    model(inputs()).square().sum().backward()
    METHODS[method](model, tmp_path)
    for name, parameter in model.named_parameters():
        assert parameter.grad is None or parameter.grad.shape == parameter.shape, name
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    seen = kept(plain_tensors(model))
    train(model, optimizer, 2, set_to_none=False)
    assert all(moved(seen, plain_tensors(model), seen).values())


FUSED = """
import sys, torch, qcodec
from qcodec.torch import export, load, share
torch.manual_seed(0)
for way in ("share", "load", "ternarize"):
    layer, x = torch.nn.Linear(256, 256, bias=False), torch.randn(4, 256)
    if way != "share":
        share(layer, {"weight": qcodec.Codebook(3)})
    optimizer = torch.optim.Adam(layer.parameters(), 1e-3, fused=True)
    def step():
        optimizer.zero_grad()
        layer(x).square().mean().backward()
        optimizer.step()
    step()
    if way == "load":
        export(layer, sys.argv[1])
        load(layer, sys.argv[1])
    elif way == "share":
        share(layer, {"weight": qcodec.Codebook(3)})
    else:
        qcodec.torch.ternarize(layer, {"weight": qcodec.TrainedTernary(0.1)})
    refused = 0
    for _ in range(20):
        try:
            step()
        except RuntimeError as error:
            refused += "make a new optimizer" in str(error)
    print(way, refused)
"""


def test_a_fused_optimizer_never_reads_momenta_of_another_shape(run_python, tmp_path):
    """Runs in its own process, because a fault would read and write beyond the momenta's end."""
    found = run_python(FUSED, tmp_path / "net.qcodec").split()
    assert found == ["share", "20", "load", "20", "ternarize", "20"]


FREEZABLE = [name for name in METHODS if name not in ("nothing", "load", "round centroids")]


FREEZING = [
    (first, second)
    for first in FREEZABLE
    for second in [*FREEZABLE, "load"]
    if second != "prune dead neurons" or first not in ("latent", "ternarize")  # refused
]


@pytest.mark.parametrize(("first", "second"), FREEZING)
def test_frozen_weights_stay_frozen_through_every_method(first, second, tmp_path):
    model = net()
    model[0].requires_grad_(False)
    for method in (first, second):
        METHODS[method](model, tmp_path)
        assert not any(one.requires_grad for one in model[0].parameters())
        assert all(one.requires_grad for one in model[2].parameters())
        before = kept(plain_tensors(model))
        train(model, torch.optim.SGD(model.parameters(), 0.5, weight_decay=0.1), 3)
        wanted = {name: name.startswith("2") for name in before}
        assert moved(before, plain_tensors(model), before) == wanted


@pytest.mark.parametrize("method", ["nothing", *FREEZABLE])
def test_within_frozen_nothing_moves_and_afterwards_all_does(method, tmp_path):
    model = net()
    METHODS[method](model, tmp_path)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=0.1)
    train(model, optimizer)
    before = kept(plain_tensors(model))
    with frozen(model, ["^0"]):
        train(model, optimizer, 2)
        assert moved(before, plain_tensors(model), ["0.weight", "0.bias"]) == {
            "0.weight": False,
            "0.bias": False,
        }
    assert all(one.requires_grad for one in model.parameters())
    train(model, optimizer, 2)
    assert all(moved(before, plain_tensors(model), before).values())


@pytest.mark.parametrize("method", FREEZABLE)
def test_parameters_that_a_method_makes_within_frozen_are_trained_afterwards(method, tmp_path):
    model = net()
    with frozen(model, ["^0"]):
        METHODS[method](model, tmp_path)
        assert not any(one.requires_grad for one in model[0].parameters())
    assert all(one.requires_grad for one in model.parameters())


def test_an_error_within_frozen_releases_what_was_frozen():
    model = net()
    model[0].bias.requires_grad_(False)
    ternarize(model, {"weight": TrainedTernary(0.2)})
    with pytest.raises(KeyError, match="the user's own"), frozen(model, ["^0"]):
        raise KeyError("the user's own")
    flags = {name: one.requires_grad for name, one in model.named_parameters()}
    assert [name for name, needed in flags.items() if not needed] == ["0.bias"]


def trained_file(method, threads, folder):
    """A file of weights trained for some steps with a number of threads.

    Gradients of the weights are given, because torch's matrix products differ in bits between one
    thread and two.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        torch.manual_seed(0)
        model = torch.nn.Linear(256, 512)
        prune(model, {"weight": Density(0.5)})
        METHODS[method](model, folder)
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
        for _ in range(4):
            optimizer.zero_grad()
            model.weight.backward(torch.randn(512, 256))
            optimizer.step()
        export(model, folder / "net.qcodec")
        return (folder / "net.qcodec").read_bytes()
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("method", ["nothing", "share", "latent", "fix", "ternarize"])
def test_the_same_seed_gives_the_same_file_whatever_the_number_of_threads(method, tmp_path):
    one = trained_file(method, 1, tmp_path)
    assert trained_file(method, 2, tmp_path) == one
    assert trained_file(method, 2, tmp_path) == one


@pytest.mark.parametrize("method", ["fix", "latent", "ternarize"])
def test_gradients_of_the_weights_that_were_are_cleared_and_of_the_same_kind_kept(method):
    change = {
        "fix": lambda model, bits: fix_points(model, {"weight": FixedPoint(bits)}),
        "latent": lambda model, bits: share_latent(model, {"weight": Codebook(bits)}),
        "ternarize": lambda model, _: ternarize(model, {"weight": Density(0.5)}),
    }[method]
    model, inputs = torch.nn.Linear(16, 16), torch.randn(4, 16)
    model(inputs).square().sum().backward()
    change(model, 3)
    original = model.parametrizations.weight.original
    assert original.grad is None
    model(inputs).square().sum().backward()
    change(model, 3)  # assigns latent weights again between steps that accumulate gradients
    assert (original.grad is None) == (method == "ternarize")
