"""Coded parameters: every way, the encoder's choice, and the cost of hostile ones."""

import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._core import core
from qcodec._frame.encode import encode_quantized
from qcodec._frame.encoded import Encoded
from qcodec._frame.head import read_head
from qcodec._io.source import BytesSource
from qcodec.quantized import Groups, Quantized
from tests.format.agreement import assert_agreement, by_library, by_reference
from tests.format.test_differential import prefer
from tests.writers.coded_floats_writer import MODES, floats
from tests.writers.frame_writer import (
    ITEM_SIZES,
    Floats,
    Frame,
    Parts,
    assemble,
    bitpacked,
    write_fields,
    write_frame,
)
from tests.writers.strategies import coders, element_bytes
from tests.writers.stream_writer import CODING_IDS, vu

CONSTANT = b"\0\1\0"
PLANES = b"\0" + CONSTANT * 4  # of f32: all elements are 0
ANY_CODING = (2 << max(CODING_IDS.values())) - 1


def codebook_of(data, dtype="float32"):
    """Eight codes by a codebook of these bits."""
    values = np.frombuffer(data, np.dtype(dtype)).reshape(1, -1)
    bits = max(1, (values.shape[1] - 1).bit_length())
    codes = np.arange(8) % values.shape[1]
    return Quantized(
        (8,),
        "float32",
        "codebook",
        codes.astype(np.uint8),
        None,
        bits,
        Groups(values),
        codebook_dtype=dtype,
    )


def encoded_with(quantized, profile="small"):
    return encode_quantized(quantized, profile=profile, codings=ANY_CODING)


def coded_sizes(data):
    """Bytes of the bodies of codebook, scales, zero points."""
    frame = read_head(BytesSource(data), True)
    groups = (frame.codebook, frame.scales, frame.zero_points)
    coded = (None if one is None else one.coded for one in groups)
    return tuple(None if one is None else one[0] for one in coded)


def way_of(data):
    """How the floats of a frame with one unscaled codebook are stored: magic to dims, body length,
    entries - 1, dtype, books."""
    return MODES[data[8 + len(vu(len(data) - 9)) + 3]]


# ---- every way ----


@pytest.mark.parametrize("mode", MODES)
@given(
    dtype=st.sampled_from(["f32", "f16", "bf16"]),
    entries=st.sampled_from([1, 2, 5, 17, 255, 256]),
    data=st.data(),
)
def test_every_way_gives_the_same_bits_in_every_coding(mode, dtype, entries, data):
    count = 256 // entries if entries < 5 else 1
    bits = data.draw(element_bytes(dtype, count * entries))
    book = Floats(dtype, bits, count, 3 if count > 1 else 1, entries, mode)
    frame = Frame("f32", "codebook", "dense", (7,), range(7), [0] * 7, codebook=book)
    frame = replace(frame, width=max((entries - 1).bit_length(), 1))
    encoded = write_frame(frame, data.draw(coders()))
    assert not isinstance(assert_agreement(encoded), str)
    assert Encoded(encoded).quantized().codebook.values.tobytes() == bits


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "f8e4m3", "e8m0"])
@pytest.mark.parametrize("mode", MODES)
def test_scales_in_every_way(mode, dtype):
    random = np.random.default_rng(1)
    bits = random.bytes(200 * ITEM_SIZES[dtype])
    codes = [int(code) for code in random.integers(0, 8, 600)]
    frame = Frame("f32", "affine", "dense", (600,), range(600), codes, width=3)
    encoded = write_frame(replace(frame, scales=Floats(dtype, bits, 200, 3, 1, mode)))
    assert not isinstance(assert_agreement(encoded), str)
    assert Encoded(encoded).quantized().scale.values.tobytes() == bits


@pytest.mark.parametrize("coding", CODING_IDS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [1, 9, 16])
def test_zero_points_in_every_way(width, mode, coding):
    random = np.random.default_rng(width)
    points = [int(point) for point in random.integers(0, 1 << width, 300)]
    scales = Floats("f16", bytes.fromhex("003c") * 300, 300, 2)
    frame = Frame("f32", "affine", "dense", (600,), range(600), [1] * 600, width=width)
    frame = replace(frame, scales=scales, zero_point=points, zero_points_mode=mode)
    encoded = write_frame(frame, prefer(coding))
    assert not isinstance(assert_agreement(encoded), str)
    assert Encoded(encoded).quantized().zero_point.tolist() == points


# ---- the encoder ----


@given(
    data=st.data(),
    dtype=st.sampled_from(["f32", "f16"]),
    profile=st.sampled_from(["balanced", "small"]),
)
def test_a_codebook_of_any_bits_comes_back(data, dtype, profile):
    bits = data.draw(element_bytes(dtype, data.draw(st.integers(1, 256))))
    quantized = codebook_of(bits, {"f32": "float32", "f16": "float16"}[dtype])
    encoded = encoded_with(quantized, profile)
    assert Encoded(encoded).quantized().codebook.values.tobytes() == bits
    verbatim = encoded_with(quantized, "fixed")
    kept = coded_sizes(encoded)[0]
    assert kept is None or kept < len(bits)
    assert len(encoded) <= len(verbatim)


