"""File sizes and decoding times beside general and lossless compressors, on the same weights.

`python -m benchmarks.peers --data FOLDER [--minilm FILE]`; needs `pip install '.[bench]'`.
Every row is encoded, decoded and compared in this run. Times are medians of interleaved runs.
"""

from __future__ import annotations

import argparse
import bz2
import lzma
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save

import qcodec
from qcodec import Codebook, Recipe
from qcodec.interop import dcnet

from .evidence import lenet5, minilm, squeezenet

RUNS = 5
_XZ_PRESET = 9 | lzma.PRESET_EXTREME


@dataclass(frozen=True)
class Method:
    """One way to store the bytes of a case."""

    name: str
    encode: Callable[[bytes], bytes]
    decode: Callable[[bytes], bytes | bytearray]


def general_methods() -> list[Method]:
    """The general compressors that are installed, at their highest usual levels."""
    methods = [
        Method("zlib -9", lambda b: zlib.compress(b, 9), zlib.decompress),
        Method("bzip2 -9", lambda b: bz2.compress(b, 9), bz2.decompress),
        Method("xz -9e", lambda b: lzma.compress(b, preset=_XZ_PRESET), lzma.decompress),
    ]
    if find_spec("zstandard"):
        import zstandard

        methods += [
            Method(
                f"zstd -{level}",
                zstandard.ZstdCompressor(level=level).compress,
                zstandard.ZstdDecompressor().decompress,
            )
            for level in (1, 19)
        ]
    if find_spec("brotli"):
        import brotli

        compress = partial(brotli.compress, lgwin=24)
        methods.append(Method("brotli -11", compress, brotli.decompress))
    return methods


def lossless_methods() -> list[Method]:
    """Compressors made for arrays of float32."""
    methods = []
    if find_spec("zipnn"):
        from zipnn import ZipNN

        coder = ZipNN(bytearray_dtype="float32")
        methods.append(Method("zipnn", lambda b: coder.compress(bytearray(b)), coder.decompress))
    if find_spec("pcodec"):
        from pcodec import ChunkConfig, standalone

        methods.append(
            Method(
                "pcodec",
                lambda b: standalone.simple_compress(np.frombuffer(b, np.float32), ChunkConfig()),
                lambda b: standalone.simple_decompress(b).tobytes(),
            )
        )
    return methods


def seconds(function: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(title: str, data: bytes, dense: int, methods: list[Method], own: list[Path]) -> str:
    """A table: every method on `data`, and files of ours that hold the same weights."""
    readers: dict[str, Callable[[], object]] = {}
    sizes: dict[str, int] = {}
    for method in methods:
        coded = method.encode(data)
        assert bytes(method.decode(coded)) == data, method.name
        sizes[method.name] = len(coded)
        readers[method.name] = lambda m=method, c=coded: m.decode(c)  # type: ignore[misc]
    for path in own:
        sizes[path.stem] = path.stat().st_size
        readers[path.stem] = lambda p=path: qcodec.load_file(p)  # type: ignore[misc]
    times: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(RUNS):
        for name, read in readers.items():
            times[name].append(seconds(read))
    lines = [f"### {title}: {len(data):,} bytes, {dense:,} as float32", ""]
    lines += ["| | bytes | of float32 | decode ms (min to max) |", "|---|---:|---:|---:|"]
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        found = [1000 * t for t in times[name]]
        spread = f"{statistics.median(found):.1f} ({min(found):.1f} to {max(found):.1f})"
        lines.append(f"| {name} | {size:,} | {100 * size / dense:.2f} % | {spread} |")
    return "\n".join(lines)


def squeezenet_case(data: Path, folder: Path) -> str:
    """The authors' file, which holds codes, gaps, codebooks and biases."""
    original = (data / "squeezenet_dc.net").read_bytes()
    network = dcnet.read(original, squeezenet.layers(data))
    dense = sum(4 * layer.weights.size + layer.biases.nbytes for layer in network.values())
    own = []
    for profile in ("balanced", "small"):
        own.append(folder / f"qcodec {profile}.qc")
        qcodec.save_file(squeezenet.tensors(network), own[-1], profile=profile)
    return compare("SqueezeNet .net", original, dense, general_methods(), own)


def quantized_case(title: str, tensors: dict, recipe: Recipe, folder: Path) -> str:
    """What it helps to compress a checkpoint of quantized float32 weights."""
    own = []
    for profile in ("balanced", "small"):
        own.append(folder / f"qcodec {profile}.qc")
        qcodec.save_file(tensors, own[-1], recipe, profile=profile)
    decoded = save(qcodec.load_file(own[0]))
    return compare(title, decoded, len(decoded), general_methods(), own)


def lossless_case(model: Path, folder: Path) -> str:
    """Every bit of a float32 transformer's weights."""
    tensors = {k: v for k, v in load_file(model).items() if v.dtype == np.float32}
    flat = np.concatenate([array.reshape(-1) for array in tensors.values()])
    own = folder / "qcodec balanced.qc"
    qcodec.save_file({"weights": flat}, own)
    methods = [m for m in general_methods() if m.name in ("zlib -9", "zstd -1")]
    data = flat.tobytes()
    return compare("MiniLM, lossless float32", data, len(data), methods + lossless_methods(), [own])


def tables(data: Path, model: Path | None) -> str:
    """Those of the cases whose data is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [squeezenet_case(data, folder)]
        tensors = load_file(data / "lenet5_admm.safetensors")
        found.append(quantized_case("LeNet-5, 4 bits", tensors, lenet5.recipe(), folder))
        tensors = load_file(data / "resnet20_cifar10.safetensors")
        recipe = Recipe(weights=Codebook(4))
        found.append(quantized_case("ResNet-20, 4 bits", tensors, recipe, folder))
        if model is not None:
            found.append(lossless_case(model, folder))
    return "\n\n".join(found)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minilm", type=Path)
    options = parser.parse_args()
    print(tables(options.data, options.minilm or minilm.find_model()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
