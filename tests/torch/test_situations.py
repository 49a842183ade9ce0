"""Each method in each situation works, or is refused before anything changes."""

from __future__ import annotations

import math
import os

import pytest
import torch

os.environ["HF_HUB_OFFLINE"] = "1"  # adapters are made here, without look-ups

from qcodec import FixedPoint, safe_open
from qcodec.torch import densities, export, fix_activations, load, plain_tensors
from tests.torch.methods import METHODS, Case, inputs_of, net, prepare
from tests.torch.situations import SITUATIONS
from tests.torch.tables import DOCUMENT, in_document, tables
from tests.torch.uses import OF_EACH_KIND, USES, compressed

HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_state_dict_hooks")
pytestmark = [
    pytest.mark.training,
    # torch deprecates its old norms, jit, and its own tree specifications.
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    # Layers without elements have nothing to initialize.
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors"),
    # A product overflows in ONNX's evaluator.
    pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning"),
    # Attention does not call its out_proj.
    pytest.mark.filterwarnings("ignore:.*left out, as no batch reaches these layers"),
]


def bits(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8)


def snapshot(model):
    """Everything that a method could change and that a refusal must not change."""

    def content(value):
        if not isinstance(value, torch.Tensor):
            return value
        if torch.nn.parameter.is_lazy(value):
            return "no shape yet"
        return tuple(value.shape) if value.is_meta else bits(value).tolist()

    state = {name: content(value) for name, value in model.state_dict().items()}
    parameters = {
        name: (id(parameter), parameter.requires_grad, id(parameter.grad))
        for name, parameter in model.named_parameters(remove_duplicate=False)
    }
    modules = {
        name: (
            id(module),
            type(module),
            module.training,
            [len(getattr(module, hooks)) for hooks in HOOKS],
        )
        for name, module in model.named_modules(remove_duplicate=False)
    }
    return state, parameters, modules


def train_a_step(case: Case) -> None:
    trained = [one for one in case.model.parameters() if one.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.01)
    case.model(case.inputs).square().mean().backward()
    optimizer.step()


def check_file(case: Case, folder) -> None:
    """The forward pass, densities and the file agree."""
    path = folder / "after.qcodec"
    export(case.model, path)
    again = case.plain()
    if case.method == "fix_activations":
        fix_activations(again, FixedPoint(6), [case.inputs])
    load(again, path)
    tensors = plain_tensors(case.model)
    for name, tensor in plain_tensors(again).items():
        assert torch.equal(bits(tensor), bits(tensors[name])), name
    found, wanted = again.eval()(case.inputs), case.model.eval()(case.inputs)
    assert torch.equal(found.nan_to_num(), wanted.nan_to_num())
    with safe_open(path, "pt") as file:
        for name, density in densities(case.model).items():
            stored = file.encoded(name).quantized()
            assert stored.positions is None or stored.density == density
            assert (file.get_tensor(name) != 0).sum() <= density * math.prod(stored.shape)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.title)
def test_a_method_works_or_is_refused_before_anything_changes(situation, method, tmp_path):
    for package in situation.needs:
        pytest.importorskip(package)
    case = situation.make()
    case.method = method
    prepare(case, tmp_path)
    if method in situation.refused:
        before = snapshot(case.model)
        error, text = situation.refused[method]
        with pytest.raises(error, match=text):
            METHODS[method](case, tmp_path)
        assert snapshot(case.model) == before
        return
    METHODS[method](case, tmp_path)
    train_a_step(case)
    if case.storable:
        check_file(case, tmp_path)
    if situation.check is not None:
        situation.check(case)


@pytest.mark.parametrize(
    ("use", "method"),
    [(use, method) for use in USES for method in use.methods],
    ids=lambda one: one if isinstance(one, str) else one.title,
)
def test_a_compressed_model_can_be_used_or_says_why_not(use, method, tmp_path):
    for package in use.needs:
        pytest.importorskip(package)
    case = compressed(method, tmp_path, use.context)
    if method in use.refused:
        error, text = use.refused[method]
        with pytest.raises(error, match=text):
            use.check(case, tmp_path)
        return
    use.check(case, tmp_path)
    check_file(case, tmp_path)


@pytest.mark.parametrize("method", OF_EACH_KIND)
def test_a_model_that_was_compiled_before_trains_on(method, tmp_path):
    model = net()
    compiled = torch.compile(model, backend="aot_eager")
    compiled(inputs_of(5, 8)).sum().backward()  # a graph of the plain model
    case = Case(compiled, inputs_of(5, 8), net, method=method)
    METHODS[method](case, tmp_path)
    model.zero_grad()
    wanted = model(case.inputs)
    wanted.square().mean().backward()
    gradients = [one.grad.clone() for one in model.parameters()]
    model.zero_grad()
    found = compiled(case.inputs)
    found.square().mean().backward()
    torch.testing.assert_close(found, wanted)
    for one, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(one.grad, gradient, rtol=1e-4, atol=1e-6)
    check_file(case, tmp_path)


@pytest.mark.parametrize("name", ["values", "situations", "uses"])
def test_the_document_shows_the_tables(name):
    shown = in_document(DOCUMENT.read_text(encoding="utf-8"))
    assert shown[name] == tables()[name]  # python -m tests.torch.tables writes them
