"""Uses of a model after a method: torch's tools, averages, checkpoints, adapters.

`USES` is the second table of docs/training.md: each use with each method works or is refused.
"""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch.func import functional_call, grad, jvp, stack_module_state, vjp
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint

from qcodec import Codebook, Density
from qcodec.torch import densities, plain_tensors, prune, share
from tests.torch.methods import METHODS, Case, apply, inputs_of, net, trained
from tests.torch.situations import refused

#: One method for each kind of values; slow uses are tested only with these.
OF_EACH_KIND = ("prune", "share", "share_latent", "fix_points", "ternarize", "fix_activations")


@dataclass(frozen=True)
class Use:
    """A use of a model after a method.

    Attributes
    ----------
    title : str
        The title in docs/training.md.
    check : callable
        Called with the case and a folder; asserts that the use gives correct results.
    refused : mapping of str to (type, str)
        The error by method. Other methods work.
    instead : str
        The remedy for users.
    methods : sequence of str
        The tested methods; each other method is like one of these.
    context : callable
        The context of the call of the method.
    needs : sequence of str
        Required packages; without them the use is skipped.
    """

    title: str
    check: Callable
    refused: Mapping[str, tuple[type, str]] = field(default_factory=dict)
    instead: str = ""
    methods: tuple[str, ...] = tuple(METHODS)
    context: Callable = contextlib.nullcontext
    needs: tuple[str, ...] = ()


def compressed(method: str, folder, context=contextlib.nullcontext, seed: int = 0) -> Case:
    """A net after a method. For `load`, the loaded net was pruned and shared."""
    model = trained(net(), seed) if seed else net()
    if method == "load":
        prune(model, {"weight$": Density(0.5)})
        share(model, {"weight$": Codebook(2)})
    case = Case(model, inputs_of(5, 8), net, method=method)
    with context():
        apply(case, folder)
    return case


def loss_of(model, inputs):
    return model(inputs).square().mean()


def gradients(model, inputs):
    model.zero_grad()
    loss_of(model, inputs).backward()
    return {
        name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None
    }


def assert_equal(found: Mapping, wanted: Mapping, **tolerance) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, wanted[name], **(tolerance or {"rtol": 0, "atol": 0}))


# ---- compiling and exporting ----


def _compile(backend):
    def check(case: Case, _) -> None:
        torch._dynamo.reset()
        wanted, wanted_gradients = case.model(case.inputs), gradients(case.model, case.inputs)
        compiled = torch.compile(case.model, backend=backend)
        assert torch.equal(compiled(case.inputs), wanted)
        assert_equal(gradients(case.model.requires_grad_(), case.inputs), wanted_gradients)
        case.model.zero_grad()
        loss_of(compiled, case.inputs).backward()
        found = {name: one.grad for name, one in case.model.named_parameters()}
        assert_equal(found, wanted_gradients, rtol=1e-5, atol=1e-7)

    return check


def _torch_export(case: Case, _) -> None:
    case.model.eval()
    program = torch.export.export(case.model, (case.inputs,))
    assert torch.equal(program.module()(case.inputs), case.model(case.inputs))


def _trace(case: Case, _) -> None:
    case.model.eval()
    traced = torch.jit.trace(case.model, (case.inputs,), check_trace=False)
    assert torch.equal(traced(case.inputs), case.model(case.inputs))


def _onnx(case: Case, _) -> None:
    from onnx.reference import ReferenceEvaluator

    case.model.eval()
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(case.model, (case.inputs,), dynamo=True, verbose=False)
    evaluator = ReferenceEvaluator(program.model_proto)
    (found,) = evaluator.run(None, {evaluator.input_names[0]: case.inputs.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), case.model(case.inputs))


# ---- torch.func ----


def _leaves(model) -> dict:
    return {name: one.detach().clone() for name, one in model.named_parameters()}


def _per_sample(case: Case, _) -> None:
    model, leaves = case.model, _leaves(case.model)

    def loss(leaves, sample):
        return functional_call(model, leaves, (sample[None],)).square().mean()

    each = torch.vmap(grad(loss), (None, 0))(leaves, case.inputs)
    mean = {name: tensor.mean(0) for name, tensor in each.items()}
    assert_equal(mean, gradients(model, case.inputs), rtol=1e-4, atol=1e-6)


