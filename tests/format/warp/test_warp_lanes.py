"""GPUs are known to fit: a warp of 32 threads, as a model, decodes every stream of lanes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec import streams
from reference import codings
from reference.codings import CODINGS
from reference.conventions import FormatError, Reader
from reference.head import read_head
from tests.format.test_golden import VALID, base_beside, decode_by_reference, digest
from tests.format.warp.lanes import decode_lanes

LANES = {"lanes_huffman": 4, "lanes_tans": 5}
FEATURES = sum(1 << coding for coding in LANES.values())


def has_lanes(path):
    data = path.read_bytes()
    reader = Reader(data, length_is_known=False)
    return data[:2] == b"QP" or read_head(reader).features & FEATURES > 0


GOLDEN = [param for param in VALID if has_lanes(param.values[0])]


@pytest.mark.parametrize(("path", "entry"), GOLDEN)
def test_a_warp_decodes_every_golden_file_with_lanes(path, entry, monkeypatch):
    decoded = []

    def on_a_warp(coding):
        def decode(body, count, width):
            decoded.append(coding)
            return decode_lanes(body, count, width, coding == 5)

        return decode

    on_warps = list(CODINGS)
    for coding in LANES.values():
        on_warps[coding] = CODINGS[coding]._replace(decode=on_a_warp(coding))
    monkeypatch.setattr(codings, "CODINGS", tuple(on_warps))
    expected = entry.get("tensors", {None: entry})
    for name, tensor in decode_by_reference(path.read_bytes(), base_beside(path)).items():
        assert digest(tensor.data) == expected[name]["values"]
    assert decoded or path.read_bytes()[:2] == b"QP"


def test_golden_files_have_lanes_of_every_kind():
    names = " ".join(param.id for param in GOLDEN)
    assert len(GOLDEN) > 20
    assert all(coding in names for coding in LANES)


@given(
    st.sampled_from(list(LANES)),
    st.integers(1, 8),
    st.integers(2, 3000),
    st.floats(0.2, 40),
    st.integers(0, 99),
)
def test_a_warp_decodes_what_the_library_encodes(coding, width, count, spread, seed):
    random = np.random.default_rng(seed)
    symbols = np.abs(random.normal(0, spread, count)).astype(np.int64) % (1 << width)
    if coding == "lanes_huffman":
        symbols[:2] = 0, 1  # it needs two different symbols
    stream = streams.encode(symbols.astype(np.uint8), coding, width)
    reader = Reader(stream, length_is_known=False)
    assert reader.u8("coding") == LANES[coding]
    body = reader.take(reader.vu("length"), "body")
    assert decode_lanes(body, count, width, coding == "lanes_tans") == symbols.tolist()


def warp_of(coding):
    return lambda body, count, width: decode_lanes(body, count, width, coding == "lanes_tans")


@given(st.sampled_from(list(LANES)), st.integers(0, 10**6), st.integers(1, 255))
def test_a_warp_refuses_what_the_reference_refuses_of_words(coding, at, change):
    """Or decodes the same: a GPU can check its input too."""
    random = np.random.default_rng(at)
    symbols = random.integers(0, 16, 700, np.uint8) & random.integers(0, 16, 700, np.uint8)
    stream = streams.encode(symbols, coding, 4)
    reader = Reader(stream, length_is_known=False)
    reader.u8("coding")
    body = bytearray(reader.take(reader.vu("length"), "body"))
    body[-1 - at % 300] ^= change
    outcomes = []
    for decode in (CODINGS[LANES[coding]].decode, warp_of(coding)):
        try:
            outcomes.append(decode(bytes(body), 700, 4))
        except FormatError:
            outcomes.append("refused")
    assert outcomes[0] == outcomes[1]
