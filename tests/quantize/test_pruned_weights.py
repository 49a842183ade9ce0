"""Weights that were pruned before: their zeros have both signs."""

import numpy as np
import pytest

import qcodec

QUANTIZERS = [
    qcodec.DeepCompression(bits=4),
    qcodec.Sparse(qcodec.Codebook(bits=4)),
    qcodec.Sparse(qcodec.FixedPoint(bits=6)),
    qcodec.Sparse(qcodec.Affine(bits=6, symmetric=True)),
    qcodec.Sparse(qcodec.Ternary()),
]


@pytest.fixture
def masked():
    """A product of weights and mask, as training with pruning leaves it."""
    weights = np.random.default_rng(3).normal(size=(50, 40)).astype(np.float32)
    product = weights * (np.abs(weights) > 1)
    assert np.signbit(product[product == 0]).any()
    return product


@pytest.mark.parametrize("codec", QUANTIZERS, ids=repr)
def test_quantizers_do_not_store_the_minus_zeros_that_masks_leave(codec, masked):
    clean = masked + np.float32(0)
    assert qcodec.encode(masked, codec) == qcodec.encode(clean, codec)
    assert codec.quantize(masked).positions.tolist() == np.flatnonzero(masked).tolist()


@pytest.mark.parametrize("codec", QUANTIZERS, ids=repr)
def test_quantizers_refuse_nan_beside_zeros(codec, masked):
    masked[7, 7] = np.nan
    with pytest.raises(ValueError, match=r"first at \(7, 7\)"):
        codec.quantize(masked)


def test_lossless_keeps_the_sign_of_zeros(masked):
    decoded = qcodec.decode(qcodec.encode(masked, qcodec.Sparse(qcodec.Lossless())))
    assert decoded.tobytes() == masked.tobytes()
