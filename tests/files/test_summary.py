"""What a summary says of each tensor is what the file decodes to."""

import numpy as np
import pytest

import qcodec
from qcodec import Recipe, Summary
from qcodec.recipes import Rule

RNG = np.random.default_rng(0)
TENSORS = {
    "wte.weight": RNG.normal(size=(100, 32)),
    "fc.weight": RNG.normal(size=(64, 32)).astype(np.float32),
    "conv.weight": RNG.normal(size=(8, 8, 5, 5)).astype(np.float16),
    "fc.bias": RNG.normal(size=64).astype(np.float32),
    "steps": np.arange(10),
    "zeros": np.zeros((40, 40), np.float32),
}
KINDS = ["embeddings", "matrices", "convolutions", "vectors", "integers", "matrices"]
CODECS = [
    qcodec.Codebook(4),
    qcodec.Affine(8, per=0, symmetric=True),
    qcodec.Ternary(),
    qcodec.Sparse(qcodec.FixedPoint(8), qcodec.Density(0.3)),
    qcodec.Levels(group=32),
]


def summary_of(recipe, **options):
    summary = Summary()
    data = qcodec.save(TENSORS, recipe=recipe, summary=summary, **options)
    return {one.name: one for one in summary.tensors}, qcodec.load(data), summary


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_the_error_is_that_of_the_decoded_tensor(codec, threads):
    found, again, _ = summary_of(codec, threads=threads)
    for name in ("wte.weight", "fc.weight", "conv.weight"):
        expected = qcodec.sqnr(TENSORS[name], again[name])
        assert found[name].sqnr == pytest.approx(expected, abs=0.01)
        assert found[name].codec == codec
        assert found[name].elements == TENSORS[name].size


def test_every_tensor_has_its_kind():
    found, _, summary = summary_of(qcodec.Codebook(4))
    assert [found[name].kind for name in TENSORS] == KINDS
    assert list(summary.by_kind()) == ["matrices", "embeddings", "convolutions"]
    assert {name for name in TENSORS if found[name].is_exact} == {"fc.bias", "steps"}


def test_what_is_exact_has_no_error_and_zeros_have_none_either():
    found, _, _ = summary_of(Recipe([Rule("fc.weight", None)], weights=qcodec.Codebook(4)))
    assert found["fc.weight"].is_exact
    assert found["fc.weight"].sqnr == np.inf
    assert found["zeros"].sqnr == np.inf
    assert not found["zeros"].is_exact


def test_a_summary_changes_no_byte():
    _, _, summary = summary_of(qcodec.Codebook(4))
    plain = qcodec.save(TENSORS, recipe=qcodec.Codebook(4))
    assert plain == qcodec.save(TENSORS, recipe=qcodec.Codebook(4), summary=Summary())
    assert summary.sqnr == pytest.approx(20, abs=3)


def test_weights_near_the_end_of_their_range_have_a_ratio_too():
    tensors = {"w": np.full((40, 40), 3e38, np.float32)}
    tensors["w"][0] = -1e30
    summary = Summary()
    qcodec.save(tensors, recipe=qcodec.Codebook(1), summary=summary)
    assert np.isfinite(summary.tensors[0].sqnr) or summary.tensors[0].sqnr == np.inf
    assert summary.warning() == ""
