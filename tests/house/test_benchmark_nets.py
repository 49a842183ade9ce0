"""Nets that benchmarks train on the spot: the same each time, and accurate."""

import numpy as np
import pytest

from benchmarks.nets import cases as net_cases
from benchmarks.nets import convolutional, text, transformer
from benchmarks.nets.cases import Net
from benchmarks.nets.sources import Sources
from benchmarks.peers.case import same
from benchmarks.peers.compare import compare
from benchmarks.suite import data
from benchmarks.suite.measure import Effort

TINY = Effort(rounds=2, seconds=1e-5)
# Of packages that are only compared with.
others_may_warn = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_text_of_the_standard_library_is_there():
    assert len(text.characters()) > 100_000
    assert text.characters().isascii()


def noise_and_labels():
    images = data.gaussian(8 * 784).reshape(8, 1, 28, 28) / np.float32(0.04)
    return images, np.arange(8, dtype=np.uint8)


@others_may_warn
def test_nets_are_made_on_the_spot_and_the_same_each_time():
    pytest.importorskip("torch")
    images, labels = noise_and_labels()
    makers = {
        "convolutional": lambda steps: convolutional.trained(images, labels, steps),
        "transformer": lambda steps: transformer.trained(text.characters(), steps),
    }
    for make in makers.values():
        once, again, longer = make(2), make(2), make(3)
        assert same(again, once)
        assert not same(longer, once)
        assert all(array.dtype == np.float32 for array in once.values())


@others_may_warn
def test_nets_learn_and_their_accuracy_is_reported():
    pytest.importorskip("torch")
    images, labels = noise_and_labels()
    learned = convolutional.trained(images, labels, 20)
    assert convolutional.accuracy(learned, images, labels) == 1
    assert convolutional.accuracy(learned, images, labels[::-1]) == 0
    characters = text.characters()
    guessed = transformer.bits_a_character(transformer.trained(characters, 1), characters)
    learned = transformer.bits_a_character(transformer.trained(characters, 20), characters)
    assert 2 < learned < guessed - 1  # log2 of 128 characters is 7


@others_may_warn
def test_a_net_of_the_second_set_is_stored_six_ways(tmp_path):
    pytest.importorskip("torch")
    net = Net("net", "A net", {"w": data.gaussian(4000).reshape(50, 80)}, lambda weights: "well")
    made = [make() for make in net_cases.ways(net)]
    assert [case.title for case in made] == [*net_cases.RECIPES, "float32", "bfloat16"]
    assert [case.note for case in made[:4]] == ["well"] * 4
    halves = compare(made[-1], tmp_path, effort=TINY)
    assert halves.dense == 8000
    assert halves.of("qcodec small") is not None


def test_nets_that_are_there_are_not_trained_again(tmp_path):
    weights = {"w": data.gaussian(10)}
    sources = Sources(tmp_path / "nets", tmp_path)
    kept = sources.kept("a", lambda: weights)
    assert same(sources.kept("a", lambda: 1 / 0), kept)
    assert same(kept, weights)
