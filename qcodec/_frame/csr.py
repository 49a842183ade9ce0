"""Converts the stored elements of a tensor to a SciPy sparse matrix, without a dense copy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..dtypes import BY_NAME
from ..limits import DEFAULT_LIMITS, Limits
from ..quantized import Quantized

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_INDEX_BYTES = 8


def to_csr(
    quantized: Quantized, *, limits: Limits | None = None, input_bytes: int | None = None
) -> csr_array:
    """Return the stored elements as a sparse matrix.

    Parameters
    ----------
    quantized : Quantized
        At least one dimension; axes after the first are flattened. Stored
        elements whose value is zero stay explicit.
    limits : Limits, optional
        The largest matrix. It takes memory for every row, even for empty ones.
    input_bytes : int, optional
        The size of the file or frame that the tensor is from, for `Limits.max_expansion`. The
        default is the memory of codes and positions.

    Returns
    -------
    scipy.sparse.csr_array
        Shape (rows, columns), canonical, in the tensor's element type.

    Raises
    ------
    LimitError
        If the matrix would be larger than the limits allow.
    ValueError
        If the tensor has no dimensions.
    TypeError
        If SciPy has no such element type (float16, bfloat16, float8).

    Examples
    --------
    >>> import scipy.sparse
    >>> from qcodec.sparse import from_csr
    >>> matrix = scipy.sparse.csr_array(([5.0], ([1], [2])), shape=(3, 4))
    >>> to_csr(from_csr(matrix)).indices.tolist()
    [2]
    """
    from scipy.sparse import csr_array

    if not quantized.shape:
        raise ValueError("a tensor without dimensions has no rows")
    if quantized.dtype in ("float16", "bfloat16") or quantized.dtype.startswith("float8"):
        raise TypeError(f"SciPy has no sparse matrices of {quantized.dtype}")
    positions = quantized.positions
    if input_bytes is None:
        input_bytes = quantized.codes.nbytes + (0 if positions is None else positions.nbytes)
    unit = "bytes as a sparse matrix"
    (limits or DEFAULT_LIMITS).check_tensor(_matrix_bytes(quantized), input_bytes, unit)
    columns = math.prod(quantized.shape[1:])
    if positions is None:
        positions = np.arange(quantized.size)
    bounds = np.arange(quantized.shape[0] + 1) * columns
    parts = (quantized.stored_values(), positions % max(columns, 1))
    row_starts = np.searchsorted(positions, bounds)
    return csr_array((*parts, row_starts), shape=(quantized.shape[0], columns))


def _matrix_bytes(quantized: Quantized) -> int:
    """Return the memory that `to_csr` takes, including the positions of a dense tensor."""
    indices = 1 if quantized.positions is not None else 2  # columns, and positions
    per_value = BY_NAME[quantized.dtype].itemsize + indices * _INDEX_BYTES
    # Two arrays have one element per row: the bounds and the row starts.
    return 2 * _INDEX_BYTES * (quantized.shape[0] + 1) + per_value * quantized.stored
