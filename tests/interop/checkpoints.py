"""Checkpoint folders of tiny models, as transformers writes them, and their compressed forms."""

import json
import shutil

import torch
import transformers
from safetensors.torch import save_file

import qcodec
from qcodec.checkpoints import encode_checkpoint

INPUTS = torch.arange(24).reshape(2, 12)


def bert():
    config = transformers.BertConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=120, num_labels=3,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


def llama():
    """With tied embeddings."""
    config = transformers.LlamaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=120, tie_word_embeddings=True,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


def mixtral():
    """With experts that transformers stores one by one, and merges when it loads them."""
    config = transformers.MixtralConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=12, vocab_size=120,
    )  # fmt: skip
    return transformers.MixtralForCausalLM(config)


def llava():
    """With a model in the model, whose names are those of an older one."""
    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }  # fmt: skip
    text = {"model_type": "llama", "vocab_size": 120, **sizes}
    vision = {"model_type": "clip_vision_model", "image_size": 32, "patch_size": 8, **sizes}
    config = transformers.LlavaConfig(text_config=text, vision_config=vision)
    return transformers.LlavaForConditionalGeneration(config)


def t5():
    """With embeddings that both halves share."""
    config = transformers.T5Config(
        d_model=32, d_ff=64, d_kv=8, num_layers=2, num_heads=4, vocab_size=120
    )
    return transformers.T5ForConditionalGeneration(config)


def gpt_oss():
    """With experts that are stored merged."""
    config = transformers.GptOssConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=4, head_dim=8, vocab_size=120,
    )  # fmt: skip
    return transformers.GptOssForCausalLM(config)


def jamba():
    """With layers of different kinds."""
    config = transformers.JambaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_experts=4, mamba_d_state=8, attn_layer_period=2,
        attn_layer_offset=1, expert_layer_period=2, expert_layer_offset=1, vocab_size=120,
        use_mamba_kernels=False,
    )  # fmt: skip
    return transformers.JambaForCausalLM(config)


#: Models that take `INPUTS`, and others.
MODELS = {"bert": bert, "llama": llama, "mixtral": mixtral}
OTHERS = {"llava": llava, "t5": t5, "gpt_oss": gpt_oss, "jamba": jamba}


def saved(make, folder, **options):
    """Save a new model with random weights; returns it."""
    torch.manual_seed(0)
    model = make().eval()
    model.save_pretrained(folder, **options)
    return model


def outputs(model):
    with torch.no_grad():
        return model(INPUTS).logits


def compress(plain, folder, **options):
    """Write the compressed form of a checkpoint folder, in the same shards; returns the folder."""
    encode_checkpoint(plain, folder, keep_split=True, **options)
    return folder


def pack(plain, folder):
    """Write a checkpoint folder whose files have packs, for readers by qcodec; returns it."""
    shutil.copytree(plain, folder)
    for path in folder.glob("*.safetensors"):
        qcodec.save_file(qcodec.load_file(path), path)
    return folder


def decompress(folder, plain):
    """Write what qcodec decodes as a checkpoint folder without qcodec; returns it."""
    shutil.copytree(folder, plain)
    for path in plain.glob("*.safetensors"):
        save_file(qcodec.load_file(path, framework="pt"), path, {"format": "pt"})
    config = json.loads((plain / "config.json").read_text())
    del config["quantization_config"]
    (plain / "config.json").write_text(json.dumps(config))
    return plain