def _jvp(case: Case, _) -> None:
    """The derivative along a direction equals its product with the gradient."""
    model, leaves = case.model, _leaves(case.model)

    def outputs(leaves):
        return functional_call(model, leaves, (case.inputs,))

    direction = {name: torch.ones_like(leaf) for name, leaf in leaves.items()}
    found, along = jvp(outputs, (leaves,), (direction,))
    assert torch.equal(found, model(case.inputs))
    back = vjp(outputs, leaves)[1](torch.ones_like(found))[0]
    wanted = sum((back[name] * direction[name]).sum() for name in leaves)
    torch.testing.assert_close(along.sum(), wanted, rtol=1e-4, atol=1e-5)


def _ensemble(case: Case, folder) -> None:
    models = [case.model, compressed(case.method, folder, seed=2).model]
    wanted = torch.stack([model(case.inputs) for model in models])
    parameters, buffers = stack_module_state(models)
    base = copy.deepcopy(models[0])

    def outputs(parameters, buffers):
        return functional_call(base, (parameters, buffers), (case.inputs,))

    found = torch.vmap(outputs)(parameters, buffers)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


# ---- precision ----


def _autocast(dtype):
    def check(case: Case, _) -> None:
        optimizer = torch.optim.SGD(case.model.parameters(), 0.01, momentum=0.9)
        for _ in range(2):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype):
                loss = loss_of(case.model, case.inputs)
            loss.backward()
            optimizer.step()
        assert all(one.grad is not None for one in case.model.parameters())
        assert all(one.isfinite().all() for one in plain_tensors(case.model).values())

    return check


