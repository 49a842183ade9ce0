"""Python packages that compress arrays; each is a peer if it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import qcodec
from qcodec.dtypes import element_type

from . import deep_cabac

Array = np.ndarray


@dataclass(frozen=True)
class Codec:
    """One way to store an array.

    Attributes
    ----------
    name : str
    encode : callable
        An array to what is stored, which has a length in bytes.
    decode : callable
        What is stored to an object with the array's bytes.
    """

    name: str
    encode: Callable[[Array], Any]
    decode: Callable[[Any], Any]


def _qcodec(sample: Array) -> list[Codec]:
    halves = sample.dtype == np.uint16
    exact = qcodec.Lossless(dtype="bfloat16" if halves else None)
    out = np.ones_like(sample)
    if halves:
        out = out.view(element_type("bfloat16").carrier)
    balanced = partial(qcodec.encode, codec=exact)
    small = partial(qcodec.encode, codec=exact, profile="small")
    return [
        Codec("qcodec", balanced, qcodec.decode),
        Codec("qcodec, out=", balanced, lambda data: qcodec.decode(data, out=out)),
        Codec("qcodec small", small, qcodec.decode),
    ]


def _zstandard(sample: Array) -> list[Codec]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor()
    out = np.ones_like(sample)

    def into(data: bytes) -> Array:
        decompressor.stream_reader(data).readinto(out.view(np.uint8))
        return out

    codecs = [
        Codec(f"zstandard -{level}", zstandard.ZstdCompressor(level=level).compress, decode)
        for level, decode in ((1, decompressor.decompress), (3, decompressor.decompress))
    ]
    return [*codecs, Codec("zstandard -1, readinto", codecs[0].encode, into)]


def _zxc(_: Array) -> list[Codec]:
    import zxc

    # The only level with entropy coding, which is what these arrays need.
    encode = partial(zxc.compress, level=zxc.LEVEL_ULTRA)
    return [Codec("zxc ultra", lambda a: encode(a.tobytes()), zxc.decompress)]


def _blosc2(sample: Array) -> list[Codec]:
    import blosc2

    blosc2.set_nthreads(1)
    settings = blosc2.CParams(
        codec=blosc2.Codec.ZSTD,
        clevel=1,
        typesize=sample.itemsize,
        nthreads=1,
        filters=[blosc2.Filter.BITSHUFFLE],
        filters_meta=[0],
    )
    single = blosc2.DParams(nthreads=1)
    return [
        Codec(
            "blosc2 bitshuffle, zstd -1",
            lambda a: blosc2.compress2(a, cparams=settings),
            lambda data: blosc2.decompress2(data, dparams=single),
        )
    ]


def _openzl(sample: Array) -> list[Codec]:
    import openzl.ext as openzl

    compressor = openzl.Compressor()
    compressor.set_parameter(openzl.CParam.FormatVersion, openzl.MAX_FORMAT_VERSION)
    entropy = openzl.graphs.Entropy().parameterize(compressor)
    name = _float_name(sample)
    if name in ("float32", "bfloat16"):
        nodes = openzl.nodes
        floats = name == "float32"
        split = nodes.Float32Deconstruct() if floats else nodes.BFloat16Deconstruct()
        # Signs and fractions of weights are noise; the exponents are what can be coded.
        graph = split.build_graph(compressor, [openzl.graphs.Store().base_graph, entropy])
    elif sample.dtype == np.uint8:
        graph = entropy
    else:
        graph = openzl.graphs.Compress().parameterize(compressor)
    compressor.select_starting_graph(graph)
    return [_openzl_codec(compressor)]


def openzl_generic(_: Array) -> list[Codec]:
    """OpenZL's own choice, for arrays that are not like trained weights."""
    import openzl.ext as openzl

    compressor = openzl.Compressor()
    compressor.set_parameter(openzl.CParam.FormatVersion, openzl.MAX_FORMAT_VERSION)
    compressor.select_starting_graph(openzl.graphs.Compress().parameterize(compressor))
    return [_openzl_codec(compressor)]


