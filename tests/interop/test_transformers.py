"""Compressed checkpoints load in transformers by from_pretrained, as what they were made from."""

import json

import pytest

torch = pytest.importorskip("torch")
safetensors = pytest.importorskip("safetensors")
transformers = pytest.importorskip("transformers")

from safetensors.torch import save_file  # noqa: E402

import qcodec  # noqa: E402
import qcodec.transformers  # noqa: E402
from qcodec.errors import QCodecError  # noqa: E402
from tests.interop.checkpoints import (  # noqa: E402
    INPUTS,
    MODELS,
    OTHERS,
    bert,
    compress,
    decompress,
    llama,
    outputs,
    saved,
)


@pytest.fixture(params=MODELS)
def make(request):
    return MODELS[request.param]


def reloaded(model, folder, **options):
    again, report = type(model).from_pretrained(folder, output_loading_info=True, **options)
    assert not any(report.values()), report
    return again


def same_state(model, other):
    state, others = model.state_dict(), other.state_dict()
    return state.keys() == others.keys() and all(
        state[name].dtype == others[name].dtype and torch.equal(state[name], others[name])
        for name in state
    )


@pytest.mark.parametrize("shards", ["5GB", "60KB"])
def test_a_lossless_checkpoint_computes_what_the_model_computed(tmp_path, make, shards):
    model = saved(make, tmp_path / "plain", max_shard_size=shards)
    folder = compress(tmp_path / "plain", tmp_path / "small")
    assert len(list(folder.glob("*.safetensors"))) > (1 if shards == "60KB" else 0)
    again = reloaded(model, folder)
    assert same_state(model, again)
    assert torch.equal(outputs(model), outputs(again))


def test_an_8_bit_checkpoint_is_what_qcodec_decodes_and_close(tmp_path, make):
    model = saved(make, tmp_path / "plain")
    recipe = qcodec.Affine(bits=8, per=0)
    folder = compress(tmp_path / "plain", tmp_path / "small", recipe=recipe)
    again = reloaded(model, folder)
    decoded = type(model).from_pretrained(decompress(folder, tmp_path / "decoded"))
    assert same_state(again, decoded)
    expected = outputs(model)
    assert 0 < (outputs(again) - expected).norm() < 0.05 * expected.norm()


