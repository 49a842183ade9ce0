"""A lazy state dict is a state dict to torch, transformers and accelerate."""

import gc
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import qcodec  # noqa: E402
from qcodec.errors import MissingTensorError  # noqa: E402


class Tied(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(40, 16)
        self.layer = torch.nn.Linear(16, 16, dtype=torch.bfloat16)
        self.norm = torch.nn.BatchNorm1d(16)
        self.head = torch.nn.Linear(16, 40, bias=False)
        self.head.weight = self.embedding.weight


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Tied()


@pytest.fixture
def path(model, tmp_path):
    qcodec.save_file(model.state_dict(), tmp_path / "net.qc.safetensors")
    return tmp_path / "net.qc.safetensors"


def test_it_is_a_mapping_of_the_tensors(path, model):
    state = model.state_dict()
    with qcodec.lazy_state_dict(path) as weights:
        assert len(weights) == len(state)
        assert set(weights) == weights.keys() == state.keys()
        assert "layer.weight" in weights
        assert "layer" not in weights
        for name, tensor in weights.items():
            assert tensor.dtype == state[name].dtype
            assert torch.equal(tensor, state[name])
        with pytest.raises(MissingTensorError, match="'layer'"):
            weights["layer"]
        assert weights.get("layer") is None
        kept = weights["layer.weight"]
    assert torch.equal(kept, state["layer.weight"])
    with pytest.raises(ValueError, match="closed"):
        weights["layer.weight"]


def test_only_a_requested_tensor_is_read_and_it_is_not_kept(tmp_path):
    random = np.random.default_rng(0)
    tensors = {name: random.normal(size=(size, 300)) for name, size in (("a", 100), ("b", 900))}
    qcodec.save_file(tensors, tmp_path / "net.qc.safetensors", layout="entries")
    with qcodec.lazy_state_dict(tmp_path / "net.qc.safetensors") as weights:
        before = weights.file.source.bytes_read
        tensor = weights["a"]
        other = weights.file.directory.tensors["b"]
        assert weights.file.source.bytes_read - before < other.size / 2
        assert weights["a"] is tensor
        del tensor
        gc.collect()
        before = weights.file.source.bytes_read
        assert weights["a"].shape == (100, 300)
        assert weights.file.source.bytes_read > before


def test_floats_are_converted_and_others_are_not(path, model):
    state = model.state_dict()
    with qcodec.lazy_state_dict(path, dtype=torch.float16) as weights:
        for name, tensor in weights.items():
            assert torch.equal(
                tensor, state[name].half() if state[name].is_floating_point() else state[name]
            )


def test_load_state_dict_assigns_it(path, model):
    with torch.device("meta"):
        again = Tied()
    with qcodec.lazy_state_dict(path) as weights:
        again.load_state_dict(weights, assign=True)
    assert not any(parameter.is_meta for parameter in again.parameters())
    assert again.layer.weight.dtype == torch.bfloat16
    state = model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in again.state_dict().items())


def test_tied_weights_share_memory(path):
    with torch.device("meta"):
        again = Tied()
    with qcodec.lazy_state_dict(path) as weights:
        again.load_state_dict(weights, assign=True)
    assert again.head.weight.data_ptr() == again.embedding.weight.data_ptr()


@pytest.mark.parametrize("stored", ["head.weight", "embedding.weight"])
def test_a_tied_name_that_the_file_lacks_is_added(tmp_path, model, stored):
    state = model.state_dict()
    del state["head.weight"], state["embedding.weight"]
    qcodec.save_file(state | {stored: model.head.weight}, tmp_path / "net.qc.safetensors")
    with torch.device("meta"):
        again = Tied()
    tied = {"head.weight": "embedding.weight", "neither": "of these"}
    with qcodec.lazy_state_dict(tmp_path / "net.qc.safetensors", tied=tied) as weights:
        assert weights.keys() == model.state_dict().keys()
        assert len(weights) == len(model.state_dict())
        again.load_state_dict(pickle.loads(pickle.dumps(weights)), assign=True)
    assert torch.equal(again.head.weight, model.head.weight)
    assert again.head.weight.data_ptr() == again.embedding.weight.data_ptr()


def test_load_state_dict_copies_from_it(path, model):
    again = Tied()
    with qcodec.lazy_state_dict(path) as weights:
        again.load_state_dict(weights)
    assert again.head.weight is again.embedding.weight
    assert torch.equal(again.head.weight, model.head.weight)


def test_it_is_pickled_by_the_path(path, model):
    with qcodec.lazy_state_dict(path, dtype="float64") as weights:
        data = pickle.dumps(weights)
    with pickle.loads(data) as again:
        assert torch.equal(again["head.weight"], model.head.weight.double())


@pytest.mark.parametrize("name", ["bert", "llama", "mixtral"])
@pytest.mark.parametrize("shards", ["5GB", "60KB"])
def test_from_pretrained_takes_it_without_a_plug_in(tmp_path, name, shards):
    pytest.importorskip("transformers")
    from tests.interop.checkpoints import MODELS, outputs, pack, saved

    model = saved(MODELS[name], tmp_path / "plain", max_shard_size=shards)
    folder = pack(tmp_path / "plain", tmp_path / "small")
    with qcodec.lazy_state_dict(folder) as weights:
        again, report = type(model).from_pretrained(
            None, config=model.config, state_dict=weights, output_loading_info=True
        )
    assert not any(report.values())
    assert torch.equal(outputs(again), outputs(model))
    with qcodec.safe_open(folder, "pt") as file:
        slices = {name: file.get_slice(name) for name in file}
        again = type(model).from_pretrained(None, config=model.config, state_dict=slices)
    assert torch.equal(outputs(again), outputs(model))


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_accelerate_offloads_to_it(tmp_path, name):
    pytest.importorskip("transformers")
    accelerate = pytest.importorskip("accelerate")
    from tests.interop.checkpoints import MODELS, compress, outputs, saved

    model = saved(MODELS[name], tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    with accelerate.init_empty_weights():
        again = type(model)(model.config).eval()
    again.tie_weights()
    tied = again.all_tied_weights_keys
    assert bool(tied) == (name == "llama")
    with qcodec.lazy_state_dict(folder, tied=tied) as weights:
        accelerate.dispatch_model(again, {"": "disk"}, state_dict=weights, offload_index={})
        assert all(parameter.is_meta for parameter in again.parameters())
        assert torch.equal(outputs(again), outputs(model))
        assert all(parameter.is_meta for parameter in again.parameters())


def test_accelerate_offloads_a_part_of_a_model_to_it(tmp_path):
    pytest.importorskip("transformers")
    accelerate = pytest.importorskip("accelerate")
    from tests.interop.checkpoints import MODELS, compress, outputs, saved

    model = saved(MODELS["bert"], tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    again = saved(MODELS["bert"], tmp_path / "other")
    for parameter in again.bert.encoder.parameters():
        parameter.data.zero_()
    with qcodec.lazy_state_dict(folder) as weights:
        places = {"bert.embeddings": "cpu", "bert.encoder": "disk", "bert.pooler": "cpu",
                  "classifier": "cpu"}  # fmt: skip
        accelerate.dispatch_model(again, places, state_dict=weights, offload_index={})
        assert again.bert.encoder.layer[0].output.dense.weight.is_meta
        assert torch.equal(outputs(again), outputs(model))
