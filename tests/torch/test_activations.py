"""Fixed activations in realistic models: refusals, calls by keyword, compiled models."""

import copy
import re
import warnings

import pytest
import torch
from torch import nn

from qcodec import Codebook, FixedPoint, QCodecWarning
from qcodec.torch import fix_activations, fix_points, layers, ternarize
from qcodec.torch.layers import weight_places


def inputs(count=32):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(1))


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    model[1].eval()  # frozen, in a model that trains
    return model


def encoder():
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


class Conv1D(nn.Module):
    """A dense layer as in GPT-2 of transformers: the weight is (in, out)."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out))

    def forward(self, x):
        return x @ self.weight


class ByKeyword(nn.Module):
    """Calls its layer by keyword."""

    def __init__(self, layer, argument):
        super().__init__()
        self.layer, self.argument = layer, argument

    def forward(self, given):
        return self.layer(**{self.argument: given})


class ErrorOfTheUserError(Exception):
    """Raised by user code."""


def broken_after_one():
    yield inputs()
    raise ErrorOfTheUserError


def batch_with(value):
    batch = inputs()
    batch[3, 2] = value
    return batch


def everything(model):
    """Everything that a failed call could change."""
    hooks = {name: len(one._forward_pre_hooks) for name, one in model.named_modules()}
    modes = {name: one.training for name, one in model.named_modules()}
    return hooks, modes, {name: one.tolist() for name, one in model.state_dict().items()}


REFUSED = {
    "NaN": (FixedPoint(8), lambda: [batch_with(torch.nan)], ValueError, r"'0\.input'.*NaN"),
    "infinity": (FixedPoint(8), lambda: [batch_with(torch.inf)], ValueError, r"'0\.input'.*NaN"),
    "too many bits": (FixedPoint(16), lambda: [inputs()], ValueError, r"'0\.input'.*2 to 15"),
    "too many bits for a later layer": (
        {"0": FixedPoint(8), "3": FixedPoint(16)},
        lambda: [inputs()], ValueError, r"'3\.input'.*2 to 15",
    ),
    "groups": (
        {"0": FixedPoint(8), "3": FixedPoint(8, per=0)},
        lambda: [inputs()], ValueError, r"'3\.input'.*allowed is one step",
    ),
    "another codec": (Codebook(4), lambda: [inputs()], TypeError, r"'0\.input': found Codebook"),
    "another codec in a rule": (
        {"0": FixedPoint(8), "3": Codebook(4)},
        lambda: [inputs()], TypeError, r"'3\.input': found Codebook, allowed FixedPoint",
    ),
    "no rules": ({}, lambda: [inputs()], ValueError, "rules: found none"),
    "no regular expression": (
        {"(": FixedPoint(8)}, lambda: [inputs()], ValueError, r"'\(' is not a regular",
    ),
    "no such layer": ({"fc": FixedPoint(8)}, lambda: [inputs()], ValueError, "no layer matches"),
    "inputs with targets": (
        FixedPoint(8), lambda: [(inputs(), torch.zeros(32))],
        TypeError, "found a tuple, allowed are input tensors, without targets",
    ),
    "integers": (
        FixedPoint(8), lambda: [torch.ones(4, 8, dtype=torch.int64)], TypeError, r"0\.input.*int64",
    ),
    "no batches": (FixedPoint(8), list, ValueError, r"0\.input: found no input"),
    "a batch of another width": (FixedPoint(8), lambda: [torch.ones(4, 9)], RuntimeError, "shape"),
    "a loader that raises": (FixedPoint(8), broken_after_one, ErrorOfTheUserError, "^$"),
}  # fmt: skip


@pytest.mark.parametrize("fixed_before", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(name, fixed_before):
    rules, batches, kind, message = REFUSED[name]
    model = network()
    if fixed_before:
        fix_activations(model, FixedPoint(5), [inputs()])
    before = everything(model)
    with pytest.raises(kind, match=message):
        fix_activations(model, rules, batches())
    assert everything(model) == before


def test_a_model_without_layers_is_refused():
    with pytest.raises(ValueError, match="there is none"):
        fix_activations(nn.ReLU(), FixedPoint(8), [inputs()])


def test_a_layer_of_unknown_shape_is_refused_before_a_call_decides_it():
    model = nn.Sequential(nn.LazyLinear(4))
    with pytest.raises(ValueError, match=r"0\.weight: found no shape"):
        fix_activations(model, FixedPoint(8), [inputs()])
    assert isinstance(model[0], nn.LazyLinear)


def test_a_frozen_batch_norm_stays_frozen():
    model = network()
    model[3].eval()
    fix_activations(model, FixedPoint(8), [inputs()])
    assert [model[index].fixed_point_input.training for index in (0, 3)] == [True, False]
    mean = model[1].running_mean.clone()
    model(inputs() + 1)
    assert not model[1].training
    assert model[0].training
    assert torch.equal(model[1].running_mean, mean)


@pytest.mark.parametrize(
    ("layer", "argument"),
    [(nn.Linear(8, 4), "input"), (nn.Conv1d(8, 4, 1), "input"), (Conv1D(8, 4), "x")],
    ids=["Linear", "Conv1d", "Conv1D"],
)
def test_a_layer_that_is_called_by_keyword_gets_what_was_rounded(layer, argument):
    batch = inputs()[..., None] if isinstance(layer, nn.Conv1d) else inputs()
    by_keyword, by_position = ByKeyword(layer, argument), nn.Sequential(copy.deepcopy(layer))
    plain = by_keyword(batch)
    fix_activations(by_keyword, FixedPoint(3), [batch])
    fix_activations(by_position, FixedPoint(3), [batch])
    assert torch.equal(by_keyword(batch), by_position(batch))
    assert torch.equal(copy.deepcopy(by_keyword)(batch), by_position(batch))
    assert not torch.equal(by_keyword(batch), plain)


# ---- layers that the model does not call ----


def sequences():
    return [torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(1))]


def test_layers_that_are_never_called_are_named_and_left_out():
    model = encoder()
    with pytest.warns(QCodecWarning, match=r"^self_attn\.out_proj\.input: left out") as warned:
        fix_activations(model, FixedPoint(8), sequences())
    assert len(warned) == 1
    assert warned[0].filename == __file__
    fixed = [name for name in layers(model) if hasattr(layers(model)[name], "fixed_point_input")]
    assert fixed == ["linear1", "linear2"]


def test_a_rule_for_layers_that_are_never_called_is_an_error():
    model = encoder()
    before = everything(model)
    with pytest.raises(ValueError, match=r"self_attn\.out_proj\.input: found no input"):
        fix_activations(model, {"linear": FixedPoint(8), "out_proj": FixedPoint(8)}, sequences())
    assert everything(model) == before
    with pytest.warns(QCodecWarning, match="out_proj"):  # a rule that finds others, too
        fix_activations(model, {"linear|out_proj": FixedPoint(8)}, sequences())


def test_a_layer_that_is_given_no_elements_is_given_nothing():
    model = nn.Linear(8, 2)
    with pytest.raises(ValueError, match="input: found no input"):
        fix_activations(model, FixedPoint(8), [torch.zeros(0, 8)])
    fix_activations(model, FixedPoint(8), [torch.zeros(0, 8), inputs()])
    assert model.fixed_point_input.form[2] > 0


# ---- the weights that a single rule applies to ----


def names_of(model):
    return [place.name for place in weight_places(model)]


def test_attentions_and_conv1d_have_weights_of_layers():
    attention = nn.MultiheadAttention(8, 2, kdim=4, vdim=6)
    model = nn.Sequential(
        encoder(), attention, Conv1D(8, 4), nn.Embedding(3, 8), nn.LayerNorm((3, 8))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = names_of(model)
    assert sorted(found) == [
        "0.linear1.weight", "0.linear2.weight", "0.self_attn.in_proj_weight",
        "0.self_attn.out_proj.weight", "1.k_proj_weight", "1.out_proj.weight", "1.q_proj_weight",
        "1.v_proj_weight", "2.weight",
    ]  # fmt: skip
    fix_points(model, FixedPoint(2))
    assert all(len(getattr(p.module, p.attribute).unique()) <= 4 for p in weight_places(model))
    assert names_of(model) == found  # also where they are parametrized


def test_a_tied_head_is_a_layer_whatever_it_is_tied_to():
    model = nn.Sequential(nn.Embedding(9, 8), nn.LSTM(8, 8), nn.Linear(8, 9, bias=False))
    model[2].weight = model[0].weight
    model[1].requires_grad_(False)
    with pytest.warns(QCodecWarning, match=r"1\.weight"):
        assert [place.names for place in weight_places(model)] == [("0.weight", "2.weight")]


def test_matrices_of_other_modules_are_named_once():
    model = nn.Sequential(nn.Linear(8, 8), nn.LSTM(8, 4), nn.Bilinear(4, 4, 2))
    expected = "1.weight_hh_l0, 1.weight_ih_l0, 2.weight: left out"
    with pytest.warns(QCodecWarning, match=re.escape(expected)) as warned:
        fix_points(model, FixedPoint(4))
    assert len(warned) == 1
    assert len(model[1].weight_hh_l0.unique()) > 16


@pytest.mark.parametrize("method", [lambda m: fix_points(m, FixedPoint(4)), ternarize])
def test_a_model_without_weights_of_layers_is_refused(method):
    with pytest.raises(ValueError, match="rules can name"):
        method(nn.Embedding(4, 4))


def test_names_are_those_without_wrappers():
    model = nn.Sequential(nn.Linear(8, 8), torch.compile(nn.Linear(8, 8), backend="eager"))
    compiled = torch.compile(model, backend="eager")
    assert list(layers(compiled)) == ["0", "1"]
    assert list(layers(torch.compile(nn.Linear(2, 2), backend="eager"))) == [""]
    assert list(layers(nn.DataParallel(compiled))) == ["0", "1"]


# ---- compiled, exported, traced ----

# Warnings that dynamo raises for any autograd function.
DYNAMO = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


@DYNAMO
@pytest.mark.parametrize("given", ["the model", "what compile returned"])
def test_compiled_code_does_not_outlive_a_change(given):
    model = network().eval()
    compiled = torch.compile(model, backend="eager")
    plain = compiled(inputs())
    with torch.no_grad():  # compiles code without the sampling hooks
        compiled(inputs())
    changed = model if given == "the model" else compiled
    for bits in (3, 6):
        fix_activations(changed, FixedPoint(bits), [inputs()])
        assert torch.equal(compiled(inputs()), model(inputs()))
    assert not torch.equal(compiled(inputs()), plain)


WAYS = {
    "compile": lambda model, x: torch.compile(model, backend="aot_eager", fullgraph=True),
    "export": lambda model, x: torch.export.export(model, (x,)).module(),
    "trace": lambda model, x: torch.jit.trace(model, (x,)),
}


@DYNAMO
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("by_keyword", [False, True])
def test_fixed_activations_are_traced_and_exported(way, by_keyword):
    model = ByKeyword(nn.Linear(8, 4), "input") if by_keyword else network().eval()
    fix_activations(model, FixedPoint(4), [inputs()])
    other = inputs() * 3  # outside the range: the graph must clip, not only round
    assert torch.equal(WAYS[way](model, inputs())(other), model(other))


def test_gradients_of_single_samples_go_through_fixed_activations():
    model = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    fix_activations(model, FixedPoint(4), [inputs()])
    parameters = {name: one.detach() for name, one in model.named_parameters()}

    def loss(parameters, sample):
        return torch.func.functional_call(model, parameters, (sample[None],)).square().sum()

    batch = inputs(5)
    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, batch)
    for index, sample in enumerate(batch):
        model.zero_grad()
        model(sample[None]).square().sum().backward()
        for name, one in model.named_parameters():
            torch.testing.assert_close(found[name][index], one.grad)


def test_activations_fixed_in_inference_mode_can_be_trained_with():
    model = network()
    with torch.inference_mode():
        fix_activations(model, FixedPoint(4), [inputs().clone()])
    model(inputs()).sum().backward()
    assert model[0].weight.grad.any()
    model.load_state_dict(model.state_dict())  # in place, which inference tensors refuse
    fix_activations(model, FixedPoint(6), [inputs()])
    assert model[0].fixed_point_input.form.tolist()[1:3] == [-32, 31]
