"""The table of training: every method in every situation, works or is refused.

`SITUATIONS` is data: what the model is when a method is called, and for which methods that is
refused, with the error. torch_uses.py has the second half: what is done with the model afterwards.
tests/test_torch_situations.py walks both, and docs/training.md prints them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch.nn.utils import parametrizations
from torch.nn.utils import prune as torch_prune
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils import weight_norm as old_weight_norm

from qcodec import Codebook, Density, FixedPoint, Sparse
from qcodec.torch import (
    Admm,
    GradualPruning,
    densities,
    export,
    fix_activations,
    fix_points,
    load,
    plain_tensors,
    prune,
    prune_dead_neurons,
    round_centroids,
    share,
    share_at_price,
    share_latent,
    ternarize,
)

LAYERS = [("0.weight", "0.bias"), ("2.weight", "2.bias"), ("4.weight", "4.bias")]


@dataclass
class Case:
    """A model, what it is given, and how methods are called for it.

    Attributes
    ----------
    plain : callable
        Makes a model of the same structure that nothing was done to.
    rule : str
        Regular expression for the weights that methods are about.
    sharable : str
        The weights that are shared before `round_centroids`.
    layers : list
        For `prune_dead_neurons`.
    source : callable, optional
        Makes the model whose file is loaded; else `plain` does.
    storable : bool
        Whether `export` takes it.
    method : str
        Which is called.
    """

    model: torch.nn.Module
    inputs: torch.Tensor
    plain: Callable[[], torch.nn.Module]
    rule: str = r"weight$"
    sharable: str = r"weight$"
    layers: list = field(default_factory=lambda: LAYERS)
    source: Callable[[], torch.nn.Module] | None = None
    storable: bool = True
    method: str = ""


# ---- methods ----


def _gradual(case, _):
    pruning = GradualPruning(case.model, {case.rule: Density(0.5)}, 0, 2, every=1)
    pruning.step()
    pruning.step()


def _admm(case, _):
    admm = Admm(case.model, {case.rule: Density(0.5)}, rho=0.1)
    admm.penalty()
    admm.update()
    admm.prune()


#: Each method, as it is called for a case; the second argument is a folder.
METHODS: dict[str, Callable] = {
    "prune": lambda case, _: prune(case.model, {case.rule: Density(0.5)}),
    "GradualPruning": _gradual,
    "Admm": _admm,
    "prune_dead_neurons": lambda case, _: prune_dead_neurons(case.model, case.layers),
    "share": lambda case, _: share(case.model, {case.rule: Codebook(2)}),
    "share_at_price": lambda case, _: share_at_price(
        case.model, {case.rule: Sparse(Codebook(2))}, 1e-3
    ),
    "round_centroids": lambda case, _: round_centroids(case.model),
    "share_latent": lambda case, _: share_latent(case.model, {case.rule: Codebook(2)}),
    "fix_points": lambda case, _: fix_points(case.model, {case.rule: FixedPoint(4)}),
    "ternarize": lambda case, _: ternarize(case.model, {case.rule: Density(0.5)}),
    "fix_activations": lambda case, _: fix_activations(case.model, FixedPoint(6), [case.inputs]),
    "export": lambda case, folder: export(case.model, folder / "exported.qc"),
    "load": lambda case, folder: load(case.model, folder / "loaded.qc"),
}


def prepare(case: Case, folder) -> None:
    """What must have been before: shared values to be rounded, a file to be loaded."""
    if case.method == "round_centroids" and case.sharable:
        share(case.model, {case.sharable: Codebook(2)})
    if case.method == "load":
        export(trained((case.source or case.plain)(), seed=1), folder / "loaded.qc")


def apply(case: Case, folder) -> None:
    prepare(case, folder)
    METHODS[case.method](case, folder)


# ---- models ----


def net(*sizes: int, dtype=torch.float32) -> torch.nn.Sequential:
    """Dense layers with ReLUs between; unit 3 of the first feeds nothing."""
    sizes = sizes or (8, 16, 16, 4)
    torch.manual_seed(0)
    modules = []
    for inputs, outputs in itertools.pairwise(sizes):
        modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    with torch.no_grad():
        model[2].weight[:, 3] = 0
    return model.to(dtype)


def trained(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """The same model with other weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn(parameter.shape, generator=generator).to(parameter) / 10
        for module in model.modules():
            if isinstance(module, torch.nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx] = 0
    return model


def inputs_of(*shape: int, dtype=torch.float32) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7)).to(dtype)


# ---- situations ----


