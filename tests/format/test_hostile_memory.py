"""The memory that hostile bytes may cost."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qcodec
from qcodec._file.header_writer import TensorSpec, write_header
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.cli.inspect import describe
from qcodec.tensor import encode_frame
from tests.repository import GOLDEN, ROOT
from tests.writers.frame_writer import assemble_pack, write_pack
from tests.writers.hostile_frames import (
    CONSTANT,
    LARGEST_CHUNK,
    MIB,
    ONE,
    frame_of,
    one_class,
    scaled_frame,
)
from tests.writers.stream_writer import vu

BROKEN = GOLDEN / "0.1.0" / "broken"

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs /proc/self/statm"
)


def with_spare_memory(door, requests):
    """Outcomes of (bytes to spare, data) at a door of address_space.py."""
    text = "\n".join(f"{door} {spare} {data.hex()}" for spare, data in requests)
    command = [sys.executable, "-m", "tests.format.address_space"]
    result = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=True
    )
    return result.stdout.split()


LATE = [CONSTANT] * 63 + [b"\0\1"]
LONG_CONSTANT = b"\0\2\0\0"
THREE_ENTRIES = bytes([2, 0, 1, 0]) + bytes(12)
HUGE_BOOKS = bytes([0, 0]) + vu(2**55) + b"\1\0"
ALL = vu(LARGEST_CHUNK)


#: At most a kilobyte that declares much and ends in an error.
LARGE_AND_WRONG = {
    "many chunks, the last is cut": frame_of(
        "f64 bytes dense", (64 * LARGEST_CHUNK,), LATE, b"", LARGEST_CHUNK
    ),
    "one large chunk": frame_of("f64 bytes dense", ONE, [LONG_CONSTANT]),
    "output of half a megabyte": frame_of("u8 bytes dense", (MIB // 2,), [LONG_CONSTANT]),
    "output of a megabyte": frame_of("u8 bytes dense", (MIB,), [LONG_CONSTANT]),
    "code beyond the codebook": frame_of("f32 codebook dense", ONE, [b"\0\1\3"], THREE_ENTRIES),
    "every element an entry": frame_of(
        "f32 bytes gaps", ONE, [ALL + CONSTANT + LONG_CONSTANT], b"\1"
    ),
    "gaps beyond the end": frame_of("f32 bytes gaps", ONE, [ALL + b"\0\1\1" + CONSTANT], b"\1"),
    "mask of one bit more": frame_of(
        "f32 bytes mask", ONE, [vu(LARGEST_CHUNK - 1) + b"\0\1\x0f" + CONSTANT]
    ),
    "rows of one element": frame_of("f32 bytes csr", ONE, [ALL + b"\0\1\1" * 2 + CONSTANT], b"\1"),
    "more than the limits allow": frame_of("u8 bytes dense", (2**50,), [], b"", 1),
    "symbols of no bits": frame_of("u8 bytes dense", ONE, [one_class(last_state=1)]),
    "gaps of no bits": frame_of("f64 bytes gaps", ONE, [ALL + one_class() + CONSTANT], b"\5"),
    "scales, the last plane is wrong": scaled_frame(
        "f32", LARGEST_CHUNK, CONSTANT * 3 + LONG_CONSTANT, [CONSTANT], None
    ),
    "scales, and a wrong chunk": scaled_frame(
        "f16", LARGEST_CHUNK, CONSTANT * 4, [LONG_CONSTANT], None
    ),
    "zero points, and a wrong chunk": scaled_frame(
        "f16", LARGEST_CHUNK, CONSTANT * 4, [LONG_CONSTANT], None, CONSTANT * 2
    ),
    "scales of a megabyte for half as many values": scaled_frame(
        "f16", MIB // 4 - 1, CONSTANT * 4, [LONG_CONSTANT], None
    ),
    "books beyond the bytes": frame_of("f32 codebook dense", (9,), [CONSTANT], HUGE_BOOKS),
    "entries beyond the elements": frame_of("u8 bytes mask", (9,), [vu(2**55) + CONSTANT * 2]),
    "entries of a pack": assemble_pack(vu(2**55) + bytes(900), []),
}


#: Ways to what a frame holds. The last one looks at the heads of streams alone.
DOORS = ["decode", "quantized", "file", "info"]


@linux_only
@pytest.mark.parametrize("door", DOORS)
def test_an_error_from_a_kilobyte_costs_at_most_a_megabyte(door):
    inputs = dict(LARGE_AND_WRONG)
    for path in sorted(BROKEN.iterdir()):
        if path.stat().st_size <= 1024:
            inputs[path.name] = path.read_bytes()
    assert max(map(len, inputs.values())) <= 1024
    outcomes = with_spare_memory(door, [(MIB, data) for data in inputs.values()])
    manifest = json.loads((BROKEN.parent / "manifest.json").read_text(encoding="utf-8"))
    for name, outcome in zip(inputs, outcomes, strict=True):
        expected = manifest["broken"].get(name, {}).get("error")
        allowed = {expected} if expected else {"corrupt", "checksum", "truncated", "limit"}
        allowed |= {"base"} if name.startswith("delta_") else set()  # none is given here
        unread = door == "info" or name.startswith("pack_attached_")  # which nobody asks for
        assert outcome in allowed or (unread and outcome.isdigit()), name


@linux_only
@pytest.mark.parametrize("door", ["decode", "file"])
def test_a_valid_kilobyte_takes_the_memory_that_it_declares(door):
    chunks = 4
    size = chunks * LARGEST_CHUNK
    data = frame_of("u8 bytes dense", (size,), [CONSTANT] * chunks, b"", LARGEST_CHUNK)
    assert with_spare_memory(door, [(size + MIB, data), (size // 2, data)]) == [
        str(size),
        "memory",
    ]


NONE_STORED = qcodec.Quantized(
    (1 << 29,), "float32", "bytes", np.empty(0, np.float32), np.empty(0, np.int64)
)
#: A few kilobytes that are valid, and declare more than the default limits allow.
BEYOND = {
    "elements": frame_of("f32 bytes dense", (128 * ONE[0],), [CONSTANT] * 128, b"", LARGEST_CHUNK),
    "elements of which none is stored": encode_frame(NONE_STORED, profile="fixed"),
    "rows": qcodec.encode(np.zeros((1 << 30, 0), np.float32)),
    "parameters": scaled_frame(
        "f32", 300 * LARGEST_CHUNK, CONSTANT * 4, [CONSTANT] * 300, LARGEST_CHUNK
    ),
}
#: What a door says to it: the limit, or what there is where nothing is built.
WITHIN = {
    ("quantized", "elements of which none is stored"): "0",
    ("decode", "rows"): "0",
    ("float64", "rows"): "0",
    ("slice", "rows"): "0",
    ("quantized", "rows"): "0",
    ("file", "rows"): "0",
    **{("verify", name): "0" for name in BEYOND},
}


@linux_only
@pytest.mark.parametrize(
    "door", ["decode", "float64", "slice", "quantized", "csr", "file", "verify"]
)
def test_every_entry_point_checks_the_limits_before_it_allocates(door):
    outcomes = with_spare_memory(door, [(8 * MIB, data) for data in BEYOND.values()])
    expected = [WITHIN.get((door, name), "limit") for name in BEYOND]
    assert dict(zip(BEYOND, outcomes, strict=True)) == dict(zip(BEYOND, expected, strict=True))


@linux_only
def test_the_total_of_a_file_is_checked_before_memory_is_allocated():
    # Ninety bytes a tensor, each of which is within the limits.
    one = frame_of("u8 bytes dense", (16 * ONE[0],), [CONSTANT] * 16, b"", LARGEST_CHUNK)
    pack = write_pack([(str(number).encode(), one) for number in range(40)])
    assert with_spare_memory("file", [(8 * MIB, pack)]) == ["limit"]


DIMS = st.sampled_from([0, 1, 2, 3, 255, 2**16, 2**22, 2**31, 2**32, 2**54, 2**56, 2**63])
ROWS = ["u8 bytes dense", "f32 bytes gaps", "f16 bytes csr", "f64 bytes mask", "bool bytes csr"]


@settings(max_examples=300)
@given(
    row=st.sampled_from(ROWS),
    dims=st.lists(DIMS, max_size=9),
    chunk=st.none() | st.sampled_from([256, 2**16, 2**22]),
    chunks=st.lists(st.sampled_from([CONSTANT, vu(0), vu(0) + CONSTANT * 2]), max_size=3),
)
def test_absurd_dims_give_arrays_or_errors_of_ours(row, dims, chunk, chunks):
    parameters = b"\1" if row.split()[2] in ("gaps", "csr") else b""
    if chunk is None:
        chunks = [(chunks or [CONSTANT])[0]]
    data = frame_of(row, tuple(dims), chunks, parameters, chunk)
    limits = qcodec.Limits(max_tensor_bytes=MIB, expansion_floor=MIB)
    file = TensorFile(BytesSource(as_file(data)), limits=limits)

    def encoded():
        return qcodec.Encoded(data, limits=limits)

    doors = [
        lambda: encoded().decode(),
        lambda: encoded().verify(),
        lambda: encoded().info().as_dict(),
        lambda: encoded().quantized(),
        lambda: encoded()[...],
        file.get_tensors,
        lambda: describe(file),
    ]
    if dims:
        doors += [lambda: encoded()[::2], lambda: encoded()[:0]]
    if len(dims) > 1:
        doors += [lambda: encoded()[-1:, ..., ::-1], lambda: encoded()[..., 1:]]
    if row.startswith("f"):
        doors += [lambda: encoded().decode(dtype="float64")]
    if dims and not row.startswith("f16"):
        doors += [lambda: encoded().to_csr()]
    for door in doors:
        with contextlib.suppress(qcodec.QCodecError):  # nothing of NumPy's or Python's
            door()


def as_file(data):
    """A safetensors file with this frame in it."""
    header, _ = write_header({"x.qcodec": TensorSpec("U8", (len(data),), len(data))})
    return header + data
