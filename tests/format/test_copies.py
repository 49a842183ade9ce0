"""Positions form copies: elements that repeat earlier ones, in the encoder and in both decoders."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
import reference
from qcodec._core import core
from qcodec._frame.encode import FrameEncoder, encode_quantized
from qcodec._frame.layout import Encoding, Layout
from qcodec.errors import LimitError
from qcodec.quantized import Groups, Quantized
from tests.writers.strategies import seeds

ALL_CODINGS = (1 << len(core.coding_names())) - 1
DTYPES = ["<f4", "<f2", "<f8", "<i8", "<i4", "<i2", "u1", "i1", "?", ml_dtypes.bfloat16]


def copied(quantized, kind, chunk=0, profile="small"):
    """The frame of a `Quantized` in the form copies, whether that pays or not."""
    layout = Layout(kind, "copies", chunk_elements=chunk)
    encoder = FrameEncoder(quantized, layout, Encoding(profile, 5, ALL_CODINGS))
    return encoder.frame({}, 1)


def as_bytes(array):
    return np.ascontiguousarray(array).tobytes()


@st.composite
def repetitive(draw):
    """Arrays of which parts recur: as they are, backward, negated, in steps, or not at all."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    random = np.random.default_rng(draw(seeds))
    pieces = [random.integers(0, 2 if dtype.kind == "b" else 100, 9).astype(dtype)]
    for _ in range(draw(st.integers(0, 12))):
        whole = np.concatenate(pieces)
        first = int(random.integers(0, len(whole)))
        piece = whole[first : first + int(random.integers(1, 200))]
        how = draw(st.sampled_from(["again", "backward", "negated", "stepped", "run", "new"]))
        if how == "backward":
            piece = piece[::-1]
        elif how == "negated" and dtype.kind not in "bu":
            piece = -piece
        elif how == "stepped" and dtype.kind in "iu":
            piece = piece + piece.dtype.type(random.integers(0, 90))
        elif how == "run":
            piece = np.repeat(piece[:1], int(random.integers(1, 300)))
        elif how == "new":
            size = int(random.integers(1, 80)) * dtype.itemsize
            piece = random.integers(0, 2 if dtype.kind == "b" else 256, size, np.uint8).view(dtype)
        pieces.append(piece.astype(dtype))
    return np.concatenate(pieces)


@given(repetitive(), st.sampled_from(["bytes", "planes"]), st.sampled_from([0, 256, 300]))
def test_any_array_comes_back_and_both_decoders_agree(array, kind, chunk):
    quantized = qcodec.Lossless().quantize(array)
    quantized = Quantized(array.shape, quantized.dtype, "bytes", array.reshape(-1).copy())
    frame = copied(quantized, kind, chunk=chunk if chunk < len(array) else 0)
    encoded = qcodec.Encoded(frame)
    assert encoded.positions == "copies"
    assert as_bytes(encoded.decode()) == as_bytes(array)
    encoded.verify()
    assert as_bytes(encoded.quantized().codes) == as_bytes(array)
    assert reference.decode(frame).data == as_bytes(array)


def test_an_empty_tensor_has_no_copies():
    empty = Quantized((0, 3), "float32", "bytes", np.empty(0, np.float32))
    assert qcodec.decode(copied(empty, "bytes")).shape == (0, 3)