def _scaler(case: Case, _) -> None:
    """A step with infinite gradients changes nothing; the next one does."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = torch.optim.SGD(case.model.parameters(), 0.01)
    before = plain_tensors(case.model)
    before = {name: tensor.clone() for name, tensor in before.items()}
    for factor in (float("inf"), 1.0):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            loss = loss_of(case.model, case.inputs)
        scaler.scale(loss * factor).backward()
        scaler.step(optimizer)
        scaler.update()
        if factor != 1:
            assert_equal(plain_tensors(case.model), before)
    after = plain_tensors(case.model)
    assert any(not torch.equal(after[name], before[name]) for name in after)


def _cast(dtype):
    def check(case: Case, _) -> None:
        case.model.to(dtype)
        case.inputs, case.plain = case.inputs.to(dtype), lambda: net(dtype=dtype)
        assert case.model(case.inputs).dtype == dtype

    return check


# ---- copies, averages, checkpoints ----


def _copy(case: Case, _) -> None:
    again = copy.deepcopy(case.model)
    assert torch.equal(again(case.inputs), case.model(case.inputs))
    wanted = plain_tensors(again)["0.weight"].clone()
    with torch.no_grad():
        for parameter in case.model.parameters():
            parameter += 1
    assert torch.equal(plain_tensors(again)["0.weight"], wanted)


def _average(make):
    def check(case: Case, folder) -> None:
        average = make(case.model)
        for _ in range(2):
            optimizer = torch.optim.SGD(case.model.parameters(), 0.1)
            optimizer.zero_grad()
            loss_of(case.model, case.inputs).backward()
            optimizer.step()
            average.update_parameters(case.model)
        case.model = average.module
        assert case.model(case.inputs).isfinite().all()

    return check


class _StateAverage:
    """Averages every entry of a state dict, as timm does."""

    def __init__(self, model):
        self.module = copy.deepcopy(model)

    def update_parameters(self, model):
        with torch.no_grad():
            for mine, other in zip(
                self.module.state_dict().values(), model.state_dict().values(), strict=True
            ):
                mine.copy_(0.9 * mine + 0.1 * other)


def _ema(use_buffers):
    return lambda model: AveragedModel(
        model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=use_buffers
    )


def _resume(case: Case, folder) -> None:
    """Load the state into another model with other weights, after the same method."""
    again = compressed(case.method, folder, seed=3)
    again.model.load_state_dict(case.model.state_dict())
    assert torch.equal(again.model(case.inputs), case.model(case.inputs))
    assert_equal(plain_tensors(again.model), plain_tensors(case.model))
    assert densities(again.model) == densities(case.model)
    case.model = again.model


def _assign(case: Case, folder) -> None:
    again = compressed(case.method, folder, seed=3)
    again.model.to("meta")
    again.model.load_state_dict(case.model.state_dict(), assign=True)
    assert torch.equal(again.model(case.inputs), case.model(case.inputs))
    assert densities(again.model) == densities(case.model)
    case.model = again.model


def _checkpointed(case: Case, _) -> None:
    wanted = gradients(case.model, case.inputs)
    case.model.zero_grad()
    outputs = checkpoint(case.model, case.inputs, use_reentrant=False)
    outputs.square().mean().backward()
    assert_equal({name: one.grad for name, one in case.model.named_parameters()}, wanted)


def _adapt(case: Case, _) -> None:
    """An adapter (LoRA) around the model is not lost when it is merged."""
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=2, target_modules=["0", "2"], init_lora_weights=False)
    adapted = get_peft_model(case.model, lora).eval()
    wanted = adapted(case.inputs)
    with adapted.disable_adapter():
        without = adapted(case.inputs)
    case.model = adapted.merge_and_unload()
    # The input of an adapter is rounded only after the merge.
    apart = 0.1 if case.method == "fix_activations" else 1e-5
    assert (case.model(case.inputs) - wanted).abs().max() < apart
    assert (without - wanted).abs().max() > 0.2


def _inference(case: Case, _) -> None:
    with torch.inference_mode():
        found = case.model(case.inputs)
    assert torch.equal(found, case.model(case.inputs))


def _trains(case: Case, _) -> None:
    assert gradients(case.model, case.inputs).keys() == dict(case.model.named_parameters()).keys()


_CHANGING = [name for name in METHODS if name not in ("export", "load", "fix_activations")]
#: A seal detects averages of integers.
_SEALED = refused(ValueError, "masks or codes .* average", *_CHANGING) | refused(
    ValueError, "steps of fixed activations .* average", "fix_activations"
)
_PARAMETERS = "average parameters only, and copy buffers (`use_buffers=False`)"

USES = [
    Use("compiled after, backend eager", _compile("eager")),
    Use("compiled after, backend aot_eager", _compile("aot_eager"), methods=OF_EACH_KIND),
    Use("`torch.export`", _torch_export, methods=OF_EACH_KIND),
    Use("`torch.jit.trace`", _trace),
    Use("ONNX (`torch.onnx.export`)", _onnx, methods=OF_EACH_KIND, needs=("onnx", "onnxscript")),
    Use("`torch.func`: gradients by sample", _per_sample),
    Use("`torch.func.jvp`", _jvp),
    Use("ensembles (`stack_module_state`)", _ensemble),
    Use("autocast to bfloat16", _autocast(torch.bfloat16)),
    Use("autocast to float16, GradScaler, an infinite step", _scaler),
    Use("`model.half()` after", _cast(torch.float16)),
    Use("`model.bfloat16()` after", _cast(torch.bfloat16)),
    Use("`copy.deepcopy`", _copy),
    Use("SWA, EMA of parameters (`use_buffers=False`)", _average(_ema(False))),
    Use("EMA of buffers, too (`use_buffers=True`)", _average(_ema(True)), _SEALED, _PARAMETERS),
    Use("EMA of a state dict (timm)", _average(_StateAverage), _SEALED, _PARAMETERS),
    Use(
        "an adapter (LoRA of peft) is put around it",
        _adapt,
        refused(
            ValueError, "an adapter .LoRA. around compressed weights would be lost", *_CHANGING
        ),
        "`export`, `load` into a plain model, and adapt that",
        needs=("peft",),
    ),
    Use("a state dict, into a new model", _resume),
    Use("`load_state_dict(assign=True)`, from the meta device", _assign),
    Use("`torch.utils.checkpoint`", _checkpointed),
    Use("`torch.inference_mode()` for inference", _inference),
    Use("the method called in `inference_mode()`", _trains, context=torch.inference_mode),
]