def entries(count):
    return np.random.default_rng(0).standard_normal(count).astype("<f4")


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        (np.sort(entries(256)), "deltas"),
        (np.concatenate([[0], np.sort(entries(255))]).astype("<f4"), "deltas"),
        (np.roll(np.sort(entries(256)), 100), "deltas"),
        (
            np.concatenate([np.sort(entries(256))[::2], np.sort(entries(256))[1::2][::-1]]),
            "permuted",
        ),
        ((entries(256) * 8).round(), "planes"),
        (entries(2), "verbatim"),
    ],
    ids=["ascending", "zero first", "rolled", "up and down", "short mantissas", "two"],
)
def test_the_way_of_fewest_bytes_is_chosen(values, mode):
    quantized = codebook_of(values.astype("<f4").tobytes())
    encoded = encoded_with(quantized)
    assert way_of(encoded) == mode
    size = coded_sizes(encoded)[0] or values.size * 4
    for other in MODES:
        written = floats(other, values.astype("<f4").tobytes(), "f32", 4, values.size, bitpacked)
        assert size + 1 <= len(written)


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_fast_profiles_keep_parameters_as_they_are(profile):
    weights = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    for codec in (qcodec.Codebook(8), qcodec.Affine(4, group=16)):
        assert coded_sizes(qcodec.encode(weights, codec, profile=profile)) == (None, None, None)
        assert coded_sizes(qcodec.encode(weights, codec)) != (None, None, None)


def test_only_the_codings_that_are_allowed_occur():
    weights = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    quantized = qcodec.Affine(4, group=16).quantize(weights)
    for coding in ("bitpacked", "contexts", "huffman"):
        allowed = 1 << CODING_IDS.get(coding, 3)
        data = encode_quantized(quantized, profile="small", codings=allowed | 1)
        assert read_head(BytesSource(data), True).features & ~(allowed | 1) == 0


def test_many_scales_are_not_in_contexts_in_balanced():
    scale = Groups(np.exp(entries(5000)), inner=2)
    codes = np.zeros(10000, np.uint8)
    quantized = Quantized((10000,), "float32", "affine", codes, bits=4, scale=scale, zero_point=8)
    contexts = 1 << CODING_IDS["tree"]
    for profile, occurs in (("balanced", False), ("small", True)):
        frame = read_head(BytesSource(encoded_with(quantized, profile)), True)
        assert bool(frame.features & contexts) == occurs
        assert frame.coded_bytes == 20000


def test_more_groups_than_elements_stay_verbatim():
    scale = Groups(np.ones(300, np.float32), inner=1)
    codes = np.zeros(10, np.uint8)
    quantized = Quantized((10,), "float32", "affine", codes, bits=4, scale=scale)
    assert coded_sizes(encoded_with(quantized)) == (None, None, None)
    fewer = replace(quantized, scale=Groups(scale.values[:256]))
    assert coded_sizes(encoded_with(fewer))[1] == len(PLANES) + 1  # a base exponent


def test_info_counts_the_bytes_of_coded_parameters():
    weights = np.random.default_rng(0).standard_normal((64, 64)).astype(np.float32)
    for codec, names in (
        (qcodec.Codebook(8), {"codebook"}),
        (qcodec.Affine(4, group=16), {"scales", "zero points"}),
    ):
        data = qcodec.encode(weights, codec)
        info = qcodec.info(data)
        found = {section.name: section.bytes for section in info.sections}
        assert sum(found.values()) == len(data)
        coded = dict(zip(("codebook", "scales", "zero points"), coded_sizes(data), strict=True))
        assert {name for name in coded if coded[name] is not None} == names
        assert all(found[name] == coded[name] for name in names)
        assert all(section.coding for section in info.sections if section.name in names)
        features = read_head(BytesSource(data), True).features
        assert len(info.codings) == features.bit_count()


# ---- parts, threads ----


def blocks(chunk=512):
    weights = np.random.default_rng(3).standard_normal((64, 64)).astype(np.float32)
    codec = qcodec.Affine(4, group=16)
    return qcodec.encode(weights, codec, chunk=chunk), codec.quantize(weights).dequantize()


def test_a_slice_has_its_parameters():
    data, dense = blocks()
    assert np.array_equal(Encoded(data)[20:31, 3:], dense[20:31, 3:])


def test_threads_share_parameters_that_are_decoded_once():
    data, dense = blocks()
    barrier = threading.Barrier(8)
    for _ in range(20):
        encoded = Encoded(data)

        def part(row, encoded=encoded):
            barrier.wait()
            encoded.verify()
            return encoded[row]

        with ThreadPoolExecutor(8) as pool:
            for row, values in enumerate(pool.map(part, range(8))):
                assert np.array_equal(values, dense[row])