#: Arrays, and the most bytes of their frames: what the copies save is more than what these take.
REPEATS = {
    "arange": (np.arange(4096), 60),
    "ascending in runs": ((np.arange(4096) // 128).astype(np.int32), 60),
    "descending bytes": (np.arange(250, 0, -1).astype(np.uint8), 60),
    "equal rows": (np.tile(np.random.default_rng(1).random(300).astype(np.float32), (50, 1)), 1100),
    "lower triangle": (np.tril(np.ones((200, 200), np.float32)), 70),
}


@pytest.mark.parametrize("profile", ["small", "balanced"])
@pytest.mark.parametrize("name", REPEATS)
def test_repeats_take_few_bytes(name, profile):
    array, most = REPEATS[name]
    frame = qcodec.encode(array, qcodec.Lossless(), profile=profile)
    assert len(frame) <= most
    assert as_bytes(qcodec.decode(frame)) == as_bytes(array)


def basis(length=128):
    """cos and sin under a window, as nets have them as weights: symmetric, and alike by row."""
    angle = 2 * np.pi / length * (np.outer(np.arange(length // 2 + 1), np.arange(length)) % length)
    window = 0.5 - 0.5 * np.cos(2 * np.pi / length * np.arange(length))
    return np.concatenate([np.cos(angle) * window, np.sin(angle) * window]).astype(np.float32)


def test_a_fourier_basis_is_copied_in_mirrored_halves_with_signs():
    array = basis()
    frame = qcodec.encode(array, qcodec.Lossless(), profile="small")
    assert len(frame) < 0.3 * array.nbytes
    names = {section.name for section in qcodec.info(frame).sections}
    assert {"runs", "lengths", "distances", "directions", "signs"} <= names
    assert as_bytes(qcodec.decode(frame)) == as_bytes(array)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_copies_and_signs_are_right_in_other_output_types(dtype):
    array = basis()
    frame = copied(qcodec.Lossless().quantize(array), "planes")
    expected = qcodec.decode(qcodec.encode(array, qcodec.Lossless(), profile="fast"), dtype=dtype)
    assert as_bytes(qcodec.decode(frame, dtype=dtype)) == as_bytes(expected)


@pytest.mark.parametrize("kind", ["affine", "codebook"])
@pytest.mark.parametrize("scaled", [False, True])
def test_codes_are_copied_as_codes(kind, scaled):
    codes = np.tile(np.random.default_rng(3).integers(0, 13, 200).astype(np.uint8), 20)
    book = Groups(np.linspace(-1, 1, 13, dtype=np.float32)[None])
    scale = Groups(np.array([0.3], np.float32)) if scaled else None
    parameters = {"codebook": book} if kind == "codebook" else {"zero_point": 5}
    quantized = Quantized((20, 200), "float32", kind, codes, bits=4, scale=scale, **parameters)
    encoded = qcodec.Encoded(copied(quantized, kind))
    assert np.array_equal(encoded.quantized().codes, codes)
    assert np.array_equal(encoded.decode(), quantized.dequantize())
    assert len(copied(quantized, kind)) < 300


def test_elements_of_different_groups_are_not_copied():
    codes = np.tile(np.arange(8, dtype=np.uint8), 100)
    scale = Groups(np.arange(1, 9, dtype=np.float32), inner=100)
    by_group = Quantized((8, 100), "float32", "affine", codes, bits=4, scale=scale)
    with pytest.raises(ValueError, match="copies need one codebook, scale and zero point"):
        copied(by_group, "affine")
    chosen = encode_quantized(by_group, profile="small", codings=ALL_CODINGS)
    assert qcodec.Encoded(chosen).positions == "dense"


class Source:
    """Bytes that are read by range, as those of a file are."""

    def __init__(self, data):
        self.data, self.size = data, len(data)

    def read(self, offset, size):
        return self.data[offset : offset + size]


@pytest.mark.parametrize("source", [bytes, Source])
@pytest.mark.parametrize("chunk", [0, 700])
def test_parts_of_a_tensor_are_those_of_the_whole(source, chunk):
    array = np.tile(np.arange(70, dtype=np.float32), (40, 1)) + np.arange(40)[:, None] // 7
    array = array.astype(np.float32)
    encoded = qcodec.Encoded(source(copied(qcodec.Lossless().quantize(array), "planes", chunk)))
    for index in (
        3,
        slice(5, 7),
        slice(10, 20),
        slice(39, 2, -5),
        (slice(8, 33), 5),
        ...,
        (39, -1),
    ):
        assert np.array_equal(encoded[index], array[index])
    assert np.array_equal(encoded.decode(threads=3), array)


def test_a_part_decodes_its_chunk_within_the_limits():
    array = np.arange(1 << 16)
    frame = qcodec.encode(array, qcodec.Lossless())
    assert qcodec.Encoded(frame)[70:72].tolist() == [70, 71]
    limits = qcodec.Limits(max_tensor_bytes=1 << 12)
    with pytest.raises(LimitError, match="bytes"):
        qcodec.Encoded(frame, limits=limits)[70:72]


def test_a_chunk_decodes_as_a_whole_only():
    frame = qcodec.encode(np.arange(1000), qcodec.Lossless())
    data = np.frombuffer(frame, np.uint8)
    head = core.Frame.read(data, True, True)
    out = np.empty(8 * 10, np.uint8)
    with pytest.raises(ValueError, match="a chunk of copies or changes is decoded as a whole"):
        head.decode(5, 10, 11, out, data, 0, None, True)


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_profiles_that_decode_any_part_alone_have_no_copies(profile):
    encoded = qcodec.Encoded(qcodec.encode(np.arange(4096), qcodec.Lossless(), profile=profile))
    assert encoded.positions == "dense"


@pytest.mark.parametrize("dtype", ["<f4", "<f2", "<i4", "u1"])
def test_weights_without_repeats_are_not_searched(dtype):
    random = np.random.default_rng(7)
    weights = (random.standard_normal(100_000) * 40).astype(dtype)
    number = core.copies_may_pay(weights.view(np.uint8), weights.itemsize, 0)
    assert not number


def test_constant_and_random_elements_of_few_kinds_are_not_searched():
    random = np.random.default_rng(8)
    for codes in (np.zeros(9999, np.uint8), random.integers(0, 3, 99_999).astype(np.uint8)):
        assert not core.copies_may_pay(codes, 1, 12)


def test_encoding_gives_the_same_bytes_every_time():
    array = basis(64)
    first = qcodec.encode(array, qcodec.Lossless(), profile="small")
    assert qcodec.encode(array, qcodec.Lossless(), profile="small") == first
    assert qcodec.encode(array, qcodec.Lossless(), profile="small", threads=3) == first


def test_a_few_bytes_may_stand_for_many_elements():
    count = 1 << 21
    frame = copied(Quantized((count,), "uint8", "bytes", np.ones(count, np.uint8)), "bytes")
    assert len(frame) < 100
    assert qcodec.decode(frame).sum() == count
