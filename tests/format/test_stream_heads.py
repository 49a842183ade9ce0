"""`info` of a file that is not mapped reads the headers of streams, and says the same as ever."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given

import qcodec
from qcodec import Encoded
from qcodec._frame import stream_heads
from qcodec._io.source import BytesSource
from qcodec.errors import QCodecError
from tests.format.test_golden import BROKEN, VALID
from tests.writers.strategies import corrupted_frames, valid_frames


class Copies(BytesSource):
    """Bytes that reading copies, as `pread` does, and how often each of them is read."""

    is_view = False

    def __init__(self, data):
        super().__init__(data)
        self.times = np.zeros(len(data), int)

    def read(self, offset, size):
        self.times[offset : offset + size] += 1
        return memoryview(bytes(super().read(offset, size)))


def told(source):
    """The description of a frame, or its error."""
    try:
        return Encoded(source).info()
    except QCodecError as error:
        return repr(error), error.offset, error.found, error.allowed


def by_parts(data):
    """What is said of a frame of which all chunks count as long; no byte of one is read twice."""
    source = Copies(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream_heads, "_SHORT", 0)
        with suppress(QCodecError):
            encoded = Encoded(source)
            source.times[:] = 0
            encoded.info()
            assert source.times.max(initial=0) <= 1
        return told(source)


@pytest.mark.parametrize(("path", "entry"), [*VALID, *BROKEN])
def test_every_golden_frame_is_described_by_parts_as_it_is_in_memory(path, entry):
    data = path.read_bytes()
    assert by_parts(data) == told(data)


@given(valid_frames())
def test_every_valid_frame_is_described_by_parts_as_it_is_in_memory(data):
    assert by_parts(data) == told(data)


@given(corrupted_frames())
def test_every_damaged_frame_is_described_by_parts_as_it_is_in_memory(data):
    assert told(Copies(data)) == told(data)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream_heads, "_SHORT", 0)
        assert told(Copies(data)) == told(data)


@pytest.mark.parametrize("positions", ["dense", "gaps", "mask"])
def test_bodies_of_streams_are_not_read(positions):
    array = np.random.default_rng(0).standard_normal((1000, 1000), dtype=np.float32)
    array[np.abs(array) < 1.5] = 0
    codec = qcodec.Sparse(qcodec.Codebook(4), positions=positions)
    data = qcodec.encode(array, codec, chunk=1 << 17)
    source = Copies(data)
    encoded = Encoded(source)
    source.times[:] = 0  # of bytes in memory, all are read for the head
    found = encoded.info()
    assert found == qcodec.info(data)
    assert found.chunks > 1
    assert np.count_nonzero(source.times) <= 256 * found.chunks < len(data) / 50
