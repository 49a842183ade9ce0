"""The boundary to C: a size that does not fit its buffer is refused before C uses it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import qcodec
from qcodec._core import core
from qcodec._frame.ids import KINDS, POSITIONS
from qcodec.dtypes import element_type

F32 = element_type("float32").id
U16 = element_type("uint16").id
WEIGHTS = np.sqrt(np.arange(24, dtype=np.float32)).reshape(4, 6)


def octets(count):
    return np.zeros(count, np.uint8)


# ---- decoding


def frame_of(codec=None, **settings):
    data = qcodec.encode(WEIGHTS, codec or qcodec.Lossless(), **settings)
    return core.Frame.read(np.frombuffer(data, np.uint8), True, True), np.frombuffer(data, np.uint8)


@pytest.mark.parametrize("dtype", [F32, U16, element_type("float64").id, 22, 255])
@pytest.mark.parametrize("size", [0, 1, 24, 95, 97, 96 + 4])
def test_an_output_of_another_size_is_refused(dtype, size):
    frame, data = frame_of()
    with pytest.raises(ValueError, match="out has"):
        frame.decode(0, 24, dtype, octets(size), data, 0, None, True)


def test_the_size_of_an_element_cannot_be_passed():
    """Once it was: 64 bytes were written into 16."""
    frame, data = frame_of()
    with pytest.raises(TypeError):
        frame.decode(0, 24, F32, 1, octets(24), data, 0, None, True)


def test_wide_codes_take_two_bytes():
    frame, data = frame_of(qcodec.Affine(bits=10))
    offset, length, _, _ = frame.chunk(0)
    positions, codes = frame.decode_codes(0, data[offset : offset + length], None, True)
    assert positions is None
    assert len(codes) == 2 * WEIGHTS.size


def test_a_chunk_of_another_size_is_refused():
    frame, data = frame_of()
    offset, length, _, _ = frame.chunk(0)
    for size in (0, length - 1, length + 1):
        part = data[offset : offset + size] if size <= length else octets(size)
        with pytest.raises(ValueError, match=r"the chunk: .* bytes, needed are"):
            frame.decode_codes(0, part, None, True)
    with pytest.raises(IndexError):
        frame.decode_codes(1, data[offset : offset + length], None, True)


def test_bytes_that_are_not_all_of_the_chunks_are_refused():
    weights = np.sqrt(np.arange(1000, dtype=np.float32))
    data = np.frombuffer(qcodec.encode(weights, chunk=256), np.uint8)
    frame = core.Frame.read(data, True, True)
    places = [frame.chunk(index)[:2] for index in range(4)]
    start, stop = places[1][0], places[2][0] + places[2][1]

    def decode(offset, end):
        out = np.zeros(300, np.float32)
        frame.decode(400, 300, F32, out.view(np.uint8), data[offset:end], offset, None, True)
        assert np.array_equal(out, weights[400:700])

    for offset, end in [(start, stop), (start - 1, stop + 1), (0, len(data))]:
        decode(offset, end)
    for offset, end in [(start + 1, stop), (start, stop - 1), (start, start), (stop, len(data))]:
        with pytest.raises(ValueError, match="are not all of the chunks 1 to 3"):
            decode(offset, end)
    for first, count in [(0, 1001), (1000, 1), (2**64 - 1, 2), (1, 2**64 - 1)]:
        with pytest.raises(IndexError, match="of 1,000"):
            frame.decode(first, count, F32, octets(4), data, 0, None, True)
        with pytest.raises(IndexError, match="of 1,000"):
            frame.pieces(first, count, 100)


@pytest.mark.parametrize("limit", [0, 1, 500, 1000, 2**64 - 1])
def test_pieces_hold_each_chunk_once_and_no_more_bytes_than_the_limit(limit):
    data = np.frombuffer(qcodec.encode(np.arange(3000, dtype=np.float32), chunk=256), np.uint8)
    frame = core.Frame.read(data, True, True)
    chunks = [frame.chunk(index) for index in range(1, 9)]
    pieces = frame.pieces(300, 1900, limit)
    assert sum(count for _, count, _, _ in pieces) == 1900
    assert sum(size for _, _, _, size in pieces) == sum(size for _, size, _, _ in chunks)
    at, place = 300, chunks[0][0]
    for first, count, offset, size in pieces:
        assert (first, offset) == (at, place)
        assert size <= limit or (offset, size) in [chunk[:2] for chunk in chunks]
        at, place = at + count, place + size


@pytest.mark.parametrize(("offset", "size"), [(0, 0), (0, 2**64 - 1), (10**6, 1), (1, 2**64 - 1)])
def test_small_frames_outside_their_buffer_are_left_to_others(offset, size):
    _, data = frame_of()
    frames = core.SmallFrames(data)
    assert frames.head(0, len(data), True) == ((4, 6), F32, 24)
    assert frames.head(offset, size, True) is None
    assert not frames.decode_whole(offset, size, F32, octets(96), True)


def test_small_frames_that_are_unusual_are_left_to_others():
    base = WEIGHTS + np.float32(2**-18)
    for codec in (qcodec.Delta(base), qcodec.Affine(4)):
        _, data = frame_of(codec)
        assert (core.SmallFrames(data).head(0, len(data), True) is None) == hasattr(codec, "base")
    large = np.frombuffer(qcodec.encode(np.zeros(16385, np.float32)), np.uint8)
    assert core.SmallFrames(large).head(0, len(large), True) is None
    _, data = frame_of()
    for dtype, out in [(F32, octets(95)), (F32, octets(97)), (U16, octets(96)), (255, octets(96))]:
        assert not core.SmallFrames(data).decode_whole(0, len(data), dtype, out, True)
    broken = data.copy()
    broken[-1] ^= 1
    assert core.SmallFrames(broken).head(0, len(data), True) is None
    assert core.SmallFrames(broken).head(0, len(data), False) is not None
    assert not core.SmallFrames(broken).decode_whole(0, len(data), F32, octets(96), True)
    with pytest.raises((ValueError, BufferError)):
        core.SmallFrames(data).decode_whole(0, len(data), F32, bytes(96), True)


@pytest.mark.parametrize("size", [0, 95, 97, 4 * 96])
def test_a_base_of_another_size_is_refused(size):
    base = WEIGHTS + np.float32(2**-18)
    frame, data = frame_of(qcodec.Delta(base))
    offset, length, _, _ = frame.chunk(0)
    with pytest.raises(ValueError, match="the base has"):
        frame.decode(0, 24, F32, octets(96), data, 0, octets(size), True)
    with pytest.raises(ValueError, match="the base has"):
        frame.decode_codes(0, data[offset : offset + length], octets(size), True)


# ---- encoding

#: Kind, and the arguments of a plan that are no parameters.
HEADS = {
    "codebook": ("codebook", {"entries": 4}),
    "affine": ("affine", {"width": 4}),
    "delta": ("delta", {"step": 100}),
}
#: Bytes that each parameter has to have.
SIZES = {
    "codebook": {"codebook": 16, "codebook_order": 4, "scales": 8},
    "affine": {"scales": 8, "zero_points": 4},
    "delta": {"digest": 8, "base": 96},
}
#: Type, elements that share a group, and number of groups.
GROUPS = {"codebook": (F32, 1, 1), "scales": (F32, 12, 2), "zero_points": (U16, 12, 2)}


def parameter(name, size):
    values = octets(size)
    return core.PlanGroups(*GROUPS[name], values) if name in GROUPS else values


def plan_of(head, **sizes):
    kind, arguments = HEADS[head]
    sizes = {**SIZES[head], **sizes}
    parameters = {name: parameter(name, size) for name, size in sizes.items()}
    return core.Plan((4, 6), F32, KINDS[kind], POSITIONS["dense"], **arguments, **parameters)


@pytest.mark.parametrize(
    ("head", "parameter"), [(head, name) for head, sizes in SIZES.items() for name in sizes]
)
def test_parameters_of_another_size_than_the_head_says_are_refused(head, parameter):
    right = SIZES[head][parameter]
    plan_of(head)
    for size in (right - 1, right + 1, 2 * right):
        with pytest.raises(ValueError, match=f"{size:,} bytes"):
            plan_of(head, **{parameter: size})


def test_an_order_needs_a_codebook():
    with pytest.raises(ValueError, match="no codebook"):
        plan_of("affine", codebook_order=4)


@pytest.mark.parametrize("stored", [0, 23, 25, 2**62, 2**64 - 1])
def test_values_of_another_size_than_their_count_are_refused(stored):
    plan, nowhere = plan_of("affine"), np.zeros(0, np.uint32)
    with pytest.raises(ValueError, match="values: 24 bytes"):
        plan.encode_chunk(0, 24, nowhere, octets(24), stored, 0, 0xFF, 1, 5)


def test_a_chunk_longer_than_the_format_allows_is_refused():
    plan = core.Plan((1 << 40,), F32, KINDS["bytes"], POSITIONS["mask"], chunk_elements=1 << 22)
    with pytest.raises(ValueError, match="elements of the chunk"):
        plan.encode_chunk(0, 1 << 23, np.zeros(0, np.uint32), octets(0), 0, 0, 0xFF, 1, 5)


def chunk_of_zeros():
    nowhere = np.zeros(0, np.uint32)
    return plan_of("affine").encode_chunk(0, 24, nowhere, octets(24), 24, 0, 0xFF, 1, 5)[0]


def test_writing_a_frame_takes_any_bytes_and_keeps_no_view_of_them():
    chunk = bytearray(chunk_of_zeros())
    frame = plan_of("affine").write([(chunk, 0)], 0xFF, 1)
    assert plan_of("affine").write([(memoryview(bytes(chunk)), 0)], 0xFF, 1) == frame
    chunk.append(0)  # no view is left
    with pytest.raises(ValueError, match="2 chunks, the frame has 1"):
        plan_of("affine").write([(chunk, 0), (chunk, 0)], 0xFF, 1)


def test_threads_write_one_plan_with_coded_parameters():
    """Each call has bodies of its own: none goes while another thread still reads it."""
    scales = np.linspace(1, 2, 4096, dtype=np.float32).view(np.uint8)
    plan = core.Plan(
        (64, 64),
        F32,
        KINDS["affine"],
        POSITIONS["dense"],
        width=4,
        scales=core.PlanGroups(F32, 1, 4096, scales),
        zero_points=core.PlanGroups(U16, 1, 4096, octets(8192)),
    )
    nowhere = np.zeros(0, np.uint32)
    chunk, used = plan.encode_chunk(0, 4096, nowhere, octets(4096), 4096, 0, 0xFF, 1, 5)
    with ThreadPoolExecutor(8) as pool:
        frames = set(pool.map(lambda _: plan.write([(chunk, used)], 0xFF, 2), range(32)))
    (frame,) = frames
    assert len(frame) < scales.nbytes  # they are coded
    assert np.array_equal(qcodec.decode(frame), np.zeros((64, 64), np.float32))


# ---- streams, packs, numbers


@pytest.mark.parametrize("width", [8, 9])
@pytest.mark.parametrize("count", [1, 2**63, 2**64 - 1])
def test_more_symbols_than_bytes_are_refused(width, count):
    with pytest.raises(ValueError, match=f"symbols of {width} bits in 0 bytes"):
        core.encode_stream(octets(0), count, width, 0xFF, 1)
    with pytest.raises(ValueError, match=f"gaps of {width} bits in 0 bytes"):
        core.relative_index_decode(octets(0), count, width, 100)


@pytest.mark.parametrize(("offset", "size"), [(0, 4), (4, 0), (1, 3), (2**64 - 1, 2)])
def test_names_outside_the_bytes_of_a_pack_are_refused(offset, size):
    table = np.zeros(1, core.PACK_ENTRY)
    table["name_offset"], table["name_bytes"], table["bytes"] = offset, size, 1
    for call in (
        lambda: core.pack_write_content(b"abc", np.zeros(0, np.uint64), table.view("u1")),
        lambda: core.pack_find(b"abc", table.view("u1"), b"a"),
    ):
        with pytest.raises(ValueError, match="not inside the 3 bytes"):
            call()


def test_an_order_that_points_past_the_names_is_refused():
    table = np.zeros(2, core.PACK_ENTRY)
    table["by_name"] = 0, 2
    with pytest.raises(ValueError, match="order of 2 names"):
        core.pack_find(b"", table.view("u1"), b"a")


@pytest.mark.parametrize(("source", "out"), [(8, 7), (8, 9), (7, 8), (8, 0)])
def test_conversions_between_buffers_of_other_sizes_are_refused(source, out):
    bfloat16 = element_type("bfloat16").id
    with pytest.raises(ValueError, match=r"source is not|out has"):
        core.convert(octets(source), F32, octets(out), bfloat16)


# ---- memory

COLLECTED = """
import gc, sys
import numpy as np, qcodec
from qcodec._core import core
data = np.frombuffer(bytes.fromhex(sys.argv[1]), np.uint8)
for _ in range(20):
    frame = core.Frame.read(data, True, True)
    assert frame.coded_bytes > 0
    circle = [frame.with_parameters()]
    circle.append(circle)
    del circle, frame
    gc.collect()
"""


def test_the_garbage_collector_frees_a_frame_and_its_parameters_once():
    """Once it did not: what a frame refers to is gone when the collector deletes it."""
    weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    data = qcodec.encode(weights, qcodec.Affine(bits=4, group=16), profile="small")
    environment = os.environ | {"PYTHONMALLOC": "debug"}
    command = [sys.executable, "-c", COLLECTED, data.hex()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
