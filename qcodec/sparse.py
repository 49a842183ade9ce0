"""Sparse matrices of SciPy, stored and given back without a dense copy.

Examples
--------
>>> import numpy as np, scipy.sparse
>>> matrix = scipy.sparse.csr_array(np.array([[0.0, 1.5, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, -1.0]]))
>>> data = encode_csr(matrix)
>>> decode_csr(data).toarray().tolist() == matrix.toarray().tolist()
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codecs import Codec, Lossless, Sparse
from .csr import from_csr, to_csr
from .encoded import Encoded
from .tensor import encode_frame

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from .limits import Limits


__all__ = ["decode_csr", "encode_csr", "from_csr", "to_csr"]


def encode_csr(
    matrix: Any, codec: Codec | None = None, *, profile: str = "balanced", threads: int = 1
) -> bytes:
    """Encode a sparse matrix as one frame in positions form csr.

    Rows decode alone: `Encoded(data)[3]` is row 3.

    Parameters
    ----------
    matrix, codec
        As in `from_csr`.
    profile, threads
        As in `qcodec.encode`; ``"fixed"`` makes single rows cheapest.

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
        One frame, of any positions form.
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
