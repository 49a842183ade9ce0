"""Checks that two decoders agree on a frame."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import reference
from qcodec import Encoded
from qcodec.dtypes import BY_ID
from qcodec.errors import QCodecError
from qcodec.limits import Limits
from reference.codings import Stream
from reference.conventions import Reader
from reference.head import BYTES, DELTA, PLANES, read_head
from tests.writers.frame_writer import DTYPES, base_of

MAX_BYTES = 1 << 20
LIMITS = Limits(max_tensor_bytes=MAX_BYTES)

#: Shape and dense bytes, or the kind of an error.
Outcome = tuple[tuple[int, ...], bytes] | str

_CARRIERS = {"f32": "<f4", "f16": "<f2", "bf16": ml_dtypes.bfloat16, "f64": "<f8"}


def with_base(data: bytes, **options: object) -> Encoded:
    """A frame, with what it was written against if it is of kind delta."""
    encoded = Encoded(data, **options, base=lambda: _base_for(encoded, data))
    return encoded


def _base_for(encoded: Encoded, data: bytes) -> np.ndarray | None:
    base = base_of(data)
    if base is None or len(base) != encoded.nbytes:
        return None
    return np.frombuffer(base, np.uint8).copy().view(encoded.dtype).reshape(encoded.shape)


def by_library(data: bytes, dtype: str | None = None) -> Outcome:
    """What qcodec makes of a frame; dtypes are named as in docs/format.md."""
    name = None if dtype is None else BY_ID[DTYPES.index(dtype)].name
    try:
        array = with_base(data, limits=LIMITS).decode(dtype=name)
    except QCodecError as error:
        return error.code
    return array.shape, array.tobytes()


def by_reference(data: bytes, dtype: str | None = None) -> Outcome:
    """What the reference makes of it."""
    try:
        tensor = reference.decode(data, dtype, MAX_BYTES, base_of(data))
    except reference.FormatError as error:
        return type(error).__name__.lower()
    return tensor.shape, tensor.data


def streams_in(data: bytes) -> list[Stream]:
    """The streams that the reference decodes of a frame."""
    decoded, symbols = [], Stream.symbols

    def noted(stream: Stream) -> list[int]:
        decoded.append(stream)
        return symbols(stream)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, "symbols", noted)
        assert not isinstance(by_reference(data), str)
    return decoded


def assert_agreement(data: bytes, dtype: str | None = None) -> Outcome:
    """Both decoders make the same of a frame, or both refuse it; returns what the library makes.

    If several rules are broken, any of their errors will do (section 1). Golden files break one
    rule each, and tell the error of it.
    """
    expected, found = by_reference(data, dtype), by_library(data, dtype)
    assert isinstance(found, str) == isinstance(expected, str), (found, expected)
    if isinstance(expected, str) or isinstance(found, str):
        return found
    assert found[0] == expected[0]
    head = read_head(Reader(data, length_is_known=False))
    keeps_bits = head.kind in (BYTES, PLANES, DELTA) and not head.scaled
    if keeps_bits and dtype in (None, head.dtype):
        assert found[1] == expected[1]
    else:
        carrier = np.dtype(_CARRIERS[dtype or head.dtype])
        assert _any_nan(found[1], carrier) == _any_nan(expected[1], carrier)
    return found


def _any_nan(data: bytes, carrier: np.dtype) -> bytes:
    """What is computed or converted may be a NaN of any sign and payload: all get the same."""
    array = np.frombuffer(data, carrier).copy()
    array[np.isnan(array)] = np.nan
    return array.tobytes()
