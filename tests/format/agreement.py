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
    except ValueError:  # the base is missing, or another one
        return "base"
    return tensor.shape, tensor.data


class EagerStream(Stream):
    """Reports a fault in its contents at once."""

    def __init__(self, reader: Reader, count: int, width: int, features: int) -> None:
        super().__init__(reader, count, width, features)
        self.symbols()


def by_eager_reference(data: bytes, dtype: str | None) -> Outcome:
    """What a decoder may also make of it: section 1, the last sentence on the order of faults."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reference.coded_floats.Stream", EagerStream)
        patch.setattr("reference.copies.Stream", EagerStream)
        patch.setattr("reference.positions.Stream", EagerStream)
        patch.setattr("reference.values.Stream", EagerStream)
        patch.setattr("reference.delta.Stream", EagerStream)
        patch.setattr("reference.planes.Stream", EagerStream)
        return by_reference(data, dtype)


def assert_agreement(data: bytes, dtype: str | None = None) -> Outcome:
    """Both decoders make the same of a frame; returns it."""
    expected, found = by_reference(data, dtype), by_library(data, dtype)
    if isinstance(expected, str) or isinstance(found, str):
        assert found in (expected, by_eager_reference(data, dtype))
        return found
    assert found[0] == expected[0]
    head = read_head(Reader(data, length_is_known=False))
    if head.kind in (BYTES, PLANES, DELTA) and not head.scaled:
        assert found[1] == expected[1]
    else:
        carrier = np.dtype(_CARRIERS[dtype or head.dtype.name])
        assert _any_nan(found[1], carrier) == _any_nan(expected[1], carrier)
    return found


def _any_nan(data: bytes, carrier: np.dtype) -> bytes:
    """Arithmetic may give a NaN with any sign and payload: here all get the same."""
    array = np.frombuffer(data, carrier).copy()
    array[np.isnan(array)] = np.nan
    return array.tobytes()
