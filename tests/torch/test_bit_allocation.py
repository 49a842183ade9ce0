"""SQNR through a net, and allocated bits, compared with exact results."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from qcodec import FixedPoint
from qcodec.torch import (
    Line,
    Measured,
    allocate_bits,
    bit_allocation,
    fix_activations,
    fix_points,
    measure_sqnr,
    output_sqnr,
    whole_bits,
)


def linear_network():
    torch.manual_seed(0)
    return torch.nn.Sequential(*(torch.nn.Linear(200, 200, bias=False) for _ in range(3)))


def test_sqnr_of_one_weight_is_that_of_the_product_with_its_error():
    model, x = linear_network(), torch.randn(64, 200)
    found = measure_sqnr(model, {"1.weight": FixedPoint(4)}, [x[:40], x[40:]])
    first, second, third = (layer.weight.detach().numpy().astype(np.float64) for layer in model)
    error = FixedPoint(4).quantize(second).dequantize() - second
    hidden = x.numpy().astype(np.float64) @ first.T
    signal, noise = (np.sum((hidden @ matrix.T @ third.T) ** 2) for matrix in (second, error))
    assert found["1.weight"] == pytest.approx(10 * math.log10(signal / noise), abs=1e-3)


def test_noises_of_a_linear_net_add_up():
    model, x = linear_network(), torch.randn(500, 200)
    names = ["0.weight", "1.weight", "2.weight", "0.input", "1.input", "2.input"]
    codecs = {name: FixedPoint(bits) for name, bits in zip(names, [5, 6, 5, 6, 5, 7], strict=True)}
    alone = measure_sqnr(model, codecs, [x])
    wanted = -10 * math.log10(sum(10 ** (-sqnr / 10) for sqnr in alone.values()))
    changed = linear_network()
    fix_points(changed, {name: codecs[name] for name in names[:3]})
    fix_activations(changed, {name: codecs[name] for name in names[3:]}, [x])
    assert output_sqnr(model, changed, [x]) == pytest.approx(wanted, abs=0.15)
    assert wanted < min(alone.values()) - 3


def test_measuring_leaves_the_model_as_it_was():
    model = linear_network().train()
    measure_sqnr(model, {"0.weight": FixedPoint(3), "0.input": FixedPoint(3)}, [torch.ones(2, 200)])
    assert model.training
    assert list(model.state_dict()) == list(linear_network().state_dict())
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), linear_network().parameters(),
                                                 strict=True))  # fmt: skip


def test_uniform_weights_have_six_decibels_a_bit():
    torch.manual_seed(0)
    model = torch.nn.Linear(400, 400, bias=False)
    with torch.no_grad():
        model.weight.uniform_(-1, 1)
    found = {
        bits: measure_sqnr(model, {"weight": FixedPoint(bits)}, [torch.eye(400)])["weight"]
        for bits in (6, 7, 8)
    }
    line = Line.through(found)
    assert line.kappa == pytest.approx(20 * math.log10(2), abs=0.1)
    assert line.noise(7) == pytest.approx(10 ** (-found[7] / 10), rel=0.02)


def test_a_line_is_that_of_least_squares():
    found = {2: 7.0, 3: 12.5, 5: 20.0, 8: 41.0}
    kappa, offset = np.polyfit(list(found), list(found.values()), 1)
    line = Line.through(found)
    assert line.kappa == pytest.approx(kappa)
    assert line.offset == pytest.approx(offset)


SIZES = {"conv1": 432.0, "conv2": 2304.0, "conv3": 36864.0, "fc": 640.0}
LINES = {
    "conv1": Line(5.5, -4.0), "conv2": Line(4.8, 3.0), "conv3": Line(6.0, -6.0), "fc": Line(5.0)
}  # fmt: skip


def noise_of(bits, lines=LINES):
    return sum(lines[name].noise(number) for name, number in bits.items())


def test_one_line_for_all_gives_the_rule_of_the_paper():
    bits = allocate_bits(SIZES, Line(5.0, 1.0), 25.0)
    for i, j in itertools.combinations(SIZES, 2):
        assert bits[i] - bits[j] == pytest.approx(10 / 5.0 * math.log10(SIZES[j] / SIZES[i]))
    assert bits["conv3"] == min(bits.values())  # the largest gets fewest
    assert -10 * math.log10(noise_of(bits, dict.fromkeys(SIZES, Line(5.0, 1.0)))) == pytest.approx(
        25
    )


def test_allocated_bits_are_the_minimum_that_an_optimizer_finds():
    bits = allocate_bits(SIZES, LINES, 20.0)
    names = list(SIZES)
    sizes = np.array([SIZES[name] for name in names])
    found = minimize(
        lambda x: sizes @ x / 36864,
        np.full(4, 6.0),
        constraints={
            "type": "ineq",
            "fun": lambda x: -20 - 10 * math.log10(noise_of(dict(zip(names, x, strict=True)))),
        },
        options={"ftol": 1e-10, "maxiter": 500},
    )
    assert found.success
    assert [bits[name] for name in names] == pytest.approx(found.x.tolist(), abs=1e-3)


def every_allocation(sizes, curves, minimum, maximum):
    for numbers in itertools.product(range(minimum, maximum + 1), repeat=len(sizes)):
        bits = dict(zip(sizes, numbers, strict=True))
        yield sum(sizes[n] * b for n, b in bits.items()), noise_of(bits, curves), bits


@pytest.mark.parametrize("target", [5.0, 12.0, 20.0, 27.5])
@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_no_allocation_of_as_little_noise_is_smaller(seed, target):
    curves = LINES
    if seed is not None:  # measured, with bumps
        random = np.random.default_rng(seed)
        curves = {
            name: Measured({bits: 5 * bits + float(random.normal(0, 3)) for bits in range(2, 9)})
            for name in SIZES
        }
    found = whole_bits(SIZES, curves, target, 2, 8)
    noise, size = noise_of(found, curves), sum(SIZES[name] * bits for name, bits in found.items())
    minimum = min(s for s, n, _ in every_allocation(SIZES, curves, 2, 8) if n <= noise)
    assert size == minimum
    assert noise <= 10 ** (-target / 10) or found == dict.fromkeys(SIZES, 8)


def test_a_number_of_bits_that_is_worse_than_fewer_is_passed_over():
    curves = {"a": Measured({2: 10.0, 3: 9.0, 4: 30.0}), "b": Measured({2: 40.0, 3: 41.0, 4: 42.0})}
    assert whole_bits({"a": 1, "b": 1}, curves, 25.0, 2, 4) == {"a": 4, "b": 2}


def test_a_search_walks_over_the_steps_about_twice(monkeypatch):
    written = 0

    class Counting(dict):
        def __setitem__(self, name, noise):
            nonlocal written
            written += 1
            super().__setitem__(name, noise)

    class Counted(bit_allocation._Allocation):
        def __init__(self, *given):
            super().__init__(*given)
            self._noises = Counting(self._noises)

    monkeypatch.setattr(bit_allocation, "_Allocation", Counted)
    sizes = {str(number): 1000 + number for number in range(2000)}
    found = whole_bits(sizes, Line(5.0), -10.0, 2, 8)
    assert len(set(found.values())) == 2
    steps = 6 * len(sizes)
    assert steps / 4 < written < 2.5 * steps


def test_what_it_cannot_do_is_said():
    with pytest.raises(ValueError, match="kappa=-1"):
        Line(-1.0)
    with pytest.raises(ValueError, match="found SQNRs of 1"):
        Line.through({4: 20.0})
    with pytest.raises(ValueError, match=r"size of 'a': found 0"):
        allocate_bits({"a": 0}, Line(5.0), 20)
    with pytest.raises(ValueError, match=r"found none of \['b'\]"):
        whole_bits({"a": 1, "b": 1}, {"a": Line(5.0)}, 20)
    with pytest.raises(ValueError, match=r"no SQNR of 4 bits, allowed are \[2, 3\]"):
        whole_bits({"a": 1}, Measured({2: 1.0, 3: 2.0}), 20, 2, 5)
