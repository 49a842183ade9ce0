"""The `.net` files of Deep Compression's authors: exact bytes, and no reads past their end."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcodec.errors import CorruptError, LimitError, QCodecError, TruncatedError
from qcodec.interop import dcnet
from qcodec.limits import Limits
from qcodec.quantized import Groups, Quantized
from tests.repository import SHARED_DATA


def codebook(bits):
    return np.arange(1 << bits, dtype=np.float32)[None, :] / 8


def weights_of(shape, positions, codes, bits):
    return Quantized(
        shape=shape,
        dtype="float32",
        kind="codebook",
        codes=np.array(codes, np.uint8),
        positions=np.array(positions, np.int64),
        bits=bits,
        codebook=Groups(codebook(bits)),
    )


def one_layer(positions=(2, 40), codes=(3, 15), bits=4, shape=(2, 25)):
    weights = weights_of(shape, positions, codes, bits)
    return {"fc": dcnet.LayerData(weights, np.array([0.5, -1], np.float32))}


def layers_of(network):
    return [dcnet.Layer(name, w.shape, w.bits) for name, (w, _) in network.items()]


@st.composite
def networks(draw):
    """Layers of both code widths; a stored code 0 at gap 15 would be a filler, so none is drawn."""
    network = {}
    for number in range(draw(st.integers(0, 3))):
        bits = draw(st.sampled_from([4, 8]))
        shape = (draw(st.integers(1, 4)), draw(st.integers(1, 60)))
        size = shape[0] * shape[1]
        positions = sorted(draw(st.sets(st.integers(0, size - 1), max_size=20)))
        code = st.integers(1, (1 << bits) - 1)
        codes = draw(st.lists(code, min_size=len(positions), max_size=len(positions)))
        biases = np.arange(shape[0], dtype=np.float32)
        weights = weights_of(shape, positions, codes, bits)
        network[f"layer{number}"] = dcnet.LayerData(weights, biases)
    return network


def assert_same(left, right):
    assert list(left) == list(right)
    for name, (weights, biases) in left.items():
        other = right[name]
        assert weights.shape == other.weights.shape
        assert weights.bits == other.weights.bits
        np.testing.assert_array_equal(weights.codes, other.weights.codes)
        np.testing.assert_array_equal(weights.positions, other.weights.positions)
        np.testing.assert_array_equal(weights.codebook.values, other.weights.codebook.values)
        np.testing.assert_array_equal(biases, other.biases)


@pytest.fixture(scope="module")
def squeezenet():
    path = SHARED_DATA / "squeezenet_dc.net"
    if not path.exists():
        pytest.skip("the authors' squeezenet_dc.net is not in ../shared/data")
    return path, json.loads(path.with_name("squeezenet_dc.layers.json").read_text())


def test_the_published_squeezenet_comes_back_byte_for_byte(squeezenet):
    path, layers = squeezenet
    network = dcnet.read(path, layers)
    assert sum(len(weights.codes) for weights, _ in network.values()) == 415_921
    assert dcnet.write(network) == path.read_bytes()


def test_every_prefix_of_the_published_squeezenet_header_is_truncated(squeezenet):
    path, layers = squeezenet
    data = path.read_bytes()
    for size in [*range(0, 2000, 7), len(data) - 1]:
        with pytest.raises(TruncatedError):
            dcnet.read(data[:size], layers)


@given(networks())
def test_networks_round_trip(network):
    data = dcnet.write(network)
    again = dcnet.read(data, layers_of(network))
    assert_same(network, again)
    assert dcnet.write(again) == data


def test_bytes_are_those_of_the_documented_layout():
    data = dcnet.write(one_layer(positions=(2, 40), codes=(3, 15)))
    assert data[:4] == b"\x04\0\0\0"  # two stored weights and two fillers
    assert data[4:68] == codebook(4).tobytes()
    assert data[68:76] == np.array([0.5, -1], np.float32).tobytes()
    assert data[76:78].hex() == "03f0"  # codes 3, 0, 0, 15
    assert data[78:].hex() == "f25f"  # gaps 2, 15, 15, 5


def test_a_gap_of_15_with_a_code_is_a_stored_weight():
    network = one_layer(positions=(15,), codes=(7,))
    again = dcnet.read(dcnet.write(network), layers_of(network))
    assert again["fc"].weights.positions.tolist() == [15]


def test_zeros_of_a_layer_that_is_held_dense_are_not_stored():
    dense = Quantized(
        shape=(2, 2),
        dtype="float32",
        kind="codebook",
        codes=np.array([1, 0, 2, 3], np.uint8),
        bits=8,
        codebook=Groups(codebook(8)),
    )
    data = dcnet.write({"conv": (dense, np.zeros(2, np.float32))})
    again = dcnet.read(data, [{"name": "conv", "shape": [2, 2]}])
    assert again["conv"].weights.positions.tolist() == [0, 2, 3]
    assert again["conv"].weights.codes.tolist() == [1, 2, 3]


def test_every_strict_prefix_is_truncated():
    network = one_layer()
    data = dcnet.write(network)
    for size in range(len(data)):
        with pytest.raises(TruncatedError):
            dcnet.read(data[:size], layers_of(network))


def test_trailing_bytes_are_refused():
    network = one_layer()
    with pytest.raises(CorruptError, match="another list of layers"):
        dcnet.read(dcnet.write(network) + b"\0", layers_of(network))


def test_a_position_beyond_the_shape_is_refused():
    data = dcnet.write(one_layer())
    with pytest.raises(CorruptError, match="position 40"):
        dcnet.read(data, [dcnet.Layer("fc", (2, 20))])


def test_more_stored_weights_than_the_shape_has_are_refused_before_they_are_read():
    data = (1 << 31).to_bytes(4, "little")
    with pytest.raises(CorruptError, match="50 weights"):
        dcnet.read(data, [dcnet.Layer("fc", (2, 25))])


def test_a_codebook_that_does_not_begin_with_zero_is_refused():
    data = bytearray(dcnet.write(one_layer()))
    data[7] = 0x3F
    with pytest.raises(CorruptError, match="entry 0"):
        dcnet.read(data, [dcnet.Layer("fc", (2, 25))])


def test_a_nibble_after_the_last_code_is_refused():
    network = one_layer(positions=(1,), codes=(1,))
    data = bytearray(dcnet.write(network))
    data[-1] |= 0x10
    with pytest.raises(CorruptError, match="nibble"):
        dcnet.read(data, layers_of(network))


def test_layers_larger_than_the_limits_are_refused():
    network = one_layer()
    with pytest.raises(LimitError):
        dcnet.read(dcnet.write(network), layers_of(network), limits=Limits(max_tensor_bytes=100))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_network_or_an_error(data):
    layers = [dcnet.Layer("fc", (2, 25)), dcnet.Layer("fc2", (1, 9))]
    try:
        network = dcnet.read(data, layers)
    except QCodecError:
        return
    assert dcnet.read(dcnet.write(network), layers).keys() == network.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bits": 5, "codebook": Groups(codebook(5))}, "4 or 8 bits"),
        ({"codebook": Groups(np.pad(codebook(4), ((0, 1), (0, 0))))}, "shape is"),
        ({"codebook": Groups(codebook(4) + 1)}, "entry 0"),
    ],
)
def test_weights_that_the_format_cannot_hold_are_refused(change, message):
    network = one_layer()
    weights = Quantized(**(vars(network["fc"].weights) | change))
    with pytest.raises(ValueError, match=message):
        dcnet.write({"fc": (weights, network["fc"].biases)})


def test_a_wrong_number_of_biases_is_refused():
    with pytest.raises(ValueError, match="biases"):
        dcnet.write({"fc": (one_layer()["fc"].weights, np.zeros(3, np.float32))})


def test_the_same_layer_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        dcnet.read(bytes(8 + 72), [dcnet.Layer("fc", (2, 25))] * 2)


def test_code_widths_follow_the_names_as_the_authors_have_it():
    assert dcnet.Layer("conv5", (1, 2)).bits == 8
    assert dcnet.Layer("fc6", (1, 2)).bits == 4
