"""One look at the first elements refuses most tensors, and none that has an exact form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._frame import encode as frame_encode
from qcodec._frame import exact_forms
from qcodec._frame.layout import Encoding, Layout
from qcodec.dtypes import BY_NAME
from qcodec.quantize import quantize_verbatim
from qcodec.quantized import Groups, Quantized
from tests.format.exact.test_exact_forms import (
    ALL_CODINGS,
    BF16,
    DTYPES,
    MAKERS,
    SPECIAL,
    bits_of,
    encode,
    weights,
)  # fmt: skip
from tests.writers.strategies import seeds


def halves_by_row(random, array):
    scales = random.uniform(0.5, 2, (len(array), *[1] * (array.ndim - 1))).astype(np.float32)
    return array.astype(np.float16).astype(np.float32) * scales


def halves_by_column(random, array):
    scales = random.uniform(0.5, 2, array.shape[-1:]).astype(np.float32)
    return array.astype(np.float16).astype(np.float32) * scales


@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_codes_and_planes_of_a_single_element_take_more_than_it_does(dtype, shape):
    element, value = BY_NAME[dtype], np.frombuffer(b"\x95\xe3\x17\x5a\xc9\x2d\xb6\x3f")
    array = value.astype(element.carrier).reshape(shape)
    stored = quantize_verbatim(array)
    data = encode(array)
    scale = Groups(np.ones(1, BY_NAME[BF16].carrier))
    code = np.ones(1, np.uint8)
    steps = Quantized(shape, dtype, "affine", code, bits=1, scale=scale, scale_dtype=BF16)
    planes = frame_encode.FrameEncoder(
        stored, Layout("planes", "dense"), Encoding("balanced", 5, ALL_CODINGS)
    )
    assert exact_forms.exact_forms(stored) == []
    assert len(data) < min(len(qcodec.encode(steps)), len(planes.frame({}, 1)))


class Anything:
    """A probe that refuses nothing."""

    def finds(self, items):
        return True


@given(
    seeds,
    st.lists(st.sampled_from([1, 2, 3, 7, 8, 16, 17, 32, 64]), min_size=1, max_size=3),
    st.sampled_from((*MAKERS, halves_by_row, halves_by_column)),
    st.sampled_from(DTYPES),
    st.lists(st.sampled_from(SPECIAL), max_size=2),
)
def test_one_look_refuses_no_tensor_that_has_an_exact_form(seed, shape, make, dtype, special):
    random = np.random.default_rng(seed)
    array = make(random, weights(*shape, seed=seed)).astype(BY_NAME[dtype].carrier)
    for value in special:
        with np.errstate(over="ignore"):
            array.reshape(-1)[random.integers(array.size)] = value
    stored = quantize_verbatim(array)
    found = exact_forms.exact_forms(stored)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exact_forms, "probe_of", lambda *_: Anything())
        wanted = exact_forms.exact_forms(stored)
    assert [(form.kind, form.bits) for form in found] == [(it.kind, it.bits) for it in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert np.array_equal(bits_of(one.codes), bits_of(other.codes))
