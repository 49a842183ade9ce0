"""The trained nets in examples/ are what examples/nets.json says."""

import importlib
import json

import pytest

import qcodec
from tests.repository import ROOT, SHARED_DATA

NETS = json.loads((ROOT / "examples/nets.json").read_text())
#: So many images may be classified otherwise where sums are rounded otherwise.
FEW = 3

each_net = pytest.mark.parametrize("net", NETS, ids=[net["file"] for net in NETS])


def test_every_net_is_listed():
    files = sorted(path.name for path in (ROOT / "examples").glob("*.qcodec"))
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

    model = _named(net["network"])()
    load(model, ROOT / "examples" / net["file"])
    try:
        test = _named(net["images"])(SHARED_DATA).test
    except FileNotFoundError as error:
        pytest.skip(f"../shared/data: {error}")
    found = accuracy(model, test.images, test.labels)
    assert found == pytest.approx(net["accuracy"] / 100, abs=FEW / len(test.labels))


def _named(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)
