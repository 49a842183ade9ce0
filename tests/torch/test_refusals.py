"""All or nothing: a refusal names its cause and leaves the model exactly as it was."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch.nn.utils.prune import l1_unstructured

import qcodec
from qcodec import Affine, Codebook, Density, FixedPoint, Sparse, TrainedTernary
from qcodec.codecs.pruning import Pruning
from qcodec.torch import (
    Admm,
    GradualPruning,
    export,
    fix_points,
    load,
    prune,
    prune_at_price,
    prune_dead_neurons,
    round_centroids,
    share,
    share_at_price,
    share_latent,
    share_latent_at_price,
    ternarize,
)
from qcodec.torch.tensors import places

pytestmark = pytest.mark.training

BOOK, SPARSE = Codebook(2), Sparse(Codebook(2))
LAYERS = [(f"{number}.weight", f"{number}.bias") for number in (0, 2, 4)]

METHODS = {
    "prune": lambda model: prune(model, {"weight": Density(0.5)}),
    "GradualPruning": lambda model: GradualPruning(model, {"weight": Density(0.5)}, 0, 4),
    "prune_at_price": lambda model: prune_at_price(model, {"weight": SPARSE}, 0.01),
    "prune_dead_neurons": lambda model: prune_dead_neurons(model, LAYERS),
    "share": lambda model: share(model, {"weight": BOOK}),
    "share_at_price": lambda model: share_at_price(model, {"weight": SPARSE}, 0.01),
    "share_latent": lambda model: share_latent(model, {"weight": BOOK}),
    "share_latent_at_price": lambda model: share_latent_at_price(model, {"weight": SPARSE}, 0.01),
    "fix_points": lambda model: fix_points(model, {"weight": FixedPoint(4)}),
    "ternarize": lambda model: ternarize(model, {"weight": TrainedTernary(0.2)}),
}
NEED_FINITE = METHODS.keys() - {"prune_dead_neurons"}
NEED_32_BITS = {name for name in METHODS if name.startswith("share")} | {"ternarize"}
REPLACE = NEED_32_BITS - {"share_latent", "share_latent_at_price"}

#: What a model may have been through before.
STARTS = {
    "plain": lambda model: None,
    "pruned": METHODS["prune"],
    "shared": METHODS["share"],
    "ternary": METHODS["ternarize"],
    "fixed": METHODS["fix_points"],
}


def net():
    torch.manual_seed(0)
    layers = [torch.nn.Linear(6, 6) for _ in range(3)]
    model = torch.nn.Sequential(
        layers[0], torch.nn.BatchNorm1d(6), layers[1], torch.nn.Dropout(), layers[2]
    )
    model[1].eval()
    model[0].weight.requires_grad_(False)
    model(torch.randn(4, 6)).square().sum().backward()
    return model


def original(model, number):
    return next(one for one in places(model) if one.name == f"{number}.weight").original


def snapshot(model):
    """Everything that a method could change: objects, bytes, gradients, hooks, modes, classes."""
    found = {}
    for name, module in model.named_modules(remove_duplicate=False):
        hooks = {key: list(of) for key, of in vars(module).items() if key.endswith("_hooks")}
        found[name] = (id(module), type(module), module.training, hooks, list(module._modules))
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    for name, tensor in tensors:
        gradient = None if tensor.grad is None else contents(tensor.grad)
        found[f"{name}:"] = (id(tensor), contents(tensor), tensor.requires_grad, gradient)
    return found, list(model.state_dict()), [id(one) for one in model.parameters()]


def contents(tensor):
    if tensor.is_meta or tensor.layout != torch.strided:
        return tensor.dtype, tensor.shape
    return tensor.dtype, tensor.shape, tensor.detach().flatten().contiguous().numpy().tobytes()


def refused(model, call, *words, kind=(ValueError, TypeError)):
    before = snapshot(model)
    with pytest.raises(kind) as raised:
        call(model)
    assert snapshot(model) == before
    message = str(raised.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


# Other methods see the three values of a ternary tensor, not its latent weights.
@pytest.mark.parametrize(
    ("method", "start"),
    [
        (method, start)
        for method in sorted(NEED_FINITE)
        for start in STARTS
        if start != "ternary" or method == "ternarize"
    ],
)
@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite(method, value, number, start):
    model = net()
    STARTS[start](model)
    with torch.no_grad():
        parameter = original(model, number)
        parameter[parameter != 0] = value
    refused(model, METHODS[method], f"'{number}.weight'")


@pytest.mark.parametrize("value", [float("nan"), -float("inf")])
@pytest.mark.parametrize("method", ["share_latent", "fix_points", "ternarize"])
def test_a_file_of_weights_that_training_made_infinite(method, value, tmp_path):
    """No rounded value can stand for them, and the model computes with NaN."""
    model = net()
    METHODS[method](model)
    with torch.no_grad():
        original(model, 4)[1, 2] = value
    refused(model, lambda it: export(it, tmp_path / "net.qcodec"), "'4.weight'", "1 of 36 values")
    assert not (tmp_path / "net.qcodec").exists()


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("method", sorted(NEED_32_BITS))
def test_a_type_that_codebooks_do_not_hold(method, number):
    model = net()
    model[number].double()
    refused(model, METHODS[method], f"'{number}.weight'", "float64")


@pytest.mark.parametrize("method", METHODS)
def test_weights_that_are_integers(method):
    model = net()
    model[4].weight = torch.nn.Parameter(torch.ones(6, 6, dtype=torch.int32), requires_grad=False)
    refused(model, METHODS[method], "'4.weight'", "int32")


def other_parametrization(layer):
    torch.nn.utils.parametrize.register_parametrization(layer, "weight", torch.nn.Softplus())


def masked_by_torch(layer):
    l1_unstructured(layer, "weight", 3)


def on_meta(layer):
    layer.weight = torch.nn.Parameter(layer.weight.to("meta"))


def in_inference_mode(layer):
    with torch.inference_mode():
        layer.weight = torch.nn.Parameter(torch.randn(6, 6), requires_grad=False)


FOREIGN = {
    "another parametrization": other_parametrization,
    "weight_norm": torch.nn.utils.parametrizations.weight_norm,
    "spectral_norm": torch.nn.utils.parametrizations.spectral_norm,
    "old spectral_norm": torch.nn.utils.spectral_norm,
    "a mask of torch": masked_by_torch,
    "meta": on_meta,
    "inference mode": in_inference_mode,
}


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("method", METHODS)
def test_a_tensor_that_others_have_changed(method, foreign, number):
    model = net()
    FOREIGN[foreign](model[number])
    refused(model, METHODS[method], f"'{number}.weight")


@pytest.mark.parametrize("method", METHODS)
def test_a_parametrization_behind_that_of_qcodec(method):
    model = net()
    prune(model, {"weight": Density(0.5)})
    other_parametrization(model[4])
    refused(model, METHODS[method], "'4.weight'", "after qcodec's")


@pytest.mark.parametrize("method", METHODS)
def test_two_parameters_of_one_memory(method):
    model = net()
    model[4].weight = torch.nn.Parameter(model[2].weight.detach())
    refused(model, METHODS[method], "'2.weight'", "'4.weight'", "one memory")


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("start", ["pruned", "shared", "ternary", "fixed"])
@pytest.mark.parametrize("method", METHODS)
def test_masks_and_codes_that_others_have_written_to(method, start, number):
    """Without a check, a method would accept them and seal them again."""
    model = net()
    STARTS["pruned"](model)
    STARTS[start](model)
    place = next(one for one in places(model) if one.name == f"{number}.weight")
    place.compressed.mask.logical_not_()
    refused(model, METHODS[method], f"'{number}.weight'", "were changed")


BY_RULES = {
    "prune": (prune, Density(0.5), Density(0.4)),
    "share": (share, Codebook(2), Codebook(3)),
    "share_latent": (share_latent, Codebook(2), Codebook(3)),
    "fix_points": (fix_points, FixedPoint(4), FixedPoint(5)),
    "ternarize": (ternarize, TrainedTernary(0.1), Density(0.5)),
}


WRONG = [BOOK, Density(0.5), Affine(4), TrainedTernary(0.1), None, 3]
OF_ANOTHER_TYPE = [
    (name, wrong)
    for name in ("prune", "fix_points", "ternarize")
    for wrong in WRONG
    if not isinstance(wrong, type(BY_RULES[name][1]) | type(BY_RULES[name][2]))
]


@pytest.mark.parametrize(("name", "wrong"), OF_ANOTHER_TYPE)
def test_a_rule_of_another_type(name, wrong):
    method, rule, _ = BY_RULES[name]
    refused(net(), lambda model: method(model, {"^0.w": rule, "^4.w": wrong}), "'4.weight'")


@pytest.mark.parametrize("wrong", [Codebook(2, per=0), Codebook(2, scale="max"), Affine(4)])
@pytest.mark.parametrize("name", ["share", "share_latent"])
def test_a_codec_that_gives_more_than_one_codebook(name, wrong):
    method, rule, _ = BY_RULES[name]
    refused(net(), lambda model: method(model, {"^0.w": rule, "^4.w": wrong}), "'4.weight'")


def test_fixed_point_with_a_step_for_each_row():
    rules = {"^0.w": FixedPoint(4), "^4.w": FixedPoint(4, per=0)}
    refused(net(), lambda model: fix_points(model, rules), "'4.weight'", "one step per tensor")


@pytest.mark.parametrize("name", BY_RULES)
def test_two_rules_for_a_tied_pair(name):
    method, rule, other = BY_RULES[name]
    model = net()
    model[4].weight = model[2].weight
    rules = {"^0.w": rule, "^2.w": rule, "^4.w": other}
    refused(model, lambda it: method(it, rules), "'2.weight'", "'4.weight'", "one parameter")


@pytest.mark.parametrize("name", BY_RULES)
def test_a_rule_that_finds_nothing(name):
    method, rule, _ = BY_RULES[name]
    refused(net(), lambda model: method(model, {"^0.w": rule, "absent": rule}), "absent")


@dataclass(frozen=True)
class Failing(Pruning):
    """A user's rule that fails for its third tensor."""

    codec_id: ClassVar[str] = "failing"
    seen: list

    def mask(self, array):
        self.seen.append(array)
        if len(self.seen) == 3:
            raise KeyError("the user's own")
        return array.numpy() > 0