def _openzl_codec(compressor: Any) -> Codec:
    import openzl.ext as openzl

    def encode(array: Array) -> bytes:
        context = openzl.CCtx()  # forgets its graph after each call
        context.ref_compressor(compressor)
        numbers = array.view(f"u{array.itemsize}")
        return context.compress([openzl.Input(openzl.Type.Numeric, numbers)])

    def decode(data: bytes) -> Any:
        return openzl.DCtx().decompress(data)[0].content.as_nparray()

    return Codec("openzl", encode, decode)


def _pcodec(sample: Array) -> list[Codec]:
    from pcodec import ChunkConfig, standalone

    if sample.itemsize == 1:
        return []  # it refuses bytes, for good reasons of its own
    settings = ChunkConfig()
    known = sample.dtype if sample.dtype.kind in "fiu" else np.dtype(f"u{sample.itemsize}")
    return [
        Codec(
            "pcodec",
            lambda a: standalone.simple_compress(a.view(known), settings),
            standalone.simple_decompress,
        )
    ]


def _zipnn(sample: Array) -> list[Codec]:
    from zipnn import ZipNN

    name = _float_name(sample)
    if name is None:
        return []  # made for floats
    coder = ZipNN(bytearray_dtype=name, threads=1)
    return [Codec("zipnn", lambda a: coder.compress(bytearray(a.tobytes())), coder.decompress)]


def _float_name(sample: Array) -> str | None:
    """The name of a float type that packages know; arrays of uint16 are bfloat16."""
    name = "bfloat16" if sample.dtype == np.uint16 else sample.dtype.name
    return name if name in ("float32", "bfloat16", "float16") else None


def _constriction(sample: Array) -> list[Codec]:
    import constriction

    if sample.dtype != np.uint8:
        return []  # it codes symbols under a model
    shares = np.bincount(sample) / len(sample)
    model = constriction.stream.model.Categorical(shares.astype(np.float32), perfect=False)

    def encode(array: Array) -> bytes:
        coder = constriction.stream.stack.AnsCoder()
        coder.encode_reverse(array.astype(np.int32), model)
        return coder.get_compressed().tobytes()

    def decode(data: bytes) -> Array:
        coder = constriction.stream.stack.AnsCoder(np.frombuffer(data, np.uint32))
        return coder.decode(model, len(sample)).astype(np.uint8)

    return [Codec("constriction ANS", encode, decode)]


def _nncodec(sample: Array) -> list[Codec]:
    import nncodec.extensions  # noqa: F401  (an ImportError now, not when it is measured)

    if sample.dtype != np.uint8:
        return []  # it codes integers
    middle = 1 << (int(sample.max()).bit_length() - 1)
    out = np.ones(len(sample) // 256 * 256, np.int32).reshape(-1, 256)

    def encode(array: Array) -> Array:
        rows = (array[: out.size].astype(np.int32) - middle).reshape(out.shape)
        return deep_cabac.encode(rows, optimised=False)

    def decode(data: Array) -> Array:
        deep_cabac.decode(data, out)
        return (out + middle).astype(np.uint8)

    return [Codec("nncodec DeepCABAC", encode, decode)]


FACTORIES: dict[str, Callable[[Array], list[Codec]]] = {
    "qcodec": _qcodec,
    "zstandard": _zstandard,
    "zxc-compress": _zxc,
    "blosc2": _blosc2,
    "openzl": _openzl,
    "pcodec": _pcodec,
    "zipnn": _zipnn,
    "constriction": _constriction,
    "nncodec": _nncodec,
}


def codecs(sample: Array, packages: Iterable[str] | None = None) -> tuple[list[Codec], list[str]]:
    """All that can store an array like this one, and the packages that are not installed.

    Parameters
    ----------
    sample : ndarray of uint8, uint16 (the bits of bfloat16) or float32
    packages : iterable of str, optional
        The ones to ask; the default is all.

    Returns
    -------
    list of Codec
    list of str
        Names on PyPI.
    """
    found, missing = [], []
    for package in FACTORIES if packages is None else packages:
        try:
            found += FACTORIES[package](sample)
        except ImportError:
            missing.append(package)
    return found, missing