def test_the_core_gives_no_values_without_parameters():
    data, dense = blocks()
    out = np.empty(dense.nbytes, np.uint8)
    octets = np.frombuffer(data, np.uint8)
    frame = core.Frame.read(octets, True, True)
    with pytest.raises(ValueError, match="not decoded yet"):
        frame.decode(0, dense.size, 0, out, octets, 0, None, True)
    opened = frame.with_parameters()
    assert opened.with_parameters() is opened
    opened.decode(0, dense.size, 0, out, octets, 0, None, True)
    with pytest.raises(ValueError, match="not decoded yet"):
        frame.decode(0, dense.size, 0, out, octets, 0, None, True)  # it never changes
    assert np.array_equal(out.view(np.float32).reshape(64, 64), dense)


# ---- hostile ----


def hostile(elements, count, body, chunk=CONSTANT):
    """A chunked affine frame of constant codes, with `count` scales of f32 in planes."""
    frame = Frame("f32", "affine", "dense", (elements,), (), (), 1 << 22)
    frame = replace(frame, scales=Floats("f32", b"", count))
    parameters = b"\4\0\0\0\1" + vu(count) + b"\1" + vu(len(body)) + body
    chunks = (chunk,) * -(-elements // (1 << 22))
    fields = write_fields(frame, ANY_CODING)
    return assemble(Parts(fields, vu(1 << 22), parameters, chunks))


def test_a_count_beyond_the_elements_is_refused_at_once():
    for count in (2**40, 1001):
        with pytest.raises(qcodec.CorruptError, match="number of coded values"):
            qcodec.info(hostile(1000, count, PLANES))
    assert qcodec.decode(hostile(1000, 1000, PLANES)).shape == (1000,)


def test_parameters_stay_within_the_limits():
    data = hostile(1 << 22, 1 << 22, PLANES)
    limits = qcodec.Limits(max_tensor_bytes=(1 << 24) - 1)
    encoded = Encoded(data, limits=limits)
    for door in (
        lambda: encoded[:3],
        encoded.quantized,
        lambda: encoded.decode(out=np.empty(1 << 22, np.float32)),
    ):
        with pytest.raises(qcodec.LimitError, match="max_tensor_bytes"):
            door()
    assert encoded.info().elements == 1 << 22
    assert np.all(Encoded(data)[:3] == 0)


def test_coded_parameters_of_every_wrong_length_are_refused():
    for size in range(9):
        body = b"\0\1\x11" + bytes(size)  # two deltas of 17 bits, 16 stored
        parameters = bytes([1, 0, 1, 2]) + vu(len(body)) + body
        frame = Frame("f32", "codebook", "dense", (1,), [0], [0], width=1)
        parts = Parts(write_fields(frame, ANY_CODING), None, parameters, (CONSTANT,))
        outcome = assert_agreement(assemble(parts))
        assert (outcome == "corrupt") == (size != 4)


def test_a_nan_keeps_its_payload():
    bits = struct.pack("<4I", 0x7FC00001, 0xFFA00000, 0x7F800001, 0x80000000)
    for mode in MODES:
        book = Floats("f32", bits, 1, 1, 4, mode)
        frame = Frame("f32", "codebook", "dense", (4,), range(4), range(4), width=2, codebook=book)
        assert Encoded(write_frame(frame)).quantized().codebook.values.tobytes() == bits


@pytest.mark.parametrize("books", [1, 3])
@pytest.mark.parametrize("density", [1.0, 0.9])
def test_codebooks_in_any_order_ascend_in_the_file_and_come_back_as_they_were(books, density):
    random = np.random.default_rng(books)
    values = random.standard_normal((books, 64)).astype(np.float32)
    values[:, 7] = 0
    shape = (books * 200, 1, 3, 3)
    kernels = random.normal(32, 12, (books * 200, 1, 1, 1)) + random.normal(0, 2, shape)
    stored = np.flatnonzero(random.random(shape) < density)
    ranks = np.clip(kernels.reshape(-1)[stored], 0, 63).astype(np.int64)
    codes = np.argsort(values, axis=1)[stored // 1800 % books, ranks].astype(np.uint8)
    codes[codes == 7] = 8  # stored zeros would be fillers
    positions = None if density == 1 else stored
    quantized = Quantized(
        shape, "float32", "codebook", codes, positions, 6, Groups(values, inner=1800)
    )
    form = "dense" if density == 1 else "gaps"
    data = encode_quantized(quantized, profile="small", codings=ANY_CODING, positions=form)
    if density == 1:  # codes of which some are absent have no places: there the order may not pay
        frame = read_head(BytesSource(data), True).with_parameters()
        ascending = np.frombuffer(frame.codebook.values(), np.float32).reshape(books, 64)
        np.testing.assert_array_equal(ascending, np.sort(values))
    back = Encoded(data).quantized()
    np.testing.assert_array_equal(back.codes, codes)
    np.testing.assert_array_equal(back.codebook.values, values)
    assert by_library(data) == by_reference(data)
    assert by_library(data)[1] == quantized.dequantize().tobytes()
