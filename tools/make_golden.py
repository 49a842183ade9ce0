"""Write the golden files of a release: ``python tools/make_golden.py 0.1.0``.

Golden files are promises. Run this once per release: it writes into a new folder, and tests never
run it. While the format is a draft, ``--replace`` replaces a folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - the modules are found through the path above
from golden.broken import broken_files
from golden.encoded import encoded_files
from golden.safetensors_files import broken_safetensors, valid_safetensors
from golden.valid import valid_files
from golden.valid_deltas import delta_files
from golden.valid_edges import edge_files

import reference
from tests.writers.frame_writer import base_of


def digest(data: bytes) -> str:
    """SHA-256 as text."""
    return hashlib.sha256(data).hexdigest()


def described(tensor: reference.Tensor) -> dict[str, Any]:
    """What a frame decodes to, by the reference."""
    return {"dtype": tensor.dtype, "shape": tensor.shape, "values": digest(tensor.data)}


def valid_entry(data: bytes) -> dict[str, Any]:
    """The manifest's entry of a file that decodes."""
    if data[:2] == b"QP":
        entries = reference.read_pack(data)
        tensors = {name: reference.decode_entry(entries, name) for name in entries}
        return {"tensors": {name: described(tensor) for name, tensor in tensors.items()}}
    return described(reference.decode(data, base=base_of(data)))


def check_broken(name: str, data: bytes, kind: str) -> None:
    """A broken file is broken in the way that its list says."""
    try:
        if name.startswith("pack_"):
            entries = reference.read_pack(data)
            for entry in entries:
                reference.decode_entry(entries, entry)
        else:
            reference.decode(data, base=base_of(data))
    except reference.FormatError as error:
        if type(error).__name__.lower() == kind:
            return
        raise SystemExit(f"{name}: {kind} expected, {error!r} found") from None
    raise SystemExit(f"{name}: {kind} expected, it decodes")


def write_base(path: Path, data: bytes) -> None:
    """What a frame of kind delta was stored against, as little-endian elements beside it."""
    base = base_of(data)
    if base is not None:
        path.with_name(path.name + ".base").write_bytes(base)


def write_safetensors(folder: Path) -> dict[str, Any]:
    """Write safetensors files, and return the manifest's entries of them."""
    folder.mkdir()
    entries: dict[str, Any] = {}
    for name, data, tensors in valid_safetensors():
        held = {
            key: described(reference.Tensor(dtype, tuple(shape), values))
            for key, (dtype, shape, values) in tensors.items()
        }
        entries[name] = {"sha256": digest(data), "tensors": held}
        (folder / f"{name}.safetensors").write_bytes(data)
    for name, data, error in broken_safetensors():
        entries[name] = {"sha256": digest(data), "error": error}
        (folder / f"{name}.safetensors").write_bytes(data)
    return entries


def write(folder: Path) -> None:
    """Write all files and the manifest."""
    manifest: dict[str, dict[str, Any]] = {"valid": {}, "broken": {}}
    (folder / "broken").mkdir(parents=True)
    written = [(*file, None) for file in (*valid_files(), *delta_files(), *edge_files())]
    for name, data, choices in (*written, *encoded_files()):
        (folder / name).write_bytes(data)
        write_base(folder / name, data)
        entry = {"sha256": digest(data), **valid_entry(data)}
        manifest["valid"][name] = entry | ({"encode": choices} if choices else {})
    for name, data, kind in broken_files():
        check_broken(name, data, kind)
        (folder / "broken" / name).write_bytes(data)
        write_base(folder / "broken" / name, data)
        manifest["broken"][name] = {"sha256": digest(data), "error": kind}
    manifest["safetensors"] = write_safetensors(folder / "safetensors")
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    count = {part: len(entries) for part, entries in manifest.items()}
    print(f"{folder}: {count['valid']} valid and {count['broken']} broken files")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("release")
    parser.add_argument("--replace", action="store_true", help="of a draft: start afresh")
    arguments = parser.parse_args()
    folder = ROOT / "tests" / "golden" / arguments.release
    if folder.exists():
        if not arguments.replace:
            sys.exit(f"{folder} exists: golden files do not change")
        shutil.rmtree(folder)
    write(folder)


if __name__ == "__main__":
    main()
