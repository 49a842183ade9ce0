"""What the library encodes, it decodes bit for bit, and so does the reference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import qcodec
import reference
from tests.format.agreement import MAX_BYTES
from tests.writers.strategies import arrays, sparse_arrays

profiles = st.sampled_from(["fast", "balanced", "small", "fixed"])
positions = st.sampled_from(["auto", "dense", "gaps", "mask", "csr"])


def assert_bits(data, array):
    """Both decoders give this array back, NaNs, negative zeros and all."""
    found = qcodec.decode(data)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()  # in C order, whatever the array's own
    tensor = reference.decode(data, max_bytes=MAX_BYTES)
    assert (tensor.shape, tensor.data) == (array.shape, array.tobytes())


@given(arrays(), profiles, st.none() | st.integers(256, 500))
def test_any_array_comes_back_bit_for_bit(array, profile, chunk):
    assert_bits(qcodec.encode(array, profile=profile, chunk=chunk), array)


@given(sparse_arrays(), profiles, positions, st.none() | st.integers(256, 500))
def test_sparse_arrays_come_back_in_every_positions_form(array, profile, form, chunk):
    if form == "csr" and array.ndim == 0:
        form = "auto"
    codec = qcodec.Sparse(qcodec.Lossless(), positions=form)
    assert_bits(qcodec.encode(array, codec, profile=profile, chunk=chunk), array)


@given(sparse_arrays(), profiles)
def test_threads_do_not_change_what_is_encoded(array, profile):
    codec = qcodec.Sparse(qcodec.Codebook(3))
    alone = qcodec.encode(array, codec, profile=profile, chunk=256)
    assert qcodec.encode(array, codec, profile=profile, chunk=256, threads=4) == alone
    expected = codec.quantize(array).dequantize()
    assert np.array_equal(qcodec.decode(alone, threads=4), expected)
    assert reference.decode(alone, max_bytes=MAX_BYTES).data == expected.tobytes()
