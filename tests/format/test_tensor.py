"""`encode`, `decode`, `info`: decoding restores what was encoded, in every layout and profile."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import qcodec
from qcodec import dtypes
from qcodec.quantized import Groups, Quantized

PROFILES = ("fast", "balanced", "small", "fixed")
POSITIONS = ("auto", "dense", "gaps", "mask", "csr")
SHAPES = ((), (0,), (5,), (3, 4), (7, 0, 3), (100, 33), (2, 1, 2, 1, 2, 1, 2, 3))


class Stored:
    """A codec that gives what it was made with, and wants a positions form."""

    codec_id = "stored"

    def __init__(self, quantized, positions="auto"):
        self.quantized, self.positions = quantized, positions

    def quantize(self, _array):
        return self.quantized


def random_array(name, shape, seed=0):
    rng = np.random.default_rng(seed)
    row = dtypes.element_type(name)
    data = rng.integers(0, 256, (*shape, row.itemsize), np.uint8)
    if name == "bool":
        return data[..., 0] > 127
    if row.packed_bits:  # the upper bits of the byte are no part of the element
        data &= (1 << row.packed_bits) - 1
    return data.view(row.carrier).reshape(shape)


def sparse_codebook(shape, density, scale=None, seed=0):
    rng = np.random.default_rng(seed)
    count = int(np.prod(shape))
    positions = np.flatnonzero(rng.random(count) < density)
    entries = np.concatenate([[0], np.sort(rng.standard_normal(15))]).astype(np.float32)
    codes = rng.integers(1, 16, len(positions)).astype(np.uint8)
    quantized = Quantized(
        shape, "float32", "codebook", codes, positions, 4, Groups(entries[None]), scale
    )
    dense = np.zeros(count, np.float32)
    dense[positions] = entries[codes]
    if scale is not None:
        dense[positions] *= scale.values[scale.of(positions)]
    return quantized, dense.reshape(shape)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", list(dtypes.BY_NAME))
def test_every_bit_of_every_dtype_and_shape_comes_back(name, profile):
    for shape, chunk in itertools.product(SHAPES, (None, 256)):
        array = random_array(name, shape)
        codec = qcodec.Lossless(dtype=name)
        data = qcodec.encode(array, codec, profile=profile, chunk=chunk)
        back = qcodec.decode(data)
        assert back.dtype == array.dtype
        assert back.shape == shape
        assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_positions_form_gives_the_same_weights(positions, profile):
    scales = Groups(np.array([0.5, 2.0, 3.25], np.float32), 7)
    for density, scale, chunk in itertools.product(
        (0, 0.001, 0.1, 0.9, 1), (None, scales), (None, 700)
    ):
        quantized, dense = sparse_codebook((40, 70), density, scale)
        codec = Stored(quantized, positions)
        data = qcodec.encode(dense, codec, profile=profile, chunk=chunk)
        encoded = qcodec.Encoded(data)
        assert np.array_equal(encoded.decode(), dense)
        assert np.array_equal(qcodec.decode(data, dtype="float16"), dense.astype(np.float16))
        assert np.array_equal(encoded[3:17, ::-3], dense[3:17, ::-3])
        if encoded.positions != "dense":
            back = encoded.quantized()
            assert np.array_equal(back.positions, quantized.positions)
            assert np.array_equal(back.codes, quantized.codes)


@pytest.mark.parametrize("positions", POSITIONS)
def test_info_accounts_for_every_byte(positions):
    for chunk in (None, 700):
        quantized, dense = sparse_codebook((40, 70), 0.1)
        data = qcodec.encode(dense, Stored(quantized, positions), chunk=chunk)
        found = qcodec.info(data)
        assert found.bytes == len(data)
        assert sum(section.bytes for section in found.sections) == len(data)
        assert found.elements == 2800
        assert found.dense_bytes == dense.nbytes


def test_auto_never_larger_than_raw_and_a_header():
    for name in dtypes.BY_NAME:
        for count in (0, 1, 100, 5000):
            array = random_array(name, (count,))
            data = qcodec.encode(array, qcodec.Lossless(dtype=name))
            assert len(data) <= array.nbytes + 40


def test_threads_do_not_change_the_bytes():
    array = np.random.default_rng(0).standard_normal((64, 1000)).astype(np.float32)
    one = qcodec.encode(array, chunk=4096)
    assert qcodec.encode(array, chunk=4096, threads=4) == one
    assert np.array_equal(qcodec.decode(one, threads=4), array)


def test_decode_fills_out_in_place():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    out = np.empty((3, 4), np.float32)
    assert qcodec.decode(qcodec.encode(array), out=out) is out
    assert np.array_equal(out, array)


@pytest.mark.parametrize(
    ("out", "error"),
    [
        (np.empty((4, 3), np.float32), ValueError),
        (np.empty((3, 4), np.float64), ValueError),
        (np.empty((3, 8), np.float32)[:, ::2], ValueError),
        (np.broadcast_to(np.float32(0), (3, 4)), ValueError),
        ([0.0] * 12, TypeError),
    ],
)
def test_an_out_that_does_not_fit_is_refused(out, error):
    data = qcodec.encode(np.zeros((3, 4), np.float32))
    with pytest.raises(error, match="out"):
        qcodec.decode(data, out=out)


def test_output_types_are_rounded_once_to_nearest_even():
    array = np.random.default_rng(0).standard_normal(1000).astype(np.float32) * 1e-3
    data = qcodec.encode(array)
    for name in ("float16", "float64"):
        assert np.array_equal(qcodec.decode(data, dtype=name), array.astype(name))
    bfloat16 = qcodec.decode(data, dtype="bfloat16")
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert np.array_equal(bfloat16, array.astype(ml_dtypes.bfloat16))


def test_integers_are_only_given_as_what_they_are():
    data = qcodec.encode(np.arange(5, dtype=np.int32))
    with pytest.raises(TypeError, match="int32 cannot be decoded as float32"):
        qcodec.decode(data, dtype="float32")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "tiny"}, "profile"),
        ({"compatible": "99.0"}, "compatible"),
        ({"chunk": 255}, "chunk=255: allowed are 256 to 4,194,304 elements"),
        ({"chunk": 1 << 23}, "chunk"),
        ({"threads": 0}, "threads"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        qcodec.encode(np.zeros(10, np.float32), **options)


def test_nine_dimensions_are_refused():
    with pytest.raises(ValueError, match="at most 8"):
        qcodec.encode(np.zeros((1,) * 9, np.float32))


def test_objects_without_bytes_are_a_type_error():
    with pytest.raises(TypeError, match="bytes-like"):
        qcodec.decode(object())


def test_without_a_zero_code_positions_avoid_fillers_or_are_refused():
    positions = np.array([0, 70_000])
    quantized = Quantized(
        (70_001,), "float32", "codebook", np.array([0, 1], np.uint8), positions, 1,
        Groups(np.array([[1.0, 2.0]], np.float32)),
    )  # fmt: skip
    back = qcodec.decode(qcodec.encode(quantized))
    assert np.flatnonzero(back).tolist() == [0, 70_000]
    with pytest.raises(ValueError, match="mask"):
        qcodec.encode(None, Stored(quantized, "gaps"))


def test_tiny_input_that_ends_in_an_error_does_not_allocate_what_it_declares():
    data = qcodec.encode(np.zeros(1 << 22, np.float32), profile="small")
    assert len(data) < 100
    broken = bytearray(data)
    broken[-5] ^= 1
    with pytest.raises(qcodec.QCodecError):
        qcodec.decode(bytes(broken))


def test_limits_hold_before_the_output_is_allocated():
    data = qcodec.encode(np.zeros(1 << 20, np.float32))
    with pytest.raises(qcodec.LimitError, match="max_tensor_bytes"):
        qcodec.decode(data, limits=qcodec.Limits(max_tensor_bytes=1 << 20))
    with pytest.raises(qcodec.LimitError, match="max_expansion"):
        qcodec.decode(data, limits=qcodec.Limits(expansion_floor=0))


class CountedSource:
    """A frame that knows what was read of it."""

    def __init__(self, data):
        self.data, self.size, self.reads = data, len(data), []

    def read(self, offset, size):
        self.reads.append((offset, size))
        return self.data[offset : offset + size]


def test_a_slice_reads_only_the_head_and_its_chunks():
    array = np.random.default_rng(0).standard_normal((256, 1024)).astype(np.float32)
    data = qcodec.encode(array, chunk=16 * 1024)
    source = CountedSource(data)
    encoded = qcodec.Encoded(source)
    head = sum(size for _, size in source.reads)
    source.reads.clear()
    assert np.array_equal(encoded[20:40], array[20:40])
    assert head <= 4096
    # Rows 16 to 31 and 32 to 47, in one piece.
    (start, first, _, _), (_, second, _, _) = (encoded.frame.chunk(index) for index in (1, 2))
    assert source.reads == [(start, first + second)]
    assert first + second < len(data) / 7


@pytest.mark.parametrize(
    "index",
    [
        0, -1, 5, slice(None), slice(2, 5), slice(None, None, -1), slice(-3, None), slice(5, 2),
        slice(100, 200), ..., (), (0, 1, 2), (..., 0), (slice(1, 6, 2), ..., slice(0, 3)),
        (-1, slice(None, None, -2)), (2, 3), (slice(2, 3), 1, slice(None, None, 2)),
    ],
)  # fmt: skip
def test_slices_mean_what_numpy_means(index):
    array = np.arange(7 * 50 * 6, dtype=np.int16).reshape(7, 50, 6)
    encoded = qcodec.Encoded(qcodec.encode(array, chunk=256))
    part = encoded[index]
    assert part.shape == array[index].shape
    assert np.array_equal(part, array[index])


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (7, IndexError), (-8, IndexError), ((0, 0, 0, 0), IndexError), ((..., ...), IndexError),
        ([1, 2], TypeError), (None, TypeError), (True, TypeError), ("a", TypeError),
        (1.0, TypeError),
    ],
)  # fmt: skip
def test_other_indices_are_refused(index, error):
    encoded = qcodec.Encoded(qcodec.encode(np.zeros((7, 5, 6), np.int16)))
    with pytest.raises(error):
        encoded[index]


def test_ternary_bitpacked_decodes_any_element_alone():
    codes = np.random.default_rng(0).integers(0, 3, 10_000).astype(np.uint8)
    books = Groups(np.array([[-0.75, 0.0, 0.5]], np.float32))
    quantized = Quantized((10_000,), "float32", "codebook", codes, None, 2, books)
    encoded = qcodec.Encoded(qcodec.encode(quantized, profile="fixed"))
    assert qcodec.info(qcodec.encode(quantized, profile="fixed")).codings == ("bitpacked",)
    values = books.values[0][codes]
    for i in (0, 1, 255, 256, 257, 5000, 9_999):
        assert encoded[i] == values[i]


def test_one_row_of_csr_decodes_alone():
    quantized, dense = sparse_codebook((50, 3000), 0.05)
    for profile in PROFILES:
        data = qcodec.encode(dense, Stored(quantized, "csr"), profile=profile, chunk=10 * 3000)
        encoded = qcodec.Encoded(data)
        assert encoded.positions == "csr"
        for row in (0, 9, 10, 23, 49):
            assert np.array_equal(encoded[row], dense[row])
        assert np.array_equal(encoded[5:31], dense[5:31])


def test_rows_wider_than_a_row_count_can_say_are_refused_as_csr():
    positions = np.arange(70_000)
    quantized = Quantized(
        (1, 70_000), "float32", "codebook", np.zeros(70_000, np.uint8), positions, 1,
        Groups(np.array([[0.0, 2.0]], np.float32)),
    )  # fmt: skip
    with pytest.raises(ValueError, match="use gaps instead"):
        qcodec.encode(None, Stored(quantized, "csr"))


def test_info_names_a_coding_that_it_does_not_know():
    data = bytearray(qcodec.encode(np.arange(100, dtype=np.uint8), qcodec.Verbatim()))
    at = data.index(bytes(range(100))) - 2  # the stream's coding and length stand before its body
    data[at] = 77
    with pytest.raises(qcodec.UnsupportedError, match="coding"):
        qcodec.Encoded(bytes(data), verify=False).info()
