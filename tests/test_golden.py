"""The golden files of every release: what they hold, for ever, and that no damage to them passes.

They are written by tools/make_golden.py, never by a test.
"""

import hashlib
import json
from pathlib import Path

import pytest
from frame_writer import DTYPES

import reference
from qcodec.encoded import Encoded
from qcodec.errors import QCodecError
from qcodec.frame import encode_quantized
from qcodec.pack import read_pack
from qcodec.source import BytesSource

GOLDEN = Path(__file__).parent / "golden"
MANIFESTS = {
    path.parent: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(GOLDEN.glob("*/manifest.json"))
}
VALID = [
    pytest.param(folder / name, entry, id=f"{folder.name}-{name}")
    for folder, manifest in MANIFESTS.items()
    for name, entry in manifest["valid"].items()
]
BROKEN = [
    pytest.param(folder / "broken" / name, entry, id=f"{folder.name}-{name}")
    for folder, manifest in MANIFESTS.items()
    for name, entry in manifest["broken"].items()
]
#: Encoder output may change between releases; what the newest one wrote is what it writes.
NEWEST = max(MANIFESTS, key=lambda folder: [int(part) for part in folder.name.split(".")])
ENCODED = [param for param in VALID if "encode" in param.values[1] and NEWEST.name in param.id]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def frames_of(data):
    """Every frame of a file, by the library."""
    if data[:2] != b"QP":
        return {None: data}
    entries = read_pack(BytesSource(data)).entries
    return {entry.name: data[entry.offset : entry.offset + entry.size] for entry in entries}


def decode_file(data):
    """Decode all that a file holds."""
    return {name: Encoded(frame).decode() for name, frame in frames_of(data).items()}


def test_files_are_those_of_the_manifests():
    for folder, manifest in MANIFESTS.items():
        listed = {folder / name: entry for name, entry in manifest["valid"].items()}
        listed |= {folder / "broken" / name: entry for name, entry in manifest["broken"].items()}
        found = {path for path in folder.rglob("*") if path.is_file()}
        assert found == listed.keys() | {folder / "manifest.json"}
        for path, entry in listed.items():
            assert digest(path.read_bytes()) == entry["sha256"]


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_golden_file_decodes_to_its_values(path, entry):
    expected = entry.get("tensors", {None: entry})
    found = decode_file(path.read_bytes())
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert list(array.shape) == expected[name]["shape"]
        assert digest(array.tobytes()) == expected[name]["values"]


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_the_reference_decodes_a_golden_file_to_the_same_values(path, entry):
    expected = entry.get("tensors", {None: entry})
    for name, frame in frames_of(path.read_bytes()).items():
        tensor = reference.decode(frame)
        assert (tensor.dtype, list(tensor.shape)) == (
            expected[name]["dtype"],
            expected[name]["shape"],
        )
        assert digest(tensor.data) == expected[name]["values"]


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_every_strict_prefix_of_a_golden_file_is_an_error(path, entry):
    data = path.read_bytes()
    for size in range(len(data)):
        with pytest.raises(QCodecError) as caught:
            decode_file(data[:size])
        assert caught.value.code == "truncated"


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_every_flipped_bit_of_a_golden_file_is_an_error(path, entry):
    data = path.read_bytes()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(QCodecError):
            decode_file(bytes(flipped))


@pytest.mark.parametrize(("path", "entry"), BROKEN)
def test_broken_golden_file_gives_its_error(path, entry):
    data = path.read_bytes()
    with pytest.raises(QCodecError) as caught:
        read_pack(BytesSource(data)) if path.suffix == ".qc" else Encoded(data).decode()
    assert caught.value.code == entry["error"]


@pytest.mark.parametrize(("path", "entry"), [param for param in BROKEN if ".frame" in param.id])
def test_codes_of_a_broken_golden_file_give_its_error(path, entry):
    with pytest.raises(QCodecError) as caught:
        Encoded(path.read_bytes()).quantized()
    assert caught.value.code == entry["error"]


@pytest.mark.parametrize(("path", "entry"), ENCODED)
def test_codes_of_a_golden_file_encode_to_the_same_bytes(path, entry):
    data = path.read_bytes()
    assert encode_quantized(Encoded(data).quantized(), **entry["encode"]) == data


def test_golden_files_cover_the_tables_of_the_format():
    for folder, manifest in MANIFESTS.items():
        frames = [
            (folder / name).read_bytes() for name in manifest["valid"] if name.endswith(".frame")
        ]
        assert {frame[5] for frame in frames} == set(range(len(DTYPES)))
        assert {(frame[6] >> 4, frame[3] >> 1 & 7) for frame in frames} >= {
            (3, positions) for positions in range(4)
        }
        assert {frame[6] >> 4 for frame in frames} == {0, 1, 2, 3, 5}
        features = 0
        for frame in frames:
            features |= frame[4]
        assert features == 0b1111111
        kinds = {entry["error"] for entry in manifest["broken"].values()}
        assert kinds == {"truncated", "corrupt", "checksum", "unsupported", "limit"}
