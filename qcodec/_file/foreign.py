"""Recognizes files that are not read by their first bytes, and says how to convert them."""

from __future__ import annotations

import re

from .._io.source import Readable
from ..errors import CorruptError, QCodecError, UnsupportedError

#: Number of first bytes that the patterns here need at most.
START_BYTES = 512

_ACCEPTED = (
    "accepted are safetensors, qcodec's packs, PyTorch, NumPy (.npy, .npz), ONNX, GGUF and pickles"
)
_FROM_ANY = "to convert it: safetensors.numpy.save_file({name: array}, NEW_PATH)"
_UNPACK = "unpack it first"

#: For each format that is not read: its name, its first bytes as a regular expression, and advice.
#: The first match counts.
_FORMATS = tuple(
    (what, re.compile(start, re.DOTALL), advice)
    for what, start, advice in (
        ("a zip archive", rb"PK\x03\x04", _UNPACK),
        ("an HDF5 file (Keras .h5)", rb"\x89HDF\r\n\x1a\n", _FROM_ANY),
        ("a TensorFlow Lite file", rb".{4}TFL3", _FROM_ANY),
        ("one encoded tensor", rb"QC", "qcodec.decode reads it"),
        ("a Git LFS pointer, not the file", rb"version https://git-lfs", "run `git lfs pull`"),
        ("a web page", rb"\s*<(!doctype|!DOCTYPE|html|HTML|\?xml)", "download the file again"),
        ("JSON text", rb"[\[{]\s*[\"\]}]", "the name of an index of shards ends in .index.json"),
        ("compressed by gzip", rb"\x1f\x8b", _UNPACK),
        ("compressed by zstd", rb"\x28\xb5\x2f\xfd", _UNPACK),
        ("compressed by xz", rb"\xfd7zXZ\x00", _UNPACK),
        ("compressed by bzip2", rb"BZh[1-9]", _UNPACK),
        ("a tar archive", rb".{257}ustar", _UNPACK),
    )
)


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