@dataclass(frozen=True)
class Situation:
    """What a model is when a method is called.

    Attributes
    ----------
    title : str
        As docs/training.md prints it.
    make : callable
        Gives a `Case`.
    refused : mapping of str to (type, str)
        The error by method, and a regular expression for its text; what is not there works.
    instead : str
        What users can do about a refusal.
    check : callable, optional
        From a case, after the method: more that must be true.
    needs : sequence of str
        Packages without which it is skipped.
    """

    title: str
    make: Callable[[], Case]
    refused: Mapping[str, tuple[type, str]] = field(default_factory=dict)
    instead: str = ""
    check: Callable[[Case], None] | None = None
    needs: tuple[str, ...] = ()


def refused(error: type, text: str, *methods: str) -> dict[str, tuple[type, str]]:
    return dict.fromkeys(methods, (error, text))


CHANGING = [name for name in METHODS if name not in ("fix_activations", "export", "load")]
QUANTIZING = ["share", "share_at_price", "share_latent", "ternarize"]


def _of(make, shape=(5, 8), *, plain=None, dtype=torch.float32, **options) -> Callable[[], Case]:
    return lambda: Case(make(), inputs_of(*shape, dtype=dtype), plain or make, **options)


def _changed(change, plain=net):
    def make():
        model = plain()
        change(model)
        return model

    return make


def _square():
    return net(16, 16, 16, 16)


def _tied(count):
    def make():
        model = _square()
        for number in range(1, count):
            model[2 * number].weight = model[0].weight
        with torch.no_grad():
            model[0].weight[:, 3] = 0
        return model

    return make


def _check_tied_state(case: Case, count: int) -> None:
    """The state goes into another tied model, which stays tied."""
    again = Case(trained(_tied(count)(), seed=3), case.inputs, case.plain, method=case.method)
    if case.method == "round_centroids":
        share(again.model, {again.sharable: Codebook(2)})
    METHODS[case.method](again, None)
    again.model.load_state_dict(case.model.state_dict())
    assert torch.equal(again.model(case.inputs), case.model(case.inputs))
    names = [name for name, _ in case.model.named_parameters()]
    assert [name for name, _ in again.model.named_parameters()] == names


def _check_tied(count):
    def check(case: Case) -> None:
        if case.method not in ("export", "load"):
            _check_tied_state(case, count)
        tensors = [plain_tensors(case.model)[f"{2 * number}.weight"] for number in range(count)]
        assert all(torch.equal(tensor, tensors[0]) for tensor in tensors)
        found = densities(case.model)
        assert len({found.get(f"{2 * number}.weight") for number in range(count)}) == 1

    return check


class _Words(torch.nn.Module):
    """An embedding and two dense layers."""

    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(20, 8, **options)
        self.inner = torch.nn.Linear(8, 8)
        self.outer = torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.outer(self.inner(self.words(x)).relu())


_WORD_LAYERS = [("inner.weight", "inner.bias"), ("outer.weight", "outer.bias")]


def _words(**options):
    def case() -> Case:
        inputs, sparse = torch.arange(20).view(5, 4), options.get("sparse")
        sharable = "er.weight" if sparse else "weight"
        make = lambda: _Words(**options)  # noqa: E731
        return Case(make(), inputs, make, sharable=sharable, layers=_WORD_LAYERS)

    return case


def _check_padding(case: Case) -> None:
    optimizer = torch.optim.SGD([one for one in case.model.parameters() if one.requires_grad], 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (case.model(case.inputs) - 1).square().sum().backward()
        optimizer.step()
    assert not plain_tensors(case.model)["words.weight"][0].any()


class _Buffers(torch.nn.Module):
    """A table of positions and a causal mask beside the net."""

    def __init__(self):
        super().__init__()
        self.net = net()
        self.register_buffer("weight", torch.linspace(0, 1, 4096).view(64, 64))
        self.register_buffer("causal_weight", torch.full((8, 8), float("-inf")).triu(1))

    def forward(self, x):
        return self.net(x) + self.weight[0, 0]


def _check_buffers(case: Case) -> None:
    tensors, plain = plain_tensors(case.model), _Buffers()
    for name in ("weight", "causal_weight"):
        assert torch.equal(tensors[name], getattr(plain, name))


_NET_LAYERS = [(f"net.{weight}", f"net.{bias}") for weight, bias in LAYERS]


class _State(torch.nn.Module):
    def __init__(self, state=None):
        super().__init__()
        self.net, self.state = net(), state

    def forward(self, x):
        return self.net(x)

    def get_extra_state(self):
        return self.state

    def set_extra_state(self, state):
        self.state = state


def _check_state(case: Case) -> None:
    state = case.model.get_extra_state()
    assert state == {"scale": 2} if isinstance(state, dict) else torch.equal(state, torch.ones(3))


def _adapted() -> Case:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=2, target_modules=["0", "2"], init_lora_weights=False)
    prefix = "base_model.model."
    return Case(
        get_peft_model(net(), lora),
        inputs_of(5, 8),
        lambda: get_peft_model(net(), lora),
        sharable="",
        layers=[
            (f"{prefix}{layer}.base_layer.weight", f"{prefix}{layer}.base_layer.bias")
            for layer in (0, 2)
        ],
    )


