#!/usr/bin/env python3
"""Fuzzes the readers of files: any bytes are read, or refused by a QCodecError.

    python fuzz/readers.py FORMAT [SECONDS [FOLDER]]

FORMAT is one of those below, or `all`, which shares the seconds. Needs atheris. What is read has to
come back: the file that is written from a file's tensors and its rest equals it. Inputs that break
a promise are left in FOLDER (build/fuzz/findings).
"""

from __future__ import annotations

import io
import json
import pickle
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import atheris  # noqa: E402

PARSERS = ["qcodec._formats", "qcodec._file.header", "qcodec._file.json_scanner"]

with atheris.instrument_imports(include=[*PARSERS, "pickletools", "zipfile"]):
    import qcodec
    from qcodec._file.container import Opaque
    from qcodec._file.tensor_file import TensorFile
    from qcodec._formats import shards
    from qcodec._formats.opening import Opening, read_any
    from qcodec._formats.original import Original, original_of
    from qcodec._formats.rewriting import files_of
    from qcodec._io.source import BytesSource

LIMITS = qcodec.Limits(
    max_tensor_bytes=1 << 20, max_total_bytes=1 << 22, max_expansion=64, expansion_floor=1 << 20,
    max_tensors=64, max_header_bytes=1 << 16,
)  # fmt: skip


def read(data: bytes) -> None:
    """Read all of a file, and write it again."""
    try:
        source = BytesSource(data)
        directory = read_any(source, Opening(LIMITS))
        file = TensorFile(source, limits=LIMITS, directory=directory)
        if directory.check is not None:
            directory.check()
        file.get_tensors()
        for name in file:
            _ = file.get_slice(name)[...]
            file.verify(name)
        for name in file.attached():
            file.get_attached(name)
    except qcodec.QCodecError:
        return
    original = original_of(source, directory, "file")
    if original is None:
        return
    again = Original.from_bytes(original.to_bytes(), LIMITS)
    (parts,) = files_of(again, file.read_ordinary).values()
    written = b"".join(
        b"".join(part.pieces()) if hasattr(part, "pieces") else bytes(part) for part in parts
    )
    assert written == data, "the file does not come back"


def read_index(data: bytes) -> None:
    """Read an index of shards."""
    try:
        shards.read_index(data, LIMITS)
    except qcodec.QCodecError:
        return


def read_original(data: bytes) -> None:
    """Read the rest of a file, as it may be attached."""
    try:
        original = Original.from_bytes(data, LIMITS)
        files_of(original, lambda name: Opaque(memoryview(b""), name, ()))
    except qcodec.QCodecError:
        return


def in_archive(name: str) -> Callable[[bytes], None]:
    """A reader of archives whose member of this name is the input; half of them are the input."""

    def reader(data: bytes) -> None:
        if data[:1] < b"\x80":
            read(data[1:])
            return
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, data[1:])
            archive.writestr("archive/data/0", bytes(range(64)))
        read(buffer.getvalue())

    return reader


# ---- seeds: small files of every kind ----


def numpy_seeds() -> Iterator[bytes]:
    """Arrays, and pickled dicts of arrays."""
    for array in (np.arange(6.0).reshape(2, 3).T, np.arange(3, dtype=">i2"), np.array({"a": 1})):
        buffer = io.BytesIO()
        np.save(buffer, array)
        yield buffer.getvalue()
    for protocol in (2, 4, 5):
        tree = {"w": np.ones(3, "f4"), "n": [np.float32(1), {"b": np.zeros((2, 2), "i8")}]}
        yield pickled_array(pickle.dumps(np.array(tree), protocol))


def pickled_array(data: bytes) -> bytes:
    """An array of objects, with this pickle."""
    header = io.BytesIO()
    fields = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue() + data


def npz_seeds() -> Iterator[bytes]:
    """Archives, stored and deflated."""
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, a=np.arange(6.0).reshape(2, 3), b=np.asfortranarray(np.ones((2, 2))))
        yield b"\0" + buffer.getvalue()
    yield from (b"\x80" + seed for seed in numpy_seeds())


def torch_seeds() -> Iterator[bytes]:
    """State dicts and whole nets, new and old."""
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    tensors = {**net.state_dict(), "t": torch.ones(2, 3).T, "h": torch.ones(2, dtype=torch.half)}
    for value in (tensors, {"model": net, "epoch": 3, "o": [torch.ones(1), None]}):
        for zipped in (True, False):
            buffer = io.BytesIO()
            torch.save(value, buffer, _use_new_zipfile_serialization=zipped)
            yield b"\0" + buffer.getvalue()
            if zipped:
                archive = zipfile.ZipFile(buffer)
                yield b"\x80" + archive.read("archive/data.pkl")


