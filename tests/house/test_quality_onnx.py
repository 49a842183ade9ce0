"""The benchmark of quality on nets in ONNX: qcodec's file, and what others make of it."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("gguf")

import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.quality.agreement import cosines, of_cosines
from benchmarks.quality.measure import measure_all
from benchmarks.quality.onnx_net import OnnxNet
from benchmarks.quality.others import Blocks, DynamicInt8
from benchmarks.quality.ways import Encoded, Float

INPUTS, HIDDEN, OUTPUTS = 64, 96, 33  # 33: no multiple of the blocks
GENERATOR = np.random.default_rng(0)
FIRST = GENERATOR.standard_normal((INPUTS, HIDDEN)).astype(np.float32)
SECOND = GENERATOR.standard_normal((HIDDEN, OUTPUTS)).astype(np.float32)


class DenseNet(OnnxNet):
    """Two layers: the weights of one are an initializer, and those of the other a constant."""

    name, inputs = "dense", "20 vectors"
    batches = (GENERATOR.standard_normal((20, INPUTS)).astype(np.float32),)

    def __init__(self, folder):
        self.source = folder / "dense.onnx"
        nodes = [
            helper.make_node("MatMul", ["x", "first"], ["h"]),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Constant", [], ["second"], value=numpy_helper.from_array(SECOND)),
            helper.make_node("MatMul", ["r", "second"], ["y"]),
        ]
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
            for name, size in (("x", INPUTS), ("y", OUTPUTS))
        ]
        first = numpy_helper.from_array(FIRST, "first")
        graph = helper.make_graph(nodes, "dense", ends[:1], ends[1:], [first])
        opsets = [helper.make_opsetid("", 15)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), self.source)

    def outputs(self, path):
        return np.concatenate([batch[0] for batch in self.run(path)])

    def compare(self, expected, found):
        return of_cosines(cosines(expected, found))


@pytest.fixture
def net(tmp_path):
    return DenseNet(tmp_path)


def test_the_float_net_says_what_its_weights_say(net):
    exact = np.maximum(net.batches[0] @ FIRST, 0) @ SECOND
    np.testing.assert_allclose(net.outputs(net.source), exact, rtol=1e-3, atol=1e-3)


def test_written_tensors_take_the_place_of_initializers_and_constants(net, tmp_path):
    assert set(net.tensors()) == {"first", "second"}
    net.write({"first": -FIRST, "second": 2 * SECOND}, tmp_path / "other.onnx")
    exact = 2 * np.maximum(net.batches[0] @ -FIRST, 0) @ SECOND
    np.testing.assert_allclose(net.outputs(tmp_path / "other.onnx"), exact, rtol=1e-3, atol=1e-3)
    with pytest.raises(KeyError, match="third"):
        net.write({"third": FIRST}, tmp_path / "other.onnx")


def test_every_way_is_smaller_and_agrees_less_with_fewer_bits(net, tmp_path):
    ways = [
        Float(), Encoded("lossless"), Encoded("8 bits", ("--recipe", "int8")),
        Encoded("3 bits", ("--tensor", ".=affine(bits=3)")),
        Blocks("Q8_0"), Blocks("Q4_0"), DynamicInt8(),
    ]  # fmt: skip
    found = measure_all(net, ways, tmp_path / "cache")
    whole = found.pop("float")
    assert all(figures["bytes"] < whole["bytes"] for figures in found.values())
    assert found["lossless"]["cosine, worst"] == pytest.approx(1)
    for better, worse in (("8 bits", "3 bits"), ("llama.cpp Q8_0", "llama.cpp Q4_0")):
        assert 1 > found[better]["cosine, mean"] > found[worse]["cosine, mean"] > 0.5
    assert "SQNR" not in found["onnxruntime dynamic int8"]
    assert found["onnxruntime dynamic int8"]["times"] > 2  # the constant is quantized too


def test_a_command_that_fails_says_why(net, tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)--recipe missing\.toml.*no such file"):
        Encoded("unknown", ("--recipe", "missing.toml")).make(net, tmp_path)


@pytest.mark.parametrize(("kind", "bits"), [("Q8_0", 8.5), ("Q4_0", 4.5)])
def test_blocks_are_counted_where_rows_are_multiples_of_them(net, tmp_path, kind, bits):
    made = Blocks(kind).make(net, tmp_path)
    saved = FIRST.size * (32 - bits) / 8
    assert net.source.stat().st_size - made.bytes == saved
    assert np.array_equal(made.tensors["second"], SECOND)
    assert not np.array_equal(made.tensors["first"], FIRST)
