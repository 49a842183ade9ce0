"""The golden files of every release: they decode to the same values for ever, and damage shows.

They are written by tools/make_golden.py, never by a test.
"""

import hashlib
import json
import math
from functools import reduce
from operator import or_

import numpy as np
import pytest
import safetensors

import reference
from qcodec import Encoded
from qcodec._file.tensor_file import TensorFile
from qcodec._frame.encode import encode_quantized
from qcodec._io.source import BytesSource
from qcodec.errors import QCodecError
from reference.__main__ import values_of
from reference.conventions import Reader
from reference.head import AFFINE, CODEBOOK, read_head
from tests.repository import GOLDEN
from tests.writers.frame_writer import DTYPES, KINDS, POSITIONS, is_delta

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
SAFETENSORS = [
    pytest.param(folder / "safetensors" / f"{name}.safetensors", entry, id=f"{folder.name}-{name}")
    for folder, manifest in MANIFESTS.items()
    for name, entry in manifest["safetensors"].items()
]
#: Encoder output may change between releases; what the newest one wrote is what it writes.
NEWEST = max(MANIFESTS, key=lambda folder: [int(part) for part in folder.name.split(".")])
ENCODED = [param for param in VALID if "encode" in param.values[1] and NEWEST.name in param.id]


def base_beside(path):
    """What a frame of kind delta was stored against; None for other files."""
    base = path.with_name(path.name + ".base")
    return base.read_bytes() if base.exists() else None


def opened(frame, base):
    """A frame, given its base's bytes."""

    def array():
        elements = np.frombuffer(base, np.uint8).copy().view(encoded.dtype)
        return elements.reshape(
            encoded.shape if elements.nbytes == encoded.nbytes else elements.shape
        )

    encoded = Encoded(frame, base=None if base is None else array)
    return encoded


def digest(data):
    return hashlib.sha256(data).hexdigest()


def decode_file(data, base=None):
    """Decode all that a file holds."""
    if data[:2] != b"QP":
        return {None: opened(data, base).decode()}
    with TensorFile(BytesSource(data)) as file:
        attached = {name: file.get_attached(name) for name in file.directory.attached}
        as_arrays = {name: np.frombuffer(it, np.uint8) for name, it in attached.items()}
        return file.get_tensors() | as_arrays


def decode_by_reference(data, base=None):
    """The same by the reference."""
    if data[:2] != b"QP":
        return {None: reference.decode(data, base=base)}
    entries = reference.read_pack(data)
    return {name: reference.decode_entry(entries, name) for name in entries}


def test_files_are_those_of_the_manifests():
    for folder, manifest in MANIFESTS.items():
        listed = {folder / name: entry for name, entry in manifest["valid"].items()}
        listed |= {folder / "broken" / name: entry for name, entry in manifest["broken"].items()}
        listed |= {
            folder / "safetensors" / f"{name}.safetensors": entry
            for name, entry in manifest["safetensors"].items()
        }
        found = {path for path in folder.rglob("*") if path.is_file()}
        bases = {path for path in found if path.suffix == ".base"}
        assert all(is_delta(path.with_suffix("").read_bytes()) for path in bases)
        assert found - bases == listed.keys() | {folder / "manifest.json"}
        for path, entry in listed.items():
            assert digest(path.read_bytes()) == entry["sha256"]


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_golden_file_decodes_to_its_values(path, entry):
    expected = entry.get("tensors", {None: entry})
    found = decode_file(path.read_bytes(), base_beside(path))
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert list(array.shape) == expected[name]["shape"]
        assert digest(array.tobytes()) == expected[name]["values"]


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_the_reference_decodes_a_golden_file_to_the_same_values(path, entry):
    expected = entry.get("tensors", {None: entry})
    for name, tensor in decode_by_reference(path.read_bytes(), base_beside(path)).items():
        assert (tensor.dtype, list(tensor.shape)) == (
            expected[name]["dtype"],
            expected[name]["shape"],
        )
        assert digest(tensor.data) == expected[name]["values"]


@pytest.mark.parametrize(("path", "entry"), [it for it in VALID if it.values[0].suffix == ".frame"])
def test_no_golden_value_that_is_computed_is_a_nan(path, entry):
    """The format leaves open which NaN infinity times 0 gives, and machines differ."""
    data = path.read_bytes()
    if read_head(Reader(data, length_is_known=False)).kind in (AFFINE, CODEBOOK):
        assert not any(math.isnan(value) for value in values_of(reference.decode(data)))


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_every_strict_prefix_of_a_golden_file_is_an_error(path, entry):
    data, base = path.read_bytes(), base_beside(path)
    for size in range(len(data)):
        with pytest.raises(QCodecError) as caught:
            decode_file(data[:size], base)
        assert caught.value.code == "truncated"


@pytest.mark.parametrize(("path", "entry"), VALID)
def test_every_flipped_bit_of_a_golden_file_is_an_error(path, entry):
    data, base = path.read_bytes(), base_beside(path)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(QCodecError):
            decode_file(bytes(flipped), base)


@pytest.mark.parametrize(("path", "entry"), BROKEN)
def test_broken_golden_file_gives_its_error(path, entry):
    data = path.read_bytes()
    with pytest.raises(QCodecError) as caught:
        decode_file(data, base_beside(path))
    assert caught.value.code == entry["error"]