def gguf_seeds() -> Iterator[bytes]:
    """One file with keys and tensors of several kinds."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(8, "little") + value.encode()

    def number(value: int, size: int = 4) -> bytes:
        return value.to_bytes(size, "little")

    keys = [
        text("general.name") + number(8) + text("net"),
        text("tokens") + number(9) + number(8) + number(2, 8) + text("a") + text("bc"),
        text("sizes") + number(9) + number(4) + number(2, 8) + bytes(8),
        text("general.alignment") + number(4) + number(32),
    ]
    infos, data = [], b""
    for kind, shape, size in ((0, (4, 2), 32), (8, (32, 2), 68), (2, (32,), 18), (30, (3,), 6)):
        dims = number(len(shape)) + b"".join(number(dim, 8) for dim in shape)
        infos.append(text(f"t{kind}") + dims + number(kind) + number(len(data), 8))
        data += bytes(range(size)) + bytes(-size % 32)
    head = b"GGUF" + number(3) + number(len(infos), 8) + number(len(keys), 8)
    head += b"".join(keys + infos)
    yield head + bytes(-len(head) % 32) + data


def onnx_seeds() -> Iterator[bytes]:
    """Initializers as raw bytes and as numbers."""
    from onnx import TensorProto, helper, numpy_helper

    tensors = [
        numpy_helper.from_array(np.arange(6, dtype="f4").reshape(2, 3), "w"),
        helper.make_tensor("f", TensorProto.FLOAT, [3], [1.0, 2, 3]),
        helper.make_tensor("i", TensorProto.INT64, [3], [1, -2, 300]),
        helper.make_tensor("b", TensorProto.INT8, [2], [-1, 5]),
    ]
    graph = helper.make_graph([], "g", [], [], tensors)
    yield helper.make_model(graph).SerializeToString()


def safetensors_seeds() -> Iterator[bytes]:
    """Ordinary files with headers of several forms, and encoded ones."""
    entries = {
        "w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "é": {"dtype": "F4", "shape": [4], "data_offsets": [16, 18]},
    }
    new = {"x": {"dtype": "NEW", "shape": [1], "data_offsets": [0, 18]}}  # which is not decoded
    metadata = {"__metadata__": {"format": "pt"}}
    for value in (entries, new | metadata, entries | metadata, metadata):
        size = 0 if value is metadata else 18
        for text in (json.dumps(value, separators=(",", ":")), json.dumps(value, indent=1) + "  "):
            yield len(text).to_bytes(8, "little") + text.encode() + bytes(range(size))
    tensors = {"w": np.eye(8, dtype="f4"), "b": np.arange(5), "again": np.eye(8, dtype="f4")}
    yield qcodec.save(tensors)
    yield qcodec.save(tensors, layout="entries", recipe={"w": qcodec.Ternary(), "b": None})


def index_seeds() -> Iterator[bytes]:
    """An index of two files."""
    yield b'{"metadata":{"total_size":4},"weight_map":{"a":"m-1.safetensors","b":"m-2.npz"}}'


def original_seeds() -> Iterator[bytes]:
    """The rest of a GGUF file."""
    data = next(gguf_seeds())
    directory = read_any(BytesSource(data), Opening(LIMITS))
    found = original_of(BytesSource(data), directory, "net.gguf")
    assert found is not None
    yield found.to_bytes()


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "npy": (read, numpy_seeds),
    "npz": (in_archive("a.npy"), npz_seeds),
    "pytorch": (in_archive("archive/data.pkl"), torch_seeds),
    "gguf": (read, gguf_seeds),
    "onnx": (read, onnx_seeds),
    "safetensors": (read, safetensors_seeds),
    "index": (read_index, index_seeds),
    "original": (read_original, original_seeds),
}


def fuzz(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one format; the process ends with it."""
    target, seeds = TARGETS[name]
    corpus = ROOT / "build/fuzz/corpus" / f"readers-{name}"
    corpus.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(seeds()):
        target(seed)
        (corpus / f"seed-{at}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=20", "-rss_limit_mb=2048"]
    options += [f"-artifact_prefix={folder}/{name}-", "-print_final_stats=1", str(corpus)]
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


def main() -> int:
    """Fuzz what the command line names."""
    name = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else ROOT / "build/fuzz/findings"
    if name != "all":
        fuzz(name, seconds, folder)
        return 0
    names = list(TARGETS)
    random.shuffle(names)
    share = max(1, seconds // len(names))
    commands = ([sys.executable, __file__, one, str(share), str(folder)] for one in names)
    return max(subprocess.call(command) for command in commands)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
