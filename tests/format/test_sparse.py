"""Sparse matrices are encoded and decoded without a dense copy."""

from __future__ import annotations

import numpy as np
import pytest

import qcodec
from qcodec import sparse

scipy_sparse = pytest.importorskip("scipy.sparse")


def random_csr(shape=(200, 300), density=0.05, dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    return scipy_sparse.random_array(shape, density=density, format="csr", rng=rng).astype(dtype)


def assert_equal(a, b):
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    for part in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(a, part), getattr(b, part))


@pytest.mark.parametrize("profile", ["fast", "balanced", "small", "fixed"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
def test_csr_comes_back_equal(dtype, profile):
    matrix = random_csr()
    matrix.data = (matrix.data * 100 + 1).astype(dtype)
    data = sparse.encode_csr(matrix, profile=profile)
    assert qcodec.info(data).positions == "csr"
    back = sparse.decode_csr(data)
    assert_equal(back, matrix)
    assert_equal(qcodec.Encoded(data).to_csr(), matrix)


@pytest.mark.parametrize("shape", [(1, 1), (0, 5), (5, 0), (3, 1), (1, 70_000)])
def test_odd_shapes_come_back_equal(shape):
    matrix = random_csr(shape, 0.3)
    assert_equal(sparse.decode_csr(sparse.encode_csr(matrix)), matrix)


def test_a_matrix_far_too_large_to_be_dense_comes_back():
    rows = np.arange(0, 3000, 3)
    columns = (rows * 7919) % 1_000_000
    matrix = scipy_sparse.csr_array((np.ones(1000), (rows, columns)), shape=(3000, 1_000_000))
    data = sparse.encode_csr(matrix, profile="small")
    assert_equal(sparse.decode_csr(data), matrix)
    assert len(data) < 200_000


def test_values_are_quantized_by_the_codec():
    matrix = random_csr()
    data = sparse.encode_csr(matrix, qcodec.Codebook(bits=4))
    back = sparse.decode_csr(data)
    assert np.array_equal(back.indices, matrix.indices)
    assert len(np.unique(back.data)) <= 15
    assert qcodec.sqnr(matrix.data, back.data) > 15


def test_duplicates_are_summed_and_zeros_left_out_without_touching_the_input():
    matrix = scipy_sparse.csr_array(
        (np.array([1.0, 2.0, 0.0, 4.0]), np.array([3, 3, 1, 0]), np.array([0, 3, 4])), shape=(2, 5)
    )
    back = sparse.decode_csr(sparse.encode_csr(matrix))
    assert np.array_equal(back.toarray(), matrix.toarray())
    assert back.nnz == 2
    assert matrix.nnz == 4


def test_dense_and_row_wise_reading_agree():
    matrix = random_csr((100, 500), 0.02)
    encoded = qcodec.Encoded(sparse.encode_csr(matrix))
    dense = matrix.toarray()
    assert np.array_equal(encoded.decode(), dense)
    assert np.array_equal(encoded[17:42], dense[17:42])


@pytest.mark.parametrize("codec", [qcodec.Codebook(bits=2, per=0), qcodec.Ternary(group=8)])
def test_parameters_by_group_are_refused(codec):
    with pytest.raises(ValueError, match="one group"):
        sparse.encode_csr(random_csr(), codec)


def test_other_formats_are_refused_by_name():
    with pytest.raises(TypeError, match="tocsr"):
        sparse.encode_csr(random_csr().tocsc())


def test_types_that_scipy_lacks_are_refused():
    data = qcodec.encode(np.zeros((3, 4), np.float16))
    with pytest.raises(TypeError, match="float16"):
        sparse.decode_csr(data)


def test_matrices_of_one_dimension_are_refused():
    with pytest.raises(ValueError, match=r"1 dimension .* allowed are 2"):
        sparse.encode_csr(scipy_sparse.csr_array(np.array([0, 1.0, 2])))


def one_element(rows, columns):
    starts = np.zeros(rows + 1, np.int64)
    starts[-1] = 1
    parts = (np.ones(1), np.array([5], np.int64), starts)
    return scipy_sparse.csr_array(parts, shape=(rows, columns))


def test_positions_that_64_bits_do_not_hold_are_refused():
    rows, columns = 1 << 10, 1 << 53
    found = sparse.from_csr(one_element(rows - 1, columns))
    assert found.positions.tolist() == [(rows - 2) * columns + 5]
    with pytest.raises(ValueError, match="too many elements"):
        sparse.from_csr(one_element(rows, columns))