@pytest.mark.parametrize("start", STARTS)
def test_an_exception_in_a_rule_of_the_user(start):
    model = net()
    STARTS[start](model)
    refused(model, lambda it: prune(it, {"weight": Failing([])}), "the user's own", kind=KeyError)


@pytest.mark.parametrize("start", STARTS)
def test_an_exception_in_an_activation_of_the_user(start):
    def fail(array):
        raise KeyError("the user's own")

    model = net()
    STARTS[start](model)
    call = lambda it: prune_dead_neurons(it, LAYERS, activation=fail)  # noqa: E731
    refused(model, call, "the user's own", kind=KeyError)


@pytest.mark.parametrize(("dtype", "value"), [(torch.float16, -7e4), (torch.bfloat16, 3.4e38)])
def test_a_centroid_that_is_too_great_to_be_rounded(dtype, value):
    model = net()
    METHODS["share"](model)
    with torch.no_grad():
        original(model, 4)[-1] = value
    refused(model, lambda it: round_centroids(it, dtype), "'4.weight'", "too large")


def test_dead_neurons_whose_biases_are_compressed():
    model = net()
    prune(model, {"bias": Density(0.9)})
    with torch.no_grad():
        model[0].weight[2] = 0  # a constant, which the next bias takes over
    refused(model, METHODS["prune_dead_neurons"], "'0.bias'", "compressed")


