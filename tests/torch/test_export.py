"""Files hold exactly the trained weights, and load them again."""

import copy

import pytest
import torch

import qcodec
from qcodec import Codebook, Density, Sparse, Ternary
from qcodec.torch import export, load, plain_tensors, prune, share


def network(dtype=torch.float32):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Flatten(), torch.nn.Linear(8, 5)
    ).to(dtype)


def pruned(model):
    prune(model, {"weight": Density(0.3)})


def shared(model):
    share(model, {r"^[03]\.weight": Codebook(3)})


def pruned_and_shared(model):
    pruned(model)
    shared(model)


def entropy_constrained(model):
    pruned(model)
    share(model, {r"^[03]\.weight": Sparse(Codebook(4, rate=0.05)), "bias": Codebook(2)})


def ternary(model):
    share(model, {r"^[03]\.weight": Ternary()})


STATES = [lambda model: None, pruned, shared, pruned_and_shared, entropy_constrained, ternary]
NAMES = ["plain", "pruned", "shared", "pruned and shared", "entropy-constrained", "ternary"]


@pytest.mark.parametrize("suffix", [".qcodec", ".qc.safetensors"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("prepare", STATES, ids=NAMES)
def test_a_trained_model_comes_back_bit_for_bit(prepare, dtype, suffix, tmp_path):
    model = network(dtype)
    prepare(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9, weight_decay=0.1)
    for _ in range(3):  # move away from the values that the quantizers chose
        optimizer.zero_grad()
        model(torch.randn(4, 3, 3, 3, dtype=dtype)).square().sum().backward()
        optimizer.step()
    path = tmp_path / f"net{suffix}"
    assert export(model, path) == path.stat().st_size
    again = network(dtype)
    prune(again, {"weight": Density(0.1)})  # earlier parametrizations do not matter
    load(again, path)
    found, wanted = plain_tensors(again), plain_tensors(model)
    assert found.keys() == wanted.keys() == network().state_dict().keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].numpy(force=True).tobytes() == tensor.numpy(force=True).tobytes() \
            if dtype != torch.bfloat16 else torch.equal(found[name], tensor), name  # fmt: skip


def test_codes_are_stored_and_not_values(tmp_path):
    model = torch.nn.Linear(256, 256, bias=False)
    shared_at = {"weight": Codebook(4)}
    share(model, shared_at)
    export(model, tmp_path / "net.qcodec")
    with qcodec.safe_open(tmp_path / "net.qcodec") as file:
        assert file.info("weight").kind == "codebook"
    assert (tmp_path / "net.qcodec").stat().st_size < 256 * 256 / 2 + 300


def test_a_recipe_is_for_what_nothing_has_quantized(tmp_path):
    model = torch.nn.Linear(64, 64)
    share(model, {"weight": Codebook(4)})
    export(
        model,
        tmp_path / "net.qcodec",
        recipe={"bias": qcodec.Affine(4), "weight": qcodec.Verbatim()},
    )
    again = qcodec.load_file(tmp_path / "net.qcodec")
    assert len(set(again["bias"].tolist())) <= 16
    assert (again["weight"] == model.weight.detach().numpy()).all()


def test_a_dict_without_a_keyword_is_metadata(tmp_path):
    export(torch.nn.Linear(2, 2), tmp_path / "net.safetensors", {"epoch": "3"})
    with qcodec.safe_open(tmp_path / "net.safetensors") as file:
        assert file.metadata() == {"epoch": "3"}


def tensors_of(model):
    return {name: tensor.numpy() for name, tensor in plain_tensors(model).items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("3.bias"), "the file lacks: '3.bias'; "),
        (lambda t: t.update(more=t["3.bias"]), "the model lacks: 'more'$"),
        (lambda t: t.update({"3.bias": t["3.bias"][:4]}), r"'3.bias': found \[4\]"),
        (lambda t: t.update({"3.bias": t["3.bias"].astype("f8")}), r"'3.bias'.*float64"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(change, message, tmp_path):
    tensors = {name: array + 1 for name, array in tensors_of(network()).items()}
    change(tensors)
    qcodec.save_file(tensors, tmp_path / "net.qcodec")
    model = network()
    before = {name: tensor.clone() for name, tensor in plain_tensors(model).items()}
    with pytest.raises(ValueError, match=message):
        load(model, tmp_path / "net.qcodec")
    assert all(torch.equal(before[name], now) for name, now in plain_tensors(model).items())


def test_a_copy_into_which_a_file_is_loaded_leaves_the_model_as_it_was(tmp_path):
    """Copies share a class, and torch deletes parametrized properties from it."""
    model = network()
    pruned_and_shared(model)
    again = copy.deepcopy(model)
    export(model, tmp_path / "net.qcodec")
    load(again, tmp_path / "net.qcodec")
    assert torch.equal(model[0].weight, again[0].weight)
    assert len(list(model.parameters())) == len(list(again.parameters()))
    prune(again, {"weight": Density(0.1)})
    assert torch.equal(model[3].weight, copy.deepcopy(model)[3].weight)


def test_a_model_is_not_exported_onto_the_base_of_its_delta(tmp_path):
    model, base = network(), tmp_path / "base.safetensors"
    export(model, base)
    before = base.read_bytes()
    with torch.no_grad():
        model[0].weight += 1e-3
    (tmp_path / "link.safetensors").symlink_to(base)
    for path in (base, tmp_path / "link.safetensors"):
        with pytest.raises(ValueError, match="is the base"):
            export(model, path, recipe=qcodec.Delta(base))
    assert base.read_bytes() == before
    with pytest.raises(ValueError, match="another format"):
        export(model, tmp_path / "net.pt")


def test_buffers_keep_every_bit_whatever_the_recipe_is_for(tmp_path):
    model = torch.nn.Linear(64, 64)
    model.register_buffer("positions", torch.randn(64, 64))
    model.register_buffer("causal", torch.triu(torch.full((64, 64), float("-inf")), 1))
    export(model, tmp_path / "net.qcodec", recipe={"weight|positions|causal": Codebook(2)})
    again = torch.nn.Linear(64, 64)
    again.register_buffer("positions", torch.zeros(64, 64))
    again.register_buffer("causal", torch.zeros(64, 64))
    load(again, tmp_path / "net.qcodec")
    assert torch.equal(again.positions, model.positions)
    assert torch.equal(again.causal, model.causal)
    assert len(again.weight.unique()) == 4
