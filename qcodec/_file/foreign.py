"""Recognizes files of other formats by their first bytes, and says how to convert them."""

from __future__ import annotations

import re

from .._io.source import Readable
from ..errors import CorruptError, QCodecError, UnsupportedError

#: Number of first bytes that the patterns here need at most.
START_BYTES = 512

_ACCEPTED = "accepted are safetensors files, qcodec's packs (.qcodec) and, by `qcodec encode`, .npz"
_FROM_TORCH = (
    "to convert it: safetensors.torch.save_file(torch.load(PATH, weights_only=True), NEW_PATH)"
)
_FROM_NUMPY = "to convert it: numpy.savez(NEW_PATH, name=numpy.load(PATH))"
_FROM_ANY = "to convert it: safetensors.numpy.save_file({name: array}, NEW_PATH)"
_UNPACK = "unpack it first"

NPZ = "a NumPy archive (.npz)"
ZIP = "a zip archive"
_TORCH = "a PyTorch file (zip with pickle)"

#: For each format: its name, its first bytes as a regular expression, and advice. The first
#: match counts.
_FORMATS = tuple(
    (what, re.compile(start, re.DOTALL), advice)
    for what, start, advice in (
        # The length of the first member's name is at byte 26, the name at byte 30.
        (NPZ, rb"PK\x03\x04.{26}[^\x00]{0,400}?\.npy|PK\x05\x06", ""),
        (_TORCH, rb"PK\x03\x04.{26}[^\x00]{0,400}?/data(\.pkl|/)", _FROM_TORCH),
        (ZIP, rb"PK\x03\x04", _UNPACK),
        (
            "an old PyTorch file (pickle)",
            rb"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19",
            _FROM_TORCH,
        ),
        ("a pickle, which may run code when it is read", rb"\x80[\x02-\x05]", _FROM_TORCH),
        ("a NumPy array (.npy)", rb"\x93NUMPY", _FROM_NUMPY),
        ("a GGUF file", rb"GGUF", _FROM_ANY),
        ("an HDF5 file (Keras .h5)", rb"\x89HDF\r\n\x1a\n", _FROM_ANY),
        ("a TensorFlow Lite file", rb".{4}TFL3", _FROM_ANY),
        ("probably an ONNX file (protobuf)", rb"\x08[\x01-\x1f][\x12\x1a\x22\x3a\x42]", _FROM_ANY),
        ("one encoded tensor", rb"QC", "qcodec.decode reads it"),
        ("a Git LFS pointer, not the file", rb"version https://git-lfs", "run `git lfs pull`"),
        ("a web page", rb"\s*<(!doctype|!DOCTYPE|html|HTML|\?xml)", "download the file again"),
        ("JSON text", rb"[\[{]\s*[\"\]}]", "for a model in several files, encode each of them"),
        ("compressed by gzip", rb"\x1f\x8b", _UNPACK),
        ("compressed by zstd", rb"\x28\xb5\x2f\xfd", _UNPACK),
        ("compressed by xz", rb"\xfd7zXZ\x00", _UNPACK),
        ("compressed by bzip2", rb"BZh[1-9]", _UNPACK),
        ("a tar archive", rb".{257}ustar", _UNPACK),
    )
)


def format_of(start: bytes) -> str | None:
    """Return the name of a file's format by its first `START_BYTES` bytes; None if unknown.

    Examples
    --------
    >>> format_of(b"GGUF" + bytes(20))
    'a GGUF file'
    """
    return next((what for what, pattern, _ in _FORMATS if pattern.match(start)), None)


def refusal(source: Readable) -> QCodecError:
    """Return the error for a file that is neither a safetensors file nor a pack.

    Parameters
    ----------
    source : Readable
        The whole file; only its first bytes are read.

    Returns
    -------
    QCodecError
        `UnsupportedError` if the format is known, else `CorruptError`.

    Examples
    --------
    >>> from qcodec._io.source import BytesSource
    >>> str(refusal(BytesSource(bytes(16)))).partition(":")[0]
    "safetensors header does not begin with '{' (found 00 00 00 00 00 00 00 00 00)"
    """
    start = bytes(source.read(0, min(source.size, START_BYTES)))
    for what, pattern, advice in _FORMATS:
        if pattern.match(start):
            return UnsupportedError(
                "; ".join(filter(None, (f"file is {what}: {_ACCEPTED}", advice))), 0
            )
    found = f"safetensors header does not begin with '{{' (found {start[:9].hex(' ')})"
    return CorruptError(f"{found}: {_ACCEPTED}", 8)