@pytest.mark.parametrize("start", ["ternary", "latent"])
def test_dead_neurons_of_weights_that_depend_on_each_other(start):
    model = net()
    METHODS["ternarize" if start == "ternary" else "share_latent"](model)
    refused(model, METHODS["prune_dead_neurons"], "0.weight")


def test_dead_neurons_of_a_weight_that_is_a_buffer():
    model = net()
    weight = model[4].weight.detach()
    del model[4].weight
    model[4].register_buffer("weight", weight)
    refused(model, METHODS["prune_dead_neurons"], "'4.weight'", "a buffer")


def test_dead_neurons_that_are_in_use_under_another_name():
    model = torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(3)))
    model[2].weight = model[0].weight
    with torch.no_grad():
        model[1].weight[:, 3] = 0
    layers = [("0.weight", "0.bias"), ("1.weight", "1.bias")]
    refused(model, lambda it: prune_dead_neurons(it, layers), "'0.weight'", "2.weight", "tied")


FILES = {
    "another shape": lambda it: it.update({"4.weight": torch.ones(5, 6)}),
    "another type": lambda it: it.update({"4.weight": torch.ones(6, 6).half()}),
    "one that is missing": lambda it: it.pop("4.weight"),
    "one too many": lambda it: it.update({"5.weight": torch.ones(2)}),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("change", FILES)
def test_a_file_that_does_not_fit(change, start, tmp_path):
    model, path = net(), tmp_path / "net.qcodec"
    tensors = {name: tensor.detach() for name, tensor in net().state_dict().items()}
    FILES[change](tensors)
    qcodec.save_file(tensors, path)
    STARTS[start](model)
    name = "5.weight" if change == "one too many" else "4.weight"
    refused(model, lambda it: load(it, path), name)


def test_a_file_with_two_values_for_a_tied_pair(tmp_path):
    model, path = net(), tmp_path / "net.qcodec"
    export(model, path)
    model[4].weight = model[2].weight
    prune(model, {"weight": Density(0.5)})
    refused(model, lambda it: load(it, path), "'2.weight'", "'4.weight'", "one tensor")


class Counting(torch.nn.Linear):
    """A user's layer with an extra state that rejects some values."""

    def __init__(self):
        super().__init__(6, 6)
        self.count = torch.zeros(1)

    def get_extra_state(self):
        return self.count

    def set_extra_state(self, state):
        if state[0] < 0:
            raise KeyError("the user's own")
        self.count = state


def test_an_exception_where_the_user_takes_a_state(tmp_path):
    model, path = torch.nn.Sequential(*(Counting() for _ in range(3))), tmp_path / "net.qcodec"
    METHODS["share"](model)
    for number in range(3):
        model[number].count = torch.tensor([1.0 - number])
    export(model, path)
    for number in range(3):
        model[number].count = torch.tensor([5.0])
    refused(model, lambda it: load(it, path), "the user's own", kind=KeyError)
    assert [float(layer.count) for layer in model] == [5.0] * 3


@pytest.fixture
def group_of_one():
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("method", sorted(REPLACE))
def test_new_parameters_inside_a_wrapper_that_would_not_average_them(method, group_of_one):
    model = net()
    wrapped = torch.nn.parallel.DistributedDataParallel(model)
    for one in (model, wrapped):
        refused(one, METHODS[method], "'0.weight'", "DistributedDataParallel")


def test_errors_end_admm_before_the_model_changes():
    model = net()
    admm = Admm(model, {"weight": Density(0.5)})
    with torch.no_grad():
        model[4].weight[0, 0] = float("nan")
    refused(model, lambda it: admm.prune())


def test_the_message_of_every_refusal_is_about_one_tensor():
    """The message names the refused tensor, not the first one checked."""
    model = net()
    with torch.no_grad():
        model[2].weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match=re.escape("2.weight")) as raised:
        METHODS["share"](model)
    assert "0.weight" not in str(raised.value)
    assert "4.weight" not in str(raised.value)
