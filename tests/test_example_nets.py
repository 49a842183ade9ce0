"""The trained nets in examples/ are what examples/nets.json says."""

import json
from pathlib import Path

import pytest

import qcodec

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
NETS = json.loads((ROOT / "examples/nets.json").read_text())
#: One image in 10,000 may be classified otherwise where sums are rounded otherwise.
TOLERANCE = 0.03

each_net = pytest.mark.parametrize("net", NETS, ids=[net["file"] for net in NETS])


def test_every_net_is_listed():
    files = sorted(path.name for path in (ROOT / "examples").glob("*.qc"))
    assert files == sorted(net["file"] for net in NETS)


@each_net
def test_a_net_is_as_small_as_stated_and_decodes(net):
    path = ROOT / "examples" / net["file"]
    assert path.stat().st_size == net["bytes"]
    tensors = qcodec.load_file(path)
    assert sum(tensor.size for tensor in tensors.values()) == net["parameters"]
    kept = sum(int((tensor != 0).sum()) for tensor in tensors.values() if tensor.ndim > 1)
    assert kept == net["weights_kept"]


@each_net
def test_a_net_classifies_as_stated(net):
    pytest.importorskip("torch")
    from qcodec.torch import accuracy, load
    from recipes import data, networks

    model = getattr(networks, net["network"])()
    load(model, ROOT / "examples" / net["file"])
    try:
        images = getattr(data, net["images"])(DATA).test
    except FileNotFoundError:
        pytest.skip(f"{net['images']} is not in ../shared/data")
    found = 100 * accuracy(model, images.images, images.labels)
    assert found == pytest.approx(net["accuracy"], abs=TOLERANCE)
