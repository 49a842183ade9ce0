"""The benchmark of quality on a real net: from the file to the table, with a cache."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.quality import table
from benchmarks.quality.measure import measure_all
from benchmarks.quality.resnet20_net import ResNet20Net
from benchmarks.quality.ways import Encoded, Float
from qcodec import Affine, Recipe
from tests.repository import SHARED_DATA

pytestmark = pytest.mark.skipif(not SHARED_DATA.exists(), reason="no nets in ../shared/data")

INT8 = ("--recipe", "int8")


@pytest.fixture(scope="module")
def net():
    found = ResNet20Net(SHARED_DATA)
    found.images, found.labels = found.images[:50], found.labels[:50]
    return found


def test_fewer_bits_are_fewer_bytes_and_more_noise(net, tmp_path):
    ways = [
        Float(),
        Encoded("lossless"),
        Encoded("8 bits", INT8),
        Encoded("2 bits", recipe=lambda _: Recipe(weights=Affine(2, per=0))),
    ]
    found = measure_all(net, ways, tmp_path / "cache")
    whole, lossless, eight, two = found.values()
    assert whole["bytes"] > lossless["bytes"] > eight["bytes"] > two["bytes"]
    assert whole["SQNR"] == lossless["SQNR"] == np.inf
    assert eight["SQNR"] > 35
    assert two["SQNR"] < 10
    assert whole["same answer"] == lossless["same answer"] == 1
    assert two["same answer"] < 0.9 < eight["same answer"]
    assert table.of_net(net.inputs, found).count("\n| ") == 5


def test_answers_are_kept_by_the_weights(net, tmp_path):
    first = measure_all(net, [Float()], tmp_path)
    (kept,) = tmp_path.glob("*.json")
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"accuracy": 0.125}))
    again = measure_all(net, [Float(), Encoded("lossless"), Encoded("8", INT8)], tmp_path)
    assert again["float"] == first["float"] | {"accuracy": 0.125}
    assert again["lossless"]["accuracy"] == 0.125  # its file is decoded into the same one
    assert again["8"]["accuracy"] > 0.5