class _Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.inner = torch.nn.Linear(8, 8)
        self.outer = torch.nn.Linear(8, 4)

    def forward(self, x):
        x = self.attention(x, x, x, need_weights=False)[0]
        return self.outer(self.inner(x).relu())


def _convolutions():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 128, 3, padding=1),  # 18,432 weights: beyond _MANY
        torch.nn.ReLU(),
        torch.nn.Conv2d(128, 4, 1),
        torch.nn.Flatten(),
    )


class _Empty(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.empty = net(), torch.nn.Linear(8, 0)

    def forward(self, x):
        return self.net(x) + self.empty(x).sum()


def _one_weight(value):
    def make():
        model = net()
        with torch.no_grad():
            model[2].weight[1, 2] = value
        return model

    return make


def _ties():
    model = net()
    with torch.no_grad():
        for number in (0, 2, 4):
            weight = model[number].weight
            weight.copy_(torch.where(weight < 0, -0.125, 0.125))
        model[2].weight[:, 3] = 0
    return model


def _check_ties(case: Case) -> None:
    found = densities(case.model)
    kept = {"prune", "GradualPruning", "Admm", "ternarize"}
    if case.method in kept:
        assert found == {"0.weight": 0.5, "2.weight": 0.5, "4.weight": 0.5}


def _frozen_layer():
    model = net()
    model[2].weight.requires_grad_(False)
    return model


def _check_frozen(case: Case) -> None:
    trained = [
        name
        for name, parameter in case.model.named_parameters()
        if name.startswith("2.") and not name.startswith("2.bias") and parameter.requires_grad
    ]
    assert trained == []


def _compiled():
    model = torch.compile(net(), backend="eager")
    model(inputs_of(5, 8))
    return model


def _check_compiled(case: Case) -> None:
    assert torch.equal(case.model(case.inputs), case.model._orig_mod(case.inputs))


_BOTH = ["export", "fix_activations"]


def _parametrized(change, found):
    """`found` is what the error calls it."""
    return (
        _of(_changed(change), plain=net, sharable="^0.weight"),
        refused(
            ValueError,
            f"tensor '2.weight': found .*{found}.*; .*(remove|permanent)",
            *(one for one in METHODS if one not in ("round_centroids", *_BOTH)),
        ),
    )


def _typed(dtype, **options):
    return _of(lambda: net(dtype=dtype), dtype=dtype, **options)


def _channels_last():
    return _convolutions().to(memory_format=torch.channels_last)


def _not_finite(value):
    return (
        _of(_one_weight(value), sharable="^0.weight", source=net),
        refused(
            ValueError,
            "tensor '2.weight': .* NaN or infinite",
            *(one for one in CHANGING if one != "round_centroids"),
        )
        | refused(ValueError, r"4.input.* NaN or infinite", "fix_activations"),
    )


SITUATIONS = [
    Situation("an ordinary model", _of(net)),
    Situation(
        "two names of one parameter (tied)",
        _of(_tied(2), (5, 16), plain=_square, source=_tied(2)),
        refused(ValueError, "tensor '[02].weight': found dead neurons.*tied", "prune_dead_neurons"),
        "untie the parameter, or name only layers that are not tied",
        _check_tied(2),
    ),
    Situation(
        "three names of one parameter",
        _of(_tied(3), (5, 16), plain=_square, source=_tied(3)),
        refused(ValueError, "tensor '[02].weight': found dead neurons.*tied", "prune_dead_neurons"),
        "untie the parameter, or name only layers that are not tied",
        _check_tied(3),
    ),
    Situation(
        "`parametrizations.weight_norm`",
        *_parametrized(lambda model: parametrizations.weight_norm(model[2]), "WeightNorm"),
        "remove the norm first (`remove_parametrizations`)",
    ),
    Situation(
        "`parametrizations.spectral_norm`",
        *_parametrized(lambda model: parametrizations.spectral_norm(model[2]), "SpectralNorm"),
        "remove the norm first (`remove_parametrizations`)",
    ),
    Situation(
        "`torch.nn.utils.weight_norm` (hooks)",
        *_parametrized(lambda model: old_weight_norm(model[2]), "weight_norm"),
        "`remove_weight_norm` first",
    ),
    Situation(
        "`torch.nn.utils.spectral_norm` (hooks)",
        *_parametrized(lambda model: old_spectral_norm(model[2]), "spectral_norm"),
        "`remove_spectral_norm` first",
    ),
    Situation(
        "`torch.nn.utils.prune`",
        *_parametrized(
            lambda model: torch_prune.l1_unstructured(model[2], "weight", 0.5), "utils.prune"
        ),
        "`torch.nn.utils.prune.remove` first",
    ),
    Situation(
        "a compiled model (`torch.compile`), called before",
        _of(_compiled, plain=net),
        check=_check_compiled,
    ),
    Situation("a model in float16", _typed(torch.float16)),
    Situation("a model in bfloat16", _typed(torch.bfloat16)),
    Situation(
        "a model in float64",
        _typed(torch.float64, sharable=""),
        refused(TypeError, "tensor '0.weight': found float64, allowed float32", *QUANTIZING)
        | refused(ValueError, "found no shared weights", "round_centroids"),
        "`model.float()` first: codebooks hold float32 at most",
    ),
    Situation("a model in `channels_last`", _of(_channels_last, (2, 3, 4, 4))),
    Situation(
        "a model on the meta device",
        _of(lambda: net().to("meta"), plain=net, sharable=""),
        refused(
            ValueError,
            r"tensor '0\.(weight|bias)': found a tensor on the meta device",
            *(one for one in METHODS if one not in ("round_centroids", *_BOTH)),
        )
        | refused(ValueError, "found no shared weights", "round_centroids")
        | refused((TypeError, ValueError, RuntimeError), "meta", *_BOTH),
        "load the values first",
    ),
    Situation("a frozen layer (`requires_grad_(False)`)", _of(_frozen_layer), check=_check_frozen),
    Situation(
        "attention (`in_proj_weight`)",
        _of(_Attention, (5, 3, 8), layers=_WORD_LAYERS),
    ),
    Situation("an embedding with a padding row", _words(padding_idx=0), check=_check_padding),
    Situation(
        "an embedding with sparse gradients",
        _words(sparse=True),
        refused(
            ValueError,
            "tensor 'words.weight': found an embedding with sparse=True",
            *(one for one in CHANGING if one not in ("prune_dead_neurons", "round_centroids")),
        ),
        "`sparse=False`, or rules that leave it out",
    ),
    Situation(
        "buffers named like weights", _of(_Buffers, layers=_NET_LAYERS), check=_check_buffers
    ),
    Situation(
        "extra state that is a tensor",
        _of(lambda: _State(torch.ones(3)), layers=_NET_LAYERS),
        check=_check_state,
    ),
    Situation(
        "extra state that is no tensor",
        _of(lambda: _State({"scale": 2}), layers=_NET_LAYERS, storable=False, source=_State),
        refused(TypeError, "'_extra_state': found dict, allowed is a tensor", "export"),
        "store that state beside the file",
        _check_state,
    ),
    Situation(
        "an adapter (LoRA of peft) that is not merged",
        _adapted,
        refused(
            ValueError,
            "found an adapter .*merge it first",
            *(one for one in CHANGING if one != "round_centroids"),
        )
        | refused(ValueError, "found no shared weights", "round_centroids"),
        "`merge_and_unload()` first",
        needs=("peft",),
    ),
    Situation(
        "a lazy layer that was not called yet",
        _of(
            _changed(lambda model: model.append(torch.nn.LazyLinear(4))),
            plain=net,
            sharable="",
        ),
        refused(ValueError, r"(tensor ')?5\.\w+'?: found no shape yet", *METHODS),
        "call the model once",
    ),
    Situation(
        "a model of `torch.jit.script`",
        _of(lambda: torch.jit.script(net()), plain=net, sharable=""),
        refused(TypeError, "module '.*': found .* of torch.jit, allowed", *METHODS)
        | refused(ValueError, "no layer matches", "fix_activations"),
        "call the method on the module that it was made of",
    ),
    Situation("layers without elements", _of(_Empty, layers=_NET_LAYERS)),
    Situation(
        "a weight that is NaN", *_not_finite(float("nan")), "find out why, and mend the weight"
    ),
    Situation(
        "a weight that is infinite", *_not_finite(float("inf")), "find out why, and mend the weight"
    ),
    Situation("weights of equal magnitude", _of(_ties), check=_check_ties),
]
