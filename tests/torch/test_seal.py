"""The checksum of masks and codes: allowed changes, and detected ones."""

import copy
import io
import pickle

import pytest
import torch

from qcodec import Codebook, Density, FixedPoint, Sparse, TrainedTernary
from qcodec.torch import (
    densities,
    export,
    fix_points,
    plain_tensors,
    prune,
    share,
    share_latent,
    ternarize,
)

pytestmark = pytest.mark.training

CHANGED = "masks or codes of compressed weights were changed"
METHODS = {
    "masked": lambda model: None,
    "shared": lambda model: share(model, {"weight": Codebook(2)}),
    "latent": lambda model: share_latent(model, {"weight": Sparse(Codebook(2))}),
    "ternary": lambda model: ternarize(model, {"weight": TrainedTernary(0.2)}),
    "fixed": lambda model: fix_points(model, {"weight": FixedPoint(4)}),
}


def net(method, seed=0, scale=1.0):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Linear(5, 3))
    with torch.no_grad():
        model[0].weight.mul_(scale)
    prune(model, {"weight": Density(0.6)})
    METHODS[method](model)
    return model


def compressed(model):
    return model[0].parametrizations.weight[0]


def use(model):
    """Every use of the weights that checks the seal."""
    first = next(model.parameters())
    with torch.no_grad():
        model(torch.ones(2, 6, dtype=first.dtype))
    plain_tensors(model)
    return model


def same(one, other):
    first, second = plain_tensors(one), plain_tensors(other)
    return all(torch.equal(first[name], second[name]) for name in first)


def through_a_file(state):
    saved = io.BytesIO()
    torch.save(state, saved)
    saved.seek(0)
    return torch.load(saved)


STATES = {
    "as it is": lambda state: state,
    "copied": copy.deepcopy,
    "pickled": lambda state: pickle.loads(pickle.dumps(state)),
    "saved": through_a_file,
}


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("way", STATES)
@pytest.mark.parametrize("method", METHODS)
def test_state_dicts_are_taken(method, way, assign):
    """State dicts of another model, loaded before and after the first use, and back."""
    for used in (False, True):
        model, other = net(method), net(method, 7, scale=64.0)
        if used:
            use(model)
        model.load_state_dict(STATES[way](other.state_dict()), assign=assign)
        assert same(use(model), other)
        model.load_state_dict(STATES[way](net(method).state_dict()), assign=assign)
        assert same(use(model), net(method))


MOVES = {
    "double": lambda model: model.double(),
    "half": lambda model: model.half(),
    "bfloat16": lambda model: model.to(torch.bfloat16),
    "half and back": lambda model: model.half().float(),
    "cpu": lambda model: model.to("cpu"),
    "share_memory": lambda model: model.share_memory(),
    "eval": lambda model: model.eval(),
    "requires_grad_": lambda model: model.requires_grad_(False),
    "deepcopy": copy.deepcopy,
    "deepcopy twice": lambda model: copy.deepcopy(copy.deepcopy(model)),
    "apply": lambda model: model.apply(lambda module: None),
    "zero_grad": lambda model: model.zero_grad() or model,
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("method", METHODS)
def test_what_torch_does_to_models_is_no_change(method, move, tmp_path):
    for used in (False, True):
        model = net(method)
        if used:
            use(model)
        model = MOVES[move](model)
        use(model)
        if move == "double" and method in ("shared", "latent", "ternary"):
            with pytest.raises(ValueError, match=r"tensor '0.weight': .* float64"):
                export(model, tmp_path / "net.qcodec")  # codebooks have 32 bits at most
        else:
            export(model, tmp_path / "net.qcodec")
        integers = [one.dtype for one in compressed(model).buffers()]
        assert set(integers) <= {torch.uint8, torch.bool, torch.int64}


@pytest.mark.parametrize("method", METHODS)
def test_an_average_of_parameters_alone_is_no_change(method):
    model = net(method)
    average = torch.optim.swa_utils.AveragedModel(model)
    for _ in range(3):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1.1)
        average.update_parameters(model)
    use(average.module)


def integers(method):
    return [name for name, _ in compressed(net(method)).named_buffers()]


WRITTEN = [(method, name) for method in METHODS for name in integers(method)]


def owner(model, name):
    part = compressed(model)
    for step in name.split(".")[:-1]:
        part = getattr(part, step)
    return part, name.split(".")[-1]


def write_in_place(model, name):
    part, name = owner(model, name)
    tensor = getattr(part, name)
    tensor.copy_(~tensor if tensor.dtype == torch.bool else tensor + 1)


def put_another(model, name):
    part, name = owner(model, name)
    tensor = getattr(part, name)
    setattr(part, name, ~tensor if tensor.dtype == torch.bool else tensor + 1)


def load_a_part(model, name):
    state = {key: value for key, value in model.state_dict().items() if key.endswith(name)}
    changed = {key: ~of if of.dtype == torch.bool else of + 1 for key, of in state.items()}
    model.load_state_dict(changed, strict=False)


@pytest.mark.parametrize("write", [write_in_place, put_another])
@pytest.mark.parametrize(("method", "name"), WRITTEN)
def test_what_others_write_is_noticed(method, name, write, tmp_path):
    for used in (False, True):
        model = net(method)
        if used:
            use(model)
        write(model, name)
        for one in (model, copy.deepcopy(model)):
            with pytest.raises(ValueError, match=CHANGED):
                one(torch.ones(2, 6))
            with pytest.raises(ValueError, match=CHANGED):
                export(one, tmp_path / "net.qcodec")
            with pytest.raises(ValueError, match=CHANGED):
                plain_tensors(one)
            with pytest.raises(ValueError, match=CHANGED):
                densities(one)


@pytest.mark.parametrize("method", ["masked", "shared", "latent"])
def test_a_mask_from_a_state_without_its_seal_is_noticed(method):
    model = net(method)
    load_a_part(model, "mask")
    with pytest.raises(ValueError, match=CHANGED):
        use(model)


@pytest.mark.parametrize("method", METHODS)
def test_an_average_that_takes_buffers_in_is_noticed(method):
    """EMA averages the masks of two models into one that keeps other weights than both."""
    model, other = net(method), net(method, 7)
    state = {
        name: ((of.double() + other.state_dict()[name].double()) / 2).to(of.dtype)
        for name, of in model.state_dict().items()
    }
    if method == "ternary":  # half of its settings are no settings of its own
        with pytest.raises(RuntimeError, match="found settings"):
            model.load_state_dict(state)
    else:
        model.load_state_dict(state)
        with pytest.raises(ValueError, match=CHANGED):
            use(model)


@pytest.mark.parametrize("times", range(4))
@pytest.mark.parametrize("method", METHODS)
def test_a_copy_remembers_nothing_of_the_tensors_of_the_original(method, times):
    """The tensors of a copy count versions from 0, and may reach those of the original."""
    model, other = net(method), net(method, 7, scale=64.0)
    for _ in range(times):
        METHODS[method](model)
        METHODS[method](other)
    use(model)
    for loads in range(1, 4):
        copied = copy.deepcopy(model)
        for _ in range(loads):
            copied.load_state_dict(other.state_dict())
        assert same(copied, other)
        broken = copy.deepcopy(model)
        for _ in range(loads):
            write_in_place(broken, "mask")
            compressed(broken).mask[0, 0] = ~compressed(model).mask[0, 0]
        with pytest.raises(ValueError, match=CHANGED):
            use(broken)
