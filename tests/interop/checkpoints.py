"""Checkpoint folders of tiny models, as transformers writes them, and their compressed forms."""

import json
import shutil

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
)

import qcodec
from qcodec.checkpoints import encode_checkpoint

INPUTS = torch.arange(24).reshape(2, 12)


def bert():
    config = BertConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=120, num_labels=3,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def llama():
    """With tied embeddings."""
    config = LlamaConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=120, tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def mixtral():
    """With experts that transformers stores one by one, and merges when it loads them."""
    config = MixtralConfig(
        hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=12, vocab_size=120,
    )  # fmt: skip
    return MixtralForCausalLM(config)


MODELS = {"bert": bert, "llama": llama, "mixtral": mixtral}


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
