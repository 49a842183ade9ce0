"""Compressors of bytes, at their highest usual levels."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from .case import Array
from .forms import Form
from .stored import Stored

_XZ_PRESET = 9 | lzma.PRESET_EXTREME


@dataclass(frozen=True)
class Method:
    """One way to make bytes fewer.

    Attributes
    ----------
    name : str
    encode, decode : callable
    slow : bool
        Takes minutes for 100 MB.
    """

    name: str
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes]
    slow: bool = False


def stored(method: Method, form: Form, head: bytes = b"") -> Stored:
    """A case in one form, after a head that counts but does not matter to the tensors."""
    coded = method.encode(head + form.data)

    def tensors() -> dict[str, Array]:
        return form.rebuild_data(method.decode(coded)[len(head) :])

    return Stored(method.name, form.name, len(coded), lambda: method.decode(coded), tensors)


def methods() -> tuple[list[Method], list[str]]:
    """Those that are installed, and the names of the others."""
    found = [
        Method("zlib -9", lambda b: zlib.compress(b, 9), zlib.decompress),
        Method("bzip2 -9", lambda b: bz2.compress(b, 9), bz2.decompress, slow=True),
        Method("xz -9e", lambda b: lzma.compress(b, preset=_XZ_PRESET), lzma.decompress, slow=True),
    ]
    missing = []
    if find_spec("zstandard"):
        found += _zstandard()
    else:
        missing.append("zstandard")
    if find_spec("brotli"):
        import brotli

        compress = partial(brotli.compress, lgwin=24)
        found.append(Method("brotli -11", compress, brotli.decompress, slow=True))
    else:
        missing.append("brotli")
    return found, missing


def _zstandard() -> list[Method]:
    import zstandard

    decode = zstandard.ZstdDecompressor().decompress
    return [
        Method(f"zstd -{level}", zstandard.ZstdCompressor(level=level).compress, decode, level > 1)
        for level in (1, 19, 22)
    ]