def test_experts_stay_in_order_if_some_are_not_encoded(tmp_path):
    model = saved(MODELS["mixtral"], tmp_path / "plain")
    recipe = {r"experts\.[37]\.": None, ".": qcodec.Lossless()}
    folder = compress(tmp_path / "plain", tmp_path / "small", recipe=recipe)
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        names = [name for name in file.keys() if ".experts." in name]  # noqa: SIM118
    ordinary = [name for name in names if not name.endswith(".qcodec")]
    assert 0 < len(ordinary) < len(names)
    assert same_state(model, reloaded(model, folder))


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_are_what_transformers_makes_of_the_plain_checkpoint(tmp_path, name):
    model = saved(OTHERS[name], tmp_path / "plain", max_shard_size="40KB")
    plain = type(model).from_pretrained(tmp_path / "plain")
    again = reloaded(model, compress(tmp_path / "plain", tmp_path / "small"))
    assert same_state(plain, again)
    again.save_pretrained(tmp_path / "again", max_shard_size="40KB")  # under the same names
    before, after = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).glob("*.safetensors")}
        for folder in ("plain", "again")
    )
    assert before == after


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "auto"])
def test_another_type_is_what_transformers_makes_of_the_plain_checkpoint(tmp_path, make, dtype):
    model = saved(make, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    plain = type(model).from_pretrained(tmp_path / "plain", dtype=dtype)
    assert same_state(plain, reloaded(model, folder, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_type_is_known_where_the_model_does_not_say_it(tmp_path, make, dtype):
    model = saved(lambda: make().to(getattr(torch, dtype)), tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    for source in (tmp_path / "plain", folder):
        config = json.loads((source / "config.json").read_text())
        del config["dtype"]
        (source / "config.json").write_text(json.dumps(config))
    plain = type(model).from_pretrained(tmp_path / "plain", dtype="auto")
    again = reloaded(model, folder, dtype="auto")
    assert same_state(plain, again)
    assert again.dtype == getattr(torch, dtype)
    assert same_state(type(model).from_pretrained(tmp_path / "plain"), reloaded(model, folder))


@pytest.mark.parametrize("dtype", ["load", "int8", 32, ""])
def test_a_type_that_is_no_float_is_refused(tmp_path, dtype):
    saved(bert, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    config = json.loads((folder / "config.json").read_text())
    del config["dtype"]
    config["quantization_config"]["dtype"] = dtype
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=f"quantization_config is {dtype!r}, allowed"):
        transformers.BertModel.from_pretrained(folder, dtype="auto")


def test_a_device_map_may_be_given(tmp_path, make):
    pytest.importorskip("accelerate")
    model = saved(make, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    for device_map in ("cpu", {"": torch.device("cpu")}, "auto"):
        assert same_state(model, reloaded(model, folder, device_map=device_map))


def test_a_state_dict_may_be_given_with_the_configuration_of_the_folder(tmp_path, make):
    model = saved(make, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    config = transformers.AutoConfig.from_pretrained(folder)
    assert config.quantization_config["quant_method"] == "qcodec"
    with qcodec.safe_open(folder, "pt") as file:
        slices = {name: file.get_slice(name) for name in file}
        again = type(model).from_pretrained(None, config=config, state_dict=slices)
    assert same_state(model, again)
    with qcodec.lazy_state_dict(folder) as weights:
        again = type(model).from_pretrained(None, config=config, state_dict=weights)
    assert same_state(model, again)


def test_a_state_dict_needs_no_plug_in(tmp_path, run_python):
    model = saved(llama, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    code = """
import sys, qcodec, transformers
config = transformers.AutoConfig.from_pretrained(sys.argv[1])
with qcodec.lazy_state_dict(sys.argv[1]) as weights:
    model = transformers.LlamaForCausalLM.from_pretrained(None, config=config, state_dict=weights)
assert "qcodec.transformers" not in sys.modules
model.save_pretrained(sys.argv[2])
"""
    run_python(code, folder, tmp_path / "again")
    assert same_state(model, type(model).from_pretrained(tmp_path / "again"))


def test_what_a_checkpoint_lacks_is_reported_and_initialized(tmp_path):
    model = saved(bert, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    for source in (tmp_path / "plain", folder):
        base = transformers.BertModel.from_pretrained(source)  # without the head
        assert same_state(base, model.bert)
        other, report = transformers.BertForMaskedLM.from_pretrained(
            source, output_loading_info=True
        )
        assert same_state(other.bert.encoder, model.bert.encoder)
        assert "cls.predictions.bias" in report["missing_keys"]
        assert report["unexpected_keys"] >= {"classifier.weight", "classifier.bias"}


def test_old_names_are_renamed(tmp_path):
    model = saved(bert, tmp_path / "plain")
    path = tmp_path / "plain" / "model.safetensors"
    tensors = qcodec.load_file(path, framework="pt")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma"): tensor
        for name, tensor in tensors.items()
    }
    assert old.keys() != tensors.keys()
    save_file(old, path, {"format": "pt"})
    folder = compress(tmp_path / "plain", tmp_path / "small")
    assert same_state(model, reloaded(model, folder))


def test_the_model_is_an_ordinary_one(tmp_path):
    model = saved(llama, tmp_path / "plain")
    again = reloaded(model, compress(tmp_path / "plain", tmp_path / "small"))
    assert again.lm_head.weight is again.model.embed_tokens.weight  # tied
    assert "quantization_config" not in again.config.to_dict()
    loss = again(INPUTS, labels=INPUTS).loss
    loss.backward()
    torch.optim.SGD(again.parameters(), 0.1).step()
    assert again(INPUTS, labels=INPUTS).loss < loss
    again.save_pretrained(tmp_path / "trained")
    assert same_state(again, reloaded(model, tmp_path / "trained"))
    again.half()


def test_a_checkpoint_is_read_whole_if_it_may_not_be_mapped(tmp_path):
    model = saved(llama, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    assert same_state(model, reloaded(model, folder, disable_mmap=True))


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("shards", ["5GB", "60KB"])
def test_a_model_is_offloaded_to_the_disk(tmp_path, tied, shards):
    pytest.importorskip("accelerate")
    make = llama if tied else MODELS["mixtral"]
    model = saved(make, tmp_path / "plain", max_shard_size=shards)
    folder = compress(tmp_path / "plain", tmp_path / "small")
    again = type(model).from_pretrained(
        folder, device_map={"": "disk"}, offload_folder=tmp_path / "offloaded"
    )
    assert all(parameter.is_meta for parameter in again.parameters())
    assert torch.equal(outputs(model), outputs(again))


def test_a_broken_frame_is_named(tmp_path):
    model = saved(bert, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    path, name = folder / "model.safetensors", "bert.embeddings.word_embeddings.weight"
    with qcodec.safe_open(path) as file:
        stored = file.directory.tensors[name]
    data = bytearray(path.read_bytes())
    data[stored.offset + stored.size // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(QCodecError, match=name):
        type(model).from_pretrained(folder)


def test_a_pack_is_refused_with_the_layout_that_works(tmp_path):
    model = saved(bert, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    path = folder / "model.safetensors"
    qcodec.save_file(qcodec.load_file(path), path, {"format": "pt"})
    with pytest.raises(QCodecError, match=r"checkpoint has a pack.*layout='entries'"):
        type(model).from_pretrained(folder)


def test_two_tensors_of_one_name_are_refused(tmp_path):
    model = saved(bert, tmp_path / "plain")
    folder = compress(tmp_path / "plain", tmp_path / "small")
    extra = {"classifier.bias": torch.zeros(3)}
    save_file(extra, folder / "more.safetensors", {"format": "pt"})
    with safetensors.safe_open(folder / "model.safetensors", "pt") as file:
        index = dict.fromkeys(file.keys(), "model.safetensors")
    index["classifier.bias"] = "more.safetensors"
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": index})
    )
    (folder / "model.safetensors").rename(folder / "moved.safetensors")
    index = {name: file.replace("model.s", "moved.s") for name, file in index.items()}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": index})
    )
    with pytest.raises(QCodecError, match=r"two tensors .* 'classifier\.bias'"):
        type(model).from_pretrained(folder)


def test_a_plain_checkpoint_is_not_encoded_while_it_is_loaded(tmp_path):
    model = saved(bert, tmp_path / "plain")
    with pytest.raises(ValueError, match="pre-quantized"):
        type(model).from_pretrained(
            tmp_path / "plain", quantization_config=qcodec.transformers.QCodecConfig()
        )


def test_tensor_parallel_loading_is_refused_with_the_way_that_works():
    from transformers.distributed.configuration_utils import DistributedConfig

    model = bert()
    model.config.distributed_config = DistributedConfig()
    quantizer = qcodec.transformers.QCodecQuantizer(qcodec.transformers.QCodecConfig())
    with pytest.raises(NotImplementedError, match="state_dict="):
        quantizer.update_weight_conversions([], model)


def test_an_older_transformers_is_refused(run_python):
    code = """
import transformers
transformers.__version__ = "5.9.1"
try:
    import qcodec.transformers
except ImportError as error:
    print(error)
"""
    expected = "qcodec.transformers needs transformers 5.24 or newer, found 5.9.1\n"
    assert run_python(code) == expected


def test_the_configuration_is_what_the_checkpoint_says():
    config = qcodec.transformers.QCodecConfig()
    assert config.to_dict() == {"quant_method": "qcodec"}
    known = {"quant_method": "qcodec", "dtype": "bfloat16"}
    assert qcodec.transformers.QCodecConfig.from_dict(known).to_dict() == known
    assert json.loads(qcodec.transformers.QCodecConfig(**known).to_json_string()) == known
