"""Between `Quantized` and SciPy's sparse matrices, without a dense copy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core.float_mode import standard_float_mode
from .codecs import Codec, Lossless, Sparse
from .codecs.base import check_codec
from .dtypes import BY_NAME
from .limits import DEFAULT_LIMITS, Limits
from .quantize import Quantized

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_INDEX_BYTES = 8
_MAX_POSITION = (1 << 63) - 1


@standard_float_mode()
def from_csr(matrix: Any, codec: Codec | None = None) -> Quantized:
    """Quantize what a sparse matrix stores.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array or csr_matrix
        Shape (rows, columns). It is not changed; duplicates are summed, and
        explicit zeros are not stored.
    codec : Codec, optional
        What the stored elements become, one group for all; the default
        `Lossless()` keeps every bit.

    Returns
    -------
    Quantized
        With the positions of the stored elements.

    Raises
    ------
    TypeError
        If the matrix is not CSR.
    ValueError
        If it has one dimension, or 2**63 elements and more, or the codec has
        parameters by axis or group, which need the dense order.

    Examples
    --------
    >>> import scipy.sparse
    >>> from_csr(scipy.sparse.csr_array(([5.0], ([1], [2])), shape=(3, 4))).positions
    array([6])
    """
    if getattr(matrix, "format", None) != "csr":
        kind = type(matrix).__name__
        raise TypeError(f"a csr_array is needed, not {kind}: matrix.tocsr() converts")
    if matrix.ndim != 2:
        raise ValueError("a csr_array of 1 dimension was given; allowed are 2: reshape it")
    rows, columns = map(int, matrix.shape)
    if rows * columns > _MAX_POSITION:
        raise ValueError(
            f"a matrix of shape ({rows:,}, {columns:,}) has too many elements; "
            f"allowed are {_MAX_POSITION:,}"
        )
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    codec = codec if codec is not None else Lossless()
    check_codec(codec)
    inner = codec.codec if isinstance(codec, Sparse) else codec
    if getattr(inner, "per", None) is not None or getattr(inner, "group", None) is not None:
        raise ValueError(f"{inner!r}: a sparse matrix has one group for all that is stored")
    starts = np.repeat(np.arange(rows, dtype=np.int64) * columns, np.diff(matrix.indptr))
    positions = starts + matrix.indices
    kept = matrix.data != 0
    if not kept.all():
        positions = positions[kept]
    values = matrix.data[kept]
    quantized = inner.quantize(values, np.ones(len(values), np.bool_))
    return replace(quantized, shape=(rows, columns), positions=positions)


def to_csr(
    quantized: Quantized, *, limits: Limits | None = None, input_bytes: int | None = None
) -> csr_array:
    """The stored elements as a sparse matrix.

    Parameters
    ----------
    quantized : Quantized
        At least one dimension; axes after the first are flattened. Stored
        elements whose value is zero stay explicit.
    limits : Limits, optional
        A matrix takes memory for its rows, however few are stored.
    input_bytes : int, optional
        Of the file or frame that the tensor is from: what `Limits.max_expansion` counts. The
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
    """What `to_csr` takes: row starts and bounds, columns, and positions where none are stored."""
    indices = 1 if quantized.positions is not None else 2
    a_value = BY_NAME[quantized.dtype].itemsize + indices * _INDEX_BYTES
    return 2 * _INDEX_BYTES * (quantized.shape[0] + 1) + a_value * quantized.entries
