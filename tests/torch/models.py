"""Realistic models, and checks of them after a method."""

from __future__ import annotations

import torch

from qcodec import Codebook
from qcodec.torch import densities, plain_tensors, share
from tests.torch.methods import LAYERS, METHODS, Case, inputs_of, net, trained


def changed(change, plain=net):
    def make():
        model = plain()
        change(model)
        return model

    return make


def square():
    return net(16, 16, 16, 16)


def tied(count):
    def make():
        model = square()
        for number in range(1, count):
            model[2 * number].weight = model[0].weight
        with torch.no_grad():
            model[0].weight[:, 3] = 0
        return model

    return make


def check_tied_state(case: Case, count: int) -> None:
    """The state fits another tied model, which stays tied."""
    again = Case(trained(tied(count)(), seed=3), case.inputs, case.plain, method=case.method)
    if case.method == "round_centroids":
        share(again.model, {again.sharable: Codebook(2)})
    METHODS[case.method](again, None)
    again.model.load_state_dict(case.model.state_dict())
    assert torch.equal(again.model(case.inputs), case.model(case.inputs))
    names = [name for name, _ in case.model.named_parameters()]
    assert [name for name, _ in again.model.named_parameters()] == names


def check_tied(count):
    def check(case: Case) -> None:
        if case.method not in ("export", "load"):
            check_tied_state(case, count)
        tensors = [plain_tensors(case.model)[f"{2 * number}.weight"] for number in range(count)]
        assert all(torch.equal(tensor, tensors[0]) for tensor in tensors)
        found = densities(case.model)
        assert len({found.get(f"{2 * number}.weight") for number in range(count)}) == 1

    return check


class Words(torch.nn.Module):
    """An embedding and two dense layers."""

    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(20, 8, **options)
        self.inner = torch.nn.Linear(8, 8)
        self.outer = torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.outer(self.inner(self.words(x)).relu())


WORD_LAYERS = [("inner.weight", "inner.bias"), ("outer.weight", "outer.bias")]


def words(**options):
    def case() -> Case:
        inputs, sparse = torch.arange(20).view(5, 4), options.get("sparse")
        sharable = "er.weight" if sparse else "weight"
        make = lambda: Words(**options)  # noqa: E731
        return Case(make(), inputs, make, sharable=sharable, layers=WORD_LAYERS)

    return case


def check_padding(case: Case) -> None:
    optimizer = torch.optim.SGD([one for one in case.model.parameters() if one.requires_grad], 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (case.model(case.inputs) - 1).square().sum().backward()
        optimizer.step()
    assert not plain_tensors(case.model)["words.weight"][0].any()


class Buffers(torch.nn.Module):
    """A net with buffers: a table of positions and a causal mask."""

    def __init__(self):
        super().__init__()
        self.net = net()
        self.register_buffer("weight", torch.linspace(0, 1, 4096).view(64, 64))
        self.register_buffer("causal_weight", torch.full((8, 8), float("-inf")).triu(1))

    def forward(self, x):
        return self.net(x) + self.weight[0, 0]


def check_buffers(case: Case) -> None:
    tensors, plain = plain_tensors(case.model), Buffers()
    for name in ("weight", "causal_weight"):
        assert torch.equal(tensors[name], getattr(plain, name))


NET_LAYERS = [(f"net.{weight}", f"net.{bias}") for weight, bias in LAYERS]


class State(torch.nn.Module):
    def __init__(self, state=None):
        super().__init__()
        self.net, self.state = net(), state

    def forward(self, x):
        return self.net(x)

    def get_extra_state(self):
        return self.state

    def set_extra_state(self, state):
        self.state = state


def check_state(case: Case) -> None:
    state = case.model.get_extra_state()
    assert state == {"scale": 2} if isinstance(state, dict) else torch.equal(state, torch.ones(3))


def adapted() -> Case:
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


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.attention = torch.nn.MultiheadAttention(8, 2, batch_first=True)
        self.inner = torch.nn.Linear(8, 8)
        self.outer = torch.nn.Linear(8, 4)

    def forward(self, x):
        x = self.attention(x, x, x, need_weights=False)[0]
        return self.outer(self.inner(x).relu())


def convolutions():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 128, 3, padding=1),  # 18,432 weights, more than _MANY
        torch.nn.ReLU(),
        torch.nn.Conv2d(128, 4, 1),
        torch.nn.Flatten(),
    )


class Empty(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.empty = net(), torch.nn.Linear(8, 0)

    def forward(self, x):
        return self.net(x) + self.empty(x).sum()


def one_weight(value):
    def make():
        model = net()
        with torch.no_grad():
            model[2].weight[1, 2] = value
        return model

    return make


def ties():
    model = net()
    with torch.no_grad():
        for number in (0, 2, 4):
            weight = model[number].weight
            weight.copy_(torch.where(weight < 0, -0.125, 0.125))
        model[2].weight[:, 3] = 0
    return model


def check_ties(case: Case) -> None:
    found = densities(case.model)
    kept = {"prune", "GradualPruning", "Admm", "ternarize"}
    if case.method in kept:
        assert found == {"0.weight": 0.5, "2.weight": 0.5, "4.weight": 0.5}


def frozen_layer():
    model = net()
    model[2].weight.requires_grad_(False)
    return model


def check_frozen(case: Case) -> None:
    trained = [
        name
        for name, parameter in case.model.named_parameters()
        if name.startswith("2.") and not name.startswith("2.bias") and parameter.requires_grad
    ]
    assert trained == []


def compiled():
    model = torch.compile(net(), backend="eager")
    model(inputs_of(5, 8))
    return model


def check_compiled(case: Case) -> None:
    assert torch.equal(case.model(case.inputs), case.model._orig_mod(case.inputs))


def channels_last():
    return convolutions().to(memory_format=torch.channels_last)
