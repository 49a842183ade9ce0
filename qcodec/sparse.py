"""SciPy's sparse matrices, encoded and decoded without a dense copy.

Examples
--------
>>> import numpy as np, scipy.sparse
>>> matrix = scipy.sparse.csr_array(np.array([[0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, -1.0]]))
>>> data = encode_csr(matrix)
>>> decode_csr(data).toarray().tolist() == matrix.toarray().tolist()
True
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ._core.float_mode import standard_float_mode
from ._frame.csr import to_csr
from ._frame.encoded import Encoded
from .codecs import Codec, Lossless, Sparse
from .codecs.base import check_codec
from .quantized import Quantized
from .tensor import encode_frame

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from .limits import Limits


__all__ = ["decode_csr", "encode_csr", "from_csr", "to_csr"]

_MAX_POSITION = (1 << 63) - 1


@standard_float_mode()
def from_csr(matrix: Any, codec: Codec | None = None) -> Quantized:
    """Quantize the stored elements of a sparse matrix.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array or csr_matrix
        Shape (rows, columns). It is not changed. Duplicates are summed, and
        explicit zeros are not stored.
    codec : Codec, optional
        The codec for the stored elements, which form a single group. The default,
        `Lossless()`, keeps every bit.

    Returns
    -------
    Quantized
        With the positions of the stored elements.

    Raises
    ------
    TypeError
        If the matrix is not CSR.
    ValueError
        If the matrix has one dimension, or 2**63 elements or more, or if the codec has
        parameters per axis or group, which need the dense order.

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


def encode_csr(
    matrix: Any, codec: Codec | None = None, *, profile: str = "balanced", threads: int = 1
) -> bytes:
    """Encode a sparse matrix as one frame, with positions in the form csr.

    Each row can be decoded alone: `Encoded(data)[3]` is row 3.

    Parameters
    ----------
    matrix, codec
        As in `from_csr`.
    profile, threads
        As in `qcodec.encode`. With ``"fixed"``, decoding a single row is cheapest.

    Returns
    -------
    bytes

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from qcodec import Encoded
    >>> data = encode_csr(scipy.sparse.eye_array(1000, format="csr", dtype=np.float32))
    >>> len(data) < 2000, int(np.argmax(Encoded(data)[17]))
    (True, 17)
    """
    quantized = from_csr(matrix, codec)
    form = Sparse(Lossless(), positions="csr")
    return encode_frame(quantized, form, profile=profile, threads=threads)


def decode_csr(buffer: Any, *, limits: Limits | None = None) -> csr_array:
    """Decode a frame as a sparse matrix, without a dense copy.

    Parameters
    ----------
    buffer : bytes-like
        One frame, with positions in any form.
    limits : Limits, optional

    Returns
    -------
    scipy.sparse.csr_array

    Raises
    ------
    QCodecError
        If the bytes are not one valid frame.
    """
    return Encoded(buffer, limits=limits).to_csr()