@pytest.mark.parametrize(("path", "entry"), BROKEN)
def test_the_reference_gives_the_error_of_a_broken_golden_file(path, entry):
    with pytest.raises(reference.FormatError) as caught:
        decode_by_reference(path.read_bytes(), base_beside(path))
    assert caught.type.__name__.lower() == entry["error"]


@pytest.mark.parametrize("way", ["quantized", "verify"])
@pytest.mark.parametrize(("path", "entry"), [param for param in BROKEN if ".frame" in param.id])
def test_codes_and_check_of_a_broken_golden_file_give_its_error(path, entry, way):
    with pytest.raises(QCodecError) as caught:
        getattr(opened(path.read_bytes(), base_beside(path)), way)()
    assert caught.value.code == entry["error"]


@pytest.mark.parametrize(("path", "entry"), SAFETENSORS)
def test_golden_safetensors_file_gives_its_tensors_or_its_error(path, entry):
    data = path.read_bytes()
    if "error" in entry:
        with pytest.raises(QCodecError) as caught, TensorFile(BytesSource(data)) as file:
            file.get_tensors()
        assert caught.value.code == entry["error"]
        return
    with TensorFile(BytesSource(data)) as file:
        tensors = file.get_tensors()
    assert tensors.keys() == entry["tensors"].keys()
    for name, array in tensors.items():
        expected = entry["tensors"][name]
        assert (list(array.shape), digest(array.tobytes())) == (
            expected["shape"],
            expected["values"],
        )


@pytest.mark.parametrize(("path", "entry"), SAFETENSORS)
def test_the_reference_reads_a_golden_safetensors_file(path, entry):
    if "error" in entry:
        with pytest.raises(reference.FormatError) as caught:
            reference.read_safetensors(path.read_bytes())
        assert caught.type.__name__.lower() == entry["error"]
        return
    found = {
        name: {"dtype": it.dtype, "shape": list(it.shape), "values": digest(it.data)}
        for name, it in reference.read_safetensors(path.read_bytes()).items()
    }
    assert found == entry["tensors"]


@pytest.mark.parametrize(("path", "entry"), [it for it in SAFETENSORS if "tensors" in it.values[1]])
def test_golden_safetensors_files_are_valid_safetensors_files(path, entry):
    found = safetensors.deserialize(path.read_bytes())
    names = {name.removesuffix(".qcodec") for name, _ in found}
    assert names <= {*entry["tensors"], "qcodec.pack", "notes", "rows"}


#: Files whose rule is told from others of the same kind by its name alone: if nobody asked for it,
#: another one would be broken later.
RULES = {
    "books_0.frame": "codebook: number of books",
    "chunk_elements_255.frame": "frame: elements of a chunk",
    "scale_count_0.frame": "scale: number of groups",
    "shared_length_beyond_the_body.frame": "frame: bytes before the chunks",
    "copies_low_bytes_too_many.frame": "copies: bytes of low bits",
    "copies_more_than_elements.frame": "copies: copies",
    "copies_run_no_number.frame": "copies: symbol of a number",
    "copies_stored_beyond_the_elements.frame": "positions: stored elements",
    "csr_row_with_too_many.frame": "csr: row counts exceed the stored elements",
    "csr_rows_with_too_few.frame": "csr: stored elements beyond the last row",
    "delta_escapes_beyond_the_elements.frame": "delta: escapes",
    "delta_escapes_that_end.frame": "delta: more escapes than are stored",
    "delta_low_bits_that_end.frame": "delta: more low bits than are stored",
    "delta_low_bytes_beyond_the_elements.frame": "delta: bytes of low bits",
    "entries_beyond_the_elements.frame": "positions: stored elements",
    "planes_escape_missing.frame": "planes: too few escapes",
    "planes_more_escapes_than_elements.frame": "planes: escapes",
}


@pytest.mark.parametrize("name", RULES)
def test_a_broken_golden_file_names_its_rule(name):
    path = NEWEST / "broken" / name
    with pytest.raises(QCodecError, match=f"^{RULES[name]} "):
        opened(path.read_bytes(), base_beside(path)).decode()
    with pytest.raises(QCodecError, match=f"^{RULES[name]} "):
        opened(path.read_bytes(), base_beside(path))[-1]


@pytest.mark.parametrize(("path", "entry"), ENCODED)
def test_codes_of_a_golden_file_encode_to_the_same_bytes(path, entry):
    data = path.read_bytes()
    assert encode_quantized(Encoded(data).quantized(), **entry["encode"]) == data


def test_golden_files_cover_the_tables_of_the_format():
    for folder, manifest in MANIFESTS.items():
        names = [name for name in manifest["valid"] if name.endswith(".frame")]
        heads = [
            read_head(Reader((folder / name).read_bytes(), length_is_known=False)) for name in names
        ]
        assert {head.dtype for head in heads} == set(DTYPES)
        assert {(head.kind, head.positions) for head in heads} >= {
            (3, positions) for positions in range(len(POSITIONS))
        }
        assert {head.kind for head in heads} == set(range(len(KINDS)))
        assert reduce(or_, (head.features for head in heads)) == 0b1111111
        kinds = {entry["error"] for entry in manifest["broken"].values()}
        assert kinds == {"truncated", "corrupt", "checksum", "unsupported", "limit"}
