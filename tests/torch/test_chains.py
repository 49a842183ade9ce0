"""Every method after every other: reports, files and computed weights agree bit for bit."""

import copy
import io

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qcodec import (
    Codebook,
    DeepCompression,
    Density,
    FixedPoint,
    Quality,
    Sparse,
    TrainedTernary,
)
from qcodec.torch import (
    Admm,
    Compressed,
    GradualPruning,
    densities,
    export,
    fix_points,
    load,
    plain_tensors,
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
from qcodec.torch.changes import Change, commit
from qcodec.torch.compressed import Parametrization
from qcodec.torch.export import quantized_of
from qcodec.torch.tensors import places

pytestmark = pytest.mark.training

# The weights of both layers, and a tensor of four values: as many as a codebook of 2 bits has.
WEIGHTS = "weight|gain"
LAYERS = [("first.weight", "first.bias"), ("second.weight", "second.bias")]
FEW, PRICED = Sparse(Codebook(2, rate=0.1)), {WEIGHTS: Sparse(Codebook(2))}


class Net(torch.nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.gain = torch.nn.Parameter(torch.randn(4))
        self.first, self.second = torch.nn.Linear(4, 5), torch.nn.Linear(5, 3)
        with torch.no_grad():  # a mask may keep weights that are zero
            self.first.weight[0, :2] = torch.tensor([0.0, -0.0])

    def forward(self, x):
        return self.second(torch.relu(self.first(x * self.gain)))


def inputs():
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(1))


def train(model, steps=2):
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        (model(inputs().to(model.gain.dtype)) - 1).square().mean().backward()
        optimizer.step()


def prune_gradually(model):
    pruning = GradualPruning(model, {WEIGHTS: Density(0.5)}, 0, 2, every=1)
    pruning.step()
    pruning.step()


METHODS = {
    "prune": lambda model: prune(model, {WEIGHTS: Density(0.95)}),
    "prune sparser": lambda model: prune(model, {WEIGHTS: Density(0.4)}),
    "prune by deviation": lambda model: prune(model, {WEIGHTS: Quality(0.4)}),
    "prune gradually": prune_gradually,
    "prune at price": lambda model: prune_at_price(model, PRICED, 0.02),
    "prune dead neurons": lambda model: prune_dead_neurons(model, LAYERS),
    "admm": lambda model: Admm(model, {WEIGHTS: Density(0.6)}).prune(),
    "share": lambda model: share(model, {WEIGHTS: Codebook(2)}),
    "share in 3 bits": lambda model: share(model, {WEIGHTS: DeepCompression(3)}),
    "share few": lambda model: share(model, {WEIGHTS: FEW}),
    "share at price": lambda model: share_at_price(model, PRICED, 0.02),
    "round centroids": round_centroids,
    "latent": lambda model: share_latent(model, {WEIGHTS: FEW}),
    "latent at price": lambda model: share_latent_at_price(model, PRICED, 0.02),
    "fix": lambda model: fix_points(model, {WEIGHTS: FixedPoint(4)}),
    "fix in 2 bits": lambda model: fix_points(model, {WEIGHTS: FixedPoint(2)}),
    "ternarize": lambda model: ternarize(model, {WEIGHTS: TrainedTernary(0.3)}),
    "ternarize by density": lambda model: ternarize(model, {WEIGHTS: Density(0.5)}),
    "train": train,
}
#: What may be refused after other methods, and with which words.
REFUSED = {
    "round centroids": "found no shared weights to round",
    "prune dead neurons": "depend on the dropped weights too",
}


#: Called twice without training in between, they change nothing. The others ask for more each
#: time: a deviation is that of the weights that are left, a rate takes its share of shared
#: values again, and a price is that of bits among fewer weights.
IDEMPOTENT = {
    "prune",
    "prune sparser",
    "prune gradually",
    "prune dead neurons",
    "admm",
    "share",
    "share in 3 bits",
    "round centroids",
    "latent",
    "fix",
    "fix in 2 bits",
    "ternarize",
    "ternarize by density",
}
#: They quantize unrounded weights, where there are some behind rounded ones.
UNROUNDED = {name for name in METHODS if name.startswith(("share", "latent", "fix", "ternarize"))}
SHARING = {name for name in METHODS if name.startswith("share")}


def own_parameters(first):
    """The methods that read more than weights from the parameters of an earlier method."""
    if first.startswith("latent"):
        return SHARING  # latent weights give their shared values to these
    if first.startswith("ternarize"):
        return {name for name in UNROUNDED if name.startswith("ternarize")}  # where zeros are
    return set()


def apply(model, name):
    """Call a method. Returns False if it refused, where it may."""
    try:
        METHODS[name](model)
    except ValueError as error:
        if REFUSED.get(name, "\0") not in str(error):
            raise
        return False
    return True


def bits(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def state(model):
    """The complete state of a model: names, types, shapes and bytes."""
    return {
        name: (tensor.dtype, tensor.shape, bits(tensor))
        for name, tensor in model.state_dict().items()
    }


def weights(model):
    return {name: bits(tensor) for name, tensor in plain_tensors(model).items()}


def masks(model):
    found = {place.name: place.compressed for place in places(model)}
    return {
        name: one.mask.clone()
        for name, one in found.items()
        if one is not None and one.mask is not None
    }


def plain_copy(model):
    """A net with the same weights and masks, without quantization."""
    plain, kept = Net(), masks(model)
    plain.load_state_dict(plain_tensors(model))
    commit([Change(one, mask=kept[one.name]) for one in places(plain) if one.name in kept], "test")
    return plain


def check(model):
    """Reported, stored and computed weights are the same."""
    said, found = densities(model), {}
    for place in places(model):
        if not torch.nn.utils.parametrize.is_parametrized(place.module, place.attribute):
            continue
        listed = place.module.parametrizations[place.attribute]
        assert isinstance(listed, Parametrization), place.name
        assert [type(one) for one in listed] == [Compressed], place.name
        compressed = place.compressed
        for name, buffer in compressed.named_buffers():
            assert buffer.dtype in (torch.uint8, torch.bool, torch.int64), name
            assert buffer.shape == place.value.shape or buffer.numel() in (1, 2, 256), name
        seen = getattr(place.module, place.attribute).detach()
        quantized = quantized_of(place)
        assert bits(seen) == quantized.dequantize().tobytes(), place.name
        kept = torch.ones(seen.numel(), dtype=torch.bool)
        if quantized.positions is not None:
            kept[:] = False
            kept[torch.from_numpy(quantized.positions)] = True
        assert not seen[~kept.view(seen.shape)].any(), place.name
        if compressed.mask is not None:
            assert not seen[~compressed.mask].any(), place.name
        density = int(kept.sum()) / kept.numel() if kept.numel() else 1.0
        found.update(dict.fromkeys(place.names, density))
    assert {name: found[name] for name in said} == said
    assert all(found[name] == 1 for name in found.keys() - said.keys())


def check_pruned(before, model):
    """No pruned weight has come back."""
    after = masks(model)
    for name, mask in before.items():
        assert not (after[name] & ~mask).any(), name


def check_file(model, folder, again):
    path = folder / "net.qcodec"
    export(model, path)
    load(again, path)
    assert weights(again) == weights(model)
    batch = inputs().to(model.gain.dtype)
    with torch.no_grad():
        assert bits(again(batch)) == bits(model(batch))


def step(model, name):
    """A copy of a model after one more method."""
    after = copy.deepcopy(model)
    if not apply(after, name):
        assert state(after) == state(model)
    check(after)
    check_pruned(masks(model), after)
    return after


@pytest.mark.parametrize("first", METHODS)
def test_every_chain_of_three_methods(first):
    one = step(Net(), first)
    own, found = state(one), {}
    for second in METHODS:
        two = step(one, second)
        found[second] = state(two)
        for third in METHODS:
            three = step(two, third)
            if second in ("latent", "fix in 2 bits", third):
                found[second, third] = state(three)
        assert state(two) == found[second]  # the copy shares nothing with the original
    assert state(one) == own
    for name in IDEMPOTENT:
        assert found[name, name] == found[name], name
    for name in UNROUNDED - own_parameters(first):
        assert found["fix in 2 bits", name] == found[name], name
    for name in UNROUNDED - SHARING - own_parameters(first):
        assert found["latent", name] == found[name], name


class Tied(Net):
    """A net in which two layers share one matrix, and one of them is used twice."""

    def __init__(self, seed=0):
        super().__init__(seed)
        self.first = torch.nn.Linear(4, 4)
        self.again, self.second = torch.nn.Linear(4, 4), self.first
        self.again.weight = self.first.weight

    def forward(self, x):
        return super().forward(self.again(x))


class Unusual(Net):
    """A net with a padded embedding and a tensor without elements."""

    def __init__(self, seed=0):
        super().__init__(seed)
        self.words = torch.nn.Embedding(6, 4, padding_idx=2)
        self.empty = torch.nn.Module()
        self.empty.weight = torch.nn.Parameter(torch.empty(3, 0))


VARIANTS = {
    "tied": Tied,
    "unusual, bfloat16": lambda: Unusual().bfloat16(),
    "float16": lambda: Net().half(),
}


#: What a variant refuses: dead neurons are looked for in chains of layers that are not tied.
NOT_FOR = {"tied": {"prune dead neurons"}}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_chain_of_two_methods_in_other_nets(variant, tmp_path):
    start = VARIANTS[variant]()
    methods = [name for name in METHODS if name not in NOT_FOR.get(variant, ())]
    for first in methods:
        one = step(start, first)
        for second in methods:
            two = step(one, second)
            if isinstance(two, Unusual):
                assert not two.words.weight[2].any()
        check_file(two, tmp_path, VARIANTS[variant]())


@pytest.mark.parametrize("second", sorted(METHODS.keys() - {"round centroids", "train"}))
@pytest.mark.parametrize("first", [name for name in METHODS if name.startswith("share")])
def test_shared_weights_are_to_the_next_method_what_plain_ones_are(first, second):
    """This includes a tensor with as many centroids as weights: `gain` has four of each."""
    model = Net()
    prune(model, {WEIGHTS: Density(0.8)})
    apply(model, first)
    train(model)
    plain = plain_copy(model)
    apply(model, second)
    apply(plain, second)
    assert weights(model) == weights(plain)


@settings(max_examples=60)
@given(chain=st.lists(st.sampled_from(sorted(METHODS)), min_size=1, max_size=5), data=st.data())
def test_chains_of_five_and_their_files_copies_and_states(chain, data, tmp_path_factory):
    model, other = Net(), Net(5)
    for name in chain:
        before = masks(model)
        copied = copy.deepcopy(model)
        assert apply(model, name) == apply(copied, name) == apply(other, name)
        assert state(copied) == state(model)
        check(model)
        check_pruned(before, model)
        if data.draw(st.booleans(), "train"):
            kept = masks(model)
            train(model)
            train(other)
            check(model)
            check_pruned(kept, model)
    check_file(model, tmp_path_factory.mktemp("chain"), Net(9))
    saved = io.BytesIO()
    torch.save(model.state_dict(), saved)
    saved.seek(0)
    other.load_state_dict(torch.load(saved))
    assert state(other) == state(model)
    assert weights(other) == weights(model)
    assert densities(other) == densities(model)
    train(model)
    train(other)
    assert state(other) == state(model)
