"""Encode, decode and inspect one tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._base.checks import check_integer
from ._base.threads import shared_among
from ._frame.encode import encode_quantized
from ._frame.encoded import Encoded
from ._frame.ids import PROFILES
from ._frame.inspection import Info
from ._frame.notes import Notes, checksums_of
from .codecs import Codec, Lossless, Verbatim
from .codecs.base import check_codec
from .errors import LimitError
from .limits import DEFAULT_LIMITS, Limits, warn_of
from .quantized import Quantized

if TYPE_CHECKING:
    import torch

Array = np.ndarray[Any, Any]

# The codings that each release can read, one bit per coding (docs/format.md, section 7).
_RELEASES = {"0.1": 0b1111111}
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
    element_checksums: bool = False,
) -> bytes:
    """Encode one tensor.

    Parameters
    ----------
    array : array_like, torch.Tensor or Quantized
        0 to 8 dimensions, any strides; float16, float32, float64, bfloat16, float8,
        integers or bool. A `Quantized` is stored bit for bit.
    codec : Codec, optional
        How to choose the numbers; the default, `Lossless()`, keeps every bit.
    profile : {"balanced", "fast", "small", "fixed"}
        ``"balanced"``: small and fast. ``"fast"``: fastest to decode. ``"small"``: fewest
        bytes; many lossless floats then use codings that decode a billion elements per
        second. ``"fixed"``: fixed-width codings only, so that any element or csr row can be
        decoded alone.
    effort : int
        1 to 9: how much the encoder tries for fewer bytes within the profile. Below 3, codings
        that use the places of codes are not tried, and layouts are compared on one chunk.
        5 tries what usually helps. From 7 on, every width of gaps and more classes of rows,
        columns and neighbours are tried. 9 compares on all data, not on samples. The effort
        does not change the speed of decoding.
    chunk : int, optional
        Elements per chunk; each chunk can be decoded alone. By default a chunk has about
        128 KiB of codes; of lossless floats 512 KiB, of 16-bit ones 2 MiB.
    compatible : str, optional
        Use only what this release of qcodec can read, such as ``"0.1"``.
    threads : int
        Number of threads that choose the numbers and encode chunks. The bytes do not depend on it.
    element_checksums : bool
        Also store a checksum of the decoded elements, and with `Delta` the SHA-256 of the base,
        as notes (`Encoded.notes`) that only `Encoded.verify` checks. The encoded bytes have
        checksums of their own in any case; this one also finds a decoder that computes wrong
        elements. It takes 7 bytes, or 41.

    Returns
    -------
    bytes
        One frame: docs/format.md, section 2.

    Warns
    -----
    LimitWarning
        If decoding the frame needs higher limits than the default `qcodec.Limits`.

    Raises
    ------
    TypeError
        If the format or the codec cannot store elements of that type.
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
        threads=threads, element_checksums=element_checksums,
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
    element_checksums: bool = False,
) -> bytes:
    """Encode one tensor as `encode` does, without checking the default limits of readers."""
    if profile not in PROFILES:
        raise ValueError(f"profile={profile!r}: allowed are {', '.join(PROFILES)}")
    if compatible is not None and compatible not in _RELEASES:
        raise ValueError(f"compatible={compatible!r}: known releases are {', '.join(_RELEASES)}")
    if threads < 1:
        raise ValueError(f"threads={threads}: at least 1")
    check_integer("effort", effort, 1, 9)
    codec = codec if codec is not None else Lossless()
    check_codec(codec)
    with shared_among(threads):
        quantized = array if isinstance(array, Quantized) else codec.quantize(array)
    return encode_quantized(
        quantized,
        # Verbatim promises to store the bytes unchanged.
        profile="fixed" if isinstance(codec, Verbatim) else profile,
        effort=effort,
        codings=_ALL_CODINGS if compatible is None else _RELEASES[compatible],
        positions=codec.positions if quantized.positions is not None else "dense",
        gap_bits=getattr(codec, "gap_bits", None),
        chunk=chunk,
        threads=threads,
        notes=checksums_of(quantized) if element_checksums else Notes(),
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
        Check the CRCs. Without this check, damaged bytes may give wrong weights, but
        decoding them is still memory-safe.
    limits : Limits, optional
        What may be decoded; the default is `qcodec.Limits()`.
    base : array_like, optional
        The base that `Delta` stored the tensor against. Other tensors need none.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    QCodecError
        If the bytes are not one valid frame, or the tensor is larger than the limits
        allow; a `BaseError` if the base is missing or not the right one.

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
    """Describe what a frame holds and how its bytes are used.

    The bytes of all sections add up to ``len(buffer)``.

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
