"""Arrays to bytes and back: the three functions that most people need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._base.checks import check_integer
from ._frame.encode import encode_quantized
from ._frame.encoded import Encoded
from ._frame.ids import PROFILES
from ._frame.inspection import Info
from .codecs import Codec, Lossless, Verbatim
from .codecs.base import check_codec
from .errors import LimitError
from .limits import DEFAULT_LIMITS, Limits, warn_of
from .quantized import Quantized

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]

# Codings by the release that brought them: a set of bits, docs/format.md, section 7.
_RELEASES = {"0.1": 0b11111111}
_ALL_CODINGS = _RELEASES["0.1"]


def encode(
    array: Array | Quantized | torch.Tensor,
    codec: Codec | None = None,
    *,
    profile: str = "balanced",
    effort: int = 5,
    chunk: int | None = None,
    compatible: str | None = None,
    threads: int = 1,
) -> bytes:
    """Encode one tensor.

    Parameters
    ----------
    array : array_like, torch.Tensor or Quantized
        0 to 8 dimensions, any strides; float16, float32, float64, bfloat16, float8,
        integers or bool. A `Quantized` is stored as it is, bit for bit.
    codec : Codec, optional
        How to choose the numbers; the default `Lossless()` keeps every bit.
    profile : {"balanced", "fast", "small", "fixed"}
        Small and fast; fastest to decode; smallest (many lossless floats: by codings that
        decode a billion a second); or fixed-width
        codings only, so that any element or csr row decodes alone.
    effort : int
        1 to 9: how much is tried for the fewest bytes that the profile allows. Below 3 the
        places of codes do not count and layouts are compared by one chunk; 5 tries what
        usually pays; from 7 on every width of gaps, and more classes of rows, columns and
        neighbours; 9 compares by everything, not by samples. Decoding is as fast either way.
    chunk : int, optional
        Elements that decode alone; by default about 128 KiB are coded together, of
        lossless floats 512 KiB, of 16-bit ones 2 MiB.
    compatible : str, optional
        Use only what this release of qcodec can read, such as ``"0.1"``.
    threads : int
        Chunks encoded at the same time. The bytes do not depend on it.

    Returns
    -------
    bytes
        One frame: docs/format.md, section 2.

    Warns
    -----
    LimitWarning
        If `decode` needs higher limits than the default `qcodec.Limits` for it.

    Raises
    ------
    TypeError
        If elements of that type cannot be stored, or not by this codec.
    ValueError
        If the codec refuses the values, such as NaN under a quantizer.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> weights = np.linspace(-1, 1, 1000, dtype=np.float32)
    >>> data = qcodec.encode(weights, qcodec.Codebook(bits=4))
    >>> len(data) < weights.nbytes // 7
    True
    >>> np.array_equal(qcodec.decode(qcodec.encode(weights)), weights)
    True
    """
    data = encode_frame(
        array, codec, profile=profile, effort=effort, chunk=chunk, compatible=compatible,
        threads=threads,
    )  # fmt: skip
    try:
        DEFAULT_LIMITS.check_tensor(Encoded(data, verify=False).nbytes, len(data))
    except LimitError as error:
        warn_of(error)
    return data


def encode_frame(
    array: Array | Quantized | torch.Tensor,
    codec: Codec | None = None,
    *,
    profile: str = "balanced",
    effort: int = 5,
    chunk: int | None = None,
    compatible: str | None = None,
    threads: int = 1,
) -> bytes:
    """As `encode`, for a frame of which others know what its readers will need."""
    if profile not in PROFILES:
        raise ValueError(f"profile={profile!r}: allowed are {', '.join(PROFILES)}")
    if compatible is not None and compatible not in _RELEASES:
        raise ValueError(f"compatible={compatible!r}: known releases are {', '.join(_RELEASES)}")
    if threads < 1:
        raise ValueError(f"threads={threads}: at least 1")
    check_integer("effort", effort, 1, 9)
    codec = codec if codec is not None else Lossless()
    check_codec(codec)
    quantized = array if isinstance(array, Quantized) else codec.quantize(array)
    return encode_quantized(
        quantized,
        # Verbatim promises the bytes as they are.
        profile="fixed" if isinstance(codec, Verbatim) else profile,
        effort=effort,
        codings=_ALL_CODINGS if compatible is None else _RELEASES[compatible],
        positions=codec.positions if quantized.positions is not None else "dense",
        gap_bits=getattr(codec, "gap_bits", None),
        chunk=chunk,
        threads=threads,
    )


def decode(
    buffer: Any,
    *,
    out: Array | None = None,
    dtype: object = None,
    threads: int = 1,
    verify: bool = True,
    limits: Limits | None = None,
    base: Any = None,
) -> Array:
    """Decode one frame.

    Parameters
    ----------
    buffer : bytes-like
        Exactly one frame, at any address.
    out, dtype, threads
        As in `Encoded.decode`.
    verify : bool
        Check the CRCs. Without, accidents in the bytes may give other weights, but
        still never touch memory that is not theirs.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.
    base : array_like, optional
        What `Delta` stored the tensor against; other tensors need none.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    QCodecError
        If the bytes are not one valid frame, or larger than the limits allow; a
        `BaseError` if the base is missing or another one.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> data = qcodec.encode(np.array([0.5, -0.5], np.float32))
    >>> qcodec.decode(data, dtype="float16")
    array([ 0.5, -0.5], dtype=float16)
    """
    encoded = Encoded(buffer, limits=limits, verify=verify, base=base)
    return encoded.decode(out=out, dtype=dtype, threads=threads)


def info(buffer: Any) -> Info:
    """What a frame holds and where its bytes go; they add up to ``len(buffer)``.

    Parameters
    ----------
    buffer : bytes-like
        Exactly one frame.

    Raises
    ------
    QCodecError
        If the bytes are not one valid frame.

    Examples
    --------
    >>> import numpy as np, qcodec
    >>> data = qcodec.encode(np.zeros((100, 100), np.float32))
    >>> found = qcodec.info(data)
    >>> found.bytes == sum(section.bytes for section in found.sections) == len(data)
    True
    """
    return Encoded(buffer).info()
