"""Dead neurons are removed, or neurons sorted, and the output of the net stays the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from benchmarks.evidence.networks import convolve, max_pool
from qcodec.dead_neurons import relu, smaller, zeroed
from qcodec.neuron_order import sorted_neurons

LAYERS = [("c1", "c1b"), ("c2", "c2b"), ("d1", "d1b"), ("d2", "d2b")]
RNG = np.random.default_rng(0)


def net(seed, density, pooled=True):
    """Small integers, so that every sum is exact in any order; many are zero, units too."""
    rng = np.random.default_rng(seed)
    places = 1 if pooled else 16
    shapes = {"c1": (4, 2, 3, 3), "c2": (3, 4, 3, 3), "d1": (6, 3 * places), "d2": (3, 6)}
    tensors = {}
    for name, shape in shapes.items():
        weight = rng.integers(-3, 4, shape) * (rng.random(shape) < density)
        weight[rng.random(shape[0]) < 0.3] = 0
        weight[:, rng.random(shape[1]) < 0.3] = 0
        tensors[name] = weight.astype(np.float64)
        tensors[f"{name}b"] = rng.integers(-3, 4, shape[0]).astype(np.float64)
    return tensors


def scores(tensors, x, activation=relu, pad=0, pooled=True):
    x = activation(convolve(x, tensors["c1"], tensors["c1b"], pad=pad))
    if pooled:
        x = max_pool(x)
    x = activation(convolve(x, tensors["c2"], tensors["c2b"]))
    if pooled:
        x = max_pool(x)
    x = x.reshape(len(x), -1)
    x = activation(x @ tensors["d1"].T + tensors["d1b"])
    return x @ tensors["d2"].T + tensors["d2b"]


def images(size):
    return RNG.integers(-3, 4, (5, 2, size, size)).astype(np.float64)


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.3, 1.0]), st.booleans())
def test_the_net_computes_what_it_did(seed, density, pooled):
    tensors, x = net(seed, density, pooled), images(10 if pooled else 8)
    expected = scores(tensors, x, pooled=pooled)
    for change in (zeroed, smaller, sorted_neurons):
        less = change(tensors, LAYERS)
        np.testing.assert_array_equal(scores(less, x, pooled=pooled), expected)
        again = change(less, LAYERS)
        assert all(np.array_equal(again[name], less[name]) for name in less), "nothing is left"


@given(st.integers(0, 10_000))
def test_with_padding_the_net_computes_what_it_did(seed):
    tensors, x = net(seed, 0.2), images(6)

    def padded_scores(tensors):
        y = max_pool(relu(convolve(x, tensors["c1"], tensors["c1b"])))
        y = max_pool(relu(convolve(y, tensors["c2"], tensors["c2b"], pad=1)))
        y = y.reshape(len(y), -1)
        y = relu(y @ tensors["d1"].T + tensors["d1b"])
        return y @ tensors["d2"].T + tensors["d2b"]

    expected = padded_scores(tensors)
    for change in (zeroed, smaller):
        less = change(tensors, LAYERS, padded=["c2"])
        np.testing.assert_array_equal(padded_scores(less), expected)


@given(st.integers(0, 10_000))
def test_without_the_activation_only_unused_neurons_are_removed(seed):
    tensors, x = net(seed, 0.3), images(10)
    less = smaller(tensors, LAYERS, activation=None)
    for activation in (relu, np.square, lambda y: y + 1):
        np.testing.assert_array_equal(
            scores(less, x, activation), scores(tensors, x, activation), "for any activation"
        )


@given(st.integers(0, 10_000))
def test_an_activation_that_is_not_zero_at_zero(seed):
    tensors, x = net(seed, 0.2), images(10)

    def shifted(y):
        return relu(y) + 2

    for change in (zeroed, smaller):
        less = change(tensors, LAYERS, activation=shifted)
        np.testing.assert_array_equal(scores(less, x, shifted), scores(tensors, x, shifted))


def chain(*shapes, bias=True):
    """Dense layers of ones."""
    layers = [(f"w{i}", f"b{i}" if bias else None) for i in range(len(shapes))]
    tensors = {name: np.ones(shape) for (name, _), shape in zip(layers, shapes, strict=True)}
    if bias:
        tensors |= {f"b{i}": np.ones(shape[0]) for i, shape in enumerate(shapes)}
    return tensors, layers


def test_removal_spreads_backward_and_constants_spread_forward():
    tensors, layers = chain((3, 2), (4, 3), (5, 4), (2, 5))
    tensors["w3"][:, 2:] = 0  # three units of w2 feed nothing
    tensors["w2"][:2, 1:] = 0  # and of what those took in, w1's units 1 to 3 feed nothing else
    tensors["w1"][0, 1:] = 0
    tensors["w0"][0] = 0  # the one unit that w1's unit 0 sees is constant, and so all are
    assert {n: a.shape for n, a in smaller(tensors, layers).items() if n[0] == "w"} == {
        "w0": (0, 2), "w1": (0, 0), "w2": (0, 0), "w3": (2, 0)
    }  # fmt: skip
    kept = smaller(tensors, layers, activation=None)
    assert {n: a.shape for n, a in kept.items() if n[0] == "w"} == {
        "w0": (1, 2), "w1": (1, 1), "w2": (2, 1), "w3": (2, 2)
    }  # fmt: skip


def test_the_first_inputs_and_the_last_units_stay():
    tensors, layers = chain((3, 2), (2, 3))
    tensors["w0"][:, 0] = 0
    tensors["w1"][1] = 0
    less = smaller(tensors, layers)
    assert less["w0"].shape == (3, 2)
    assert less["w1"].shape == (2, 3)
    assert less["b1"].tolist() == [1, 1]


def test_a_constant_stays_where_the_next_layer_has_no_bias_unless_it_is_zero():
    tensors, layers = chain((3, 2), (2, 3))
    tensors["w0"][:2] = 0
    tensors["b0"][:] = [-1, 1, 1]
    without = [layers[0], ("w1", None)]
    less = zeroed(tensors, without)
    assert less["b0"].tolist() == [0, 1, 1]
    assert less["w1"].tolist() == [[0, 1, 1], [0, 1, 1]]
    assert zeroed(tensors, layers)["b1"].tolist() == [2, 2]


def test_other_tensors_types_and_arguments_are_left_as_they_are():
    tensors, layers = chain((3, 2), (2, 3))
    tensors = {name: array.astype(np.float16) for name, array in tensors.items()}
    tensors["w0"][1] = 0
    tensors["step"] = np.array([7])
    before = {name: array.copy() for name, array in tensors.items()}
    less = smaller(tensors, layers)
    assert {array.dtype for name, array in less.items() if name != "step"} == {np.dtype("f2")}
    assert less["step"].tolist() == [7]
    assert all(np.array_equal(tensors[name], before[name]) for name in tensors)


@pytest.mark.parametrize(
    ("layers", "padded", "message"),
    [
        ([("w0", "b0"), ("w2", "b2")], (), "'w2': found 5 inputs, allowed 3, of 'w0'"),
        ([("w0", "b1")], (), r"'b1': found shape \(5,\), allowed \(3,\)"),
        ([("w0", "b9")], (), "no tensor 'b9'"),
        ([("w0", None), ("w9", None)], (), "no tensor 'w9'"),
        ([("b0", None)], (), "'b0': found shape"),
        ([("w0", None)], ["w1"], "padded="),
        ([("w0", "b0"), ("w0", "b1")], (), "named more than once"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers, padded, message):
    tensors, _ = chain((3, 2), (5, 3), (4, 5))
    with pytest.raises(ValueError, match=message):
        zeroed(tensors, layers, padded=padded)
    if not padded:
        with pytest.raises(ValueError, match=message):
            sorted_neurons(tensors, layers)


def test_neurons_with_few_weights_come_first_and_equal_ones_stay_in_order():
    tensors, layers = chain((4, 2), (3, 4), (2, 3))
    tensors["w0"][0] = 0
    tensors["w0"][2] = [0, 2]
    tensors["w0"][3] = 3
    tensors["b0"] = np.arange(4.0)
    tensors["w1"][1, :3] = 0
    tensors["step"] = np.array([7])
    found = sorted_neurons(tensors, layers)
    assert found["b0"].tolist() == [0, 2, 1, 3]
    assert found["w0"].tolist() == [[0, 0], [0, 2], [1, 1], [3, 3]]
    assert found["w1"].tolist() == [[0, 0, 0, 1], [1] * 4, [1] * 4]
    assert found["w2"].tolist() == tensors["w2"].tolist()
    assert found["step"].tolist() == [7]
    assert tensors["b0"].tolist() == [0, 1, 2, 3]


def test_layers_without_units_stay_as_they_are():
    tensors, layers = chain((0, 2), (3, 0))
    assert sorted_neurons(tensors, layers)["w1"].shape == (3, 0)


def test_sorted_neurons_take_fewer_bytes():
    rng = np.random.default_rng(0)
    density = rng.choice([0.005, 0.1], 400)
    tensors = {
        "w0": rng.integers(1, 16, (400, 300)) * (rng.random((400, 300)) < density[:, None]),
        "w1": rng.integers(1, 16, (10, 400)) * (rng.random((10, 400)) < 0.3),
    }
    tensors = {name: array.astype(np.float32) for name, array in tensors.items()}
    found = sorted_neurons(tensors, [("w0", None), ("w1", None)])
    sizes = [
        sum(len(qcodec.encode(net[name], profile="small")) for name in net)
        for net in (tensors, found)
    ]
    assert sizes[1] < 0.99 * sizes[0]


def test_groups_and_flattened_dense_inputs_are_refused():
    tensors = {"c1": np.ones((4, 2, 3, 3)), "c2": np.ones((4, 1, 3, 3)), "d": np.ones((2, 8))}
    with pytest.raises(ValueError, match="'c2': found 1 inputs, allowed 4"):
        zeroed(tensors, [("c1", None), ("c2", None)])
    assert zeroed(tensors, [("c1", None), ("d", None)])["d"].shape == (2, 8)
    with pytest.raises(ValueError, match="found 8 inputs, allowed 2"):
        zeroed(dict(tensors, e=np.ones((2, 8))), [("d", None), ("e", None)])
