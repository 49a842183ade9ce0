"""The structured set: what each net shows, and whole files of other compressors."""

from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.nets import integers, levels, structured
from benchmarks.nets.sources import AbsentError, Sources
from benchmarks.nets.training import Effort
from benchmarks.peers import plain, sizes, whole
from benchmarks.peers import structured as cases
from benchmarks.peers.__main__ import structured_set
from benchmarks.peers.case import Case, same
from benchmarks.suite import data
from benchmarks.suite.measure import spread_of
from qcodec import Codebook
from qcodec.dtypes import element_type
from qcodec.quantized import Quantized

# Of packages that are only compared with.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
TINY = Effort(*[2] * 7)


@dataclass(frozen=True)
class Noise(Sources):
    """Data without meaning in place of the real data."""

    effort: Effort = TINY

    def digits(self):
        images = data.gaussian(8 * 784).reshape(8, 1, 28, 28) / np.float32(0.04)
        return images, np.arange(8, dtype=np.uint8)

    def pictures(self):
        images = data.gaussian(4 * 3 * 1024).reshape(4, 3, 32, 32) / np.float32(0.04)
        return images, np.arange(4)

    def minilm(self):
        return {"layer.0.weight": data.gaussian(256 * 128).reshape(256, 128), "bias": matrix()[0]}

    resnet20 = squeezenet = minilm


def matrix():
    return data.gaussian(64 * 128).reshape(64, 128)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    pytest.importorskip("torch", reason="trains the nets")
    pytest.importorskip("ml_dtypes", reason="has bfloat16 and float8 for NumPy")
    sources = Noise(tmp_path_factory.mktemp("nets"), tmp_path_factory.mktemp("data"))
    return sources, {name: structured.tensors(name, sources) for name in structured.NETS}


def test_every_net_of_the_set_is_made_and_kept(made):
    sources, nets = made
    for name, tensors in nets.items():
        assert same(plain.read(sources.folder / f"{name}.safetensors"), tensors)
        assert tensors


def test_nets_with_few_levels_are_found_to_the_bit(made):
    sources, nets = made
    for name, net in structured.NETS.items():
        if net.codes is None:
            continue
        codes = net.codes(sources, nets[name])
        assert same(Case(name, codes).decoded(), nets[name])
        large = [codes[one] for one, a in nets[name].items() if a.ndim > 1 and a.size >= 1024]
        assert all(isinstance(one, Quantized) for one in large)
    signed = nets["levels_256_rows_signed_zeros"]["10.weight"]
    assert levels.exactly(signed) is None  # no codec has equal steps and -0.0
    assert np.signbit(signed[signed == 0]).any()


def test_dead_rows_are_zeros_of_both_signs(made):
    _, nets = made
    weights = nets["dead_rows_transformer"]["layers.0.linear1.weight"]
    dead = (weights == 0).all(1)
    assert weights.dtype == np.float16
    assert 0.2 < dead.mean() < 0.4
    assert 0.3 < np.signbit(weights[dead]).mean() < 0.7


def test_dense_net_has_hundreds_of_small_tensors_and_recurring_statistics(made):
    _, nets = made
    dense, block = nets["dense"], "features.denseblock1.denselayer"
    assert len(dense) == 326
    assert sum(array.size for array in dense.values()) == 1_021_810
    before, after = (dense[f"{block}{layer}.norm1.running_mean"] for layer in (1, 2))
    assert np.array_equal(after[: len(before)], before)


def test_tied_tensors_are_equal(made):
    _, nets = made
    tied = nets["tied"]
    assert np.array_equal(tied["characters.weight"], tied["scores.weight"])
    assert np.array_equal(tied["layers.0.linear1.weight"], tied["layers.2.linear1.weight"])


def test_formats_of_other_programs_hold_the_weights():
    pytest.importorskip("ml_dtypes", reason="has bfloat16 and float8 for NumPy")
    weights = {"x.weight": matrix()}
    wanted, most = weights["x.weight"], np.abs(weights["x.weight"]).max()
    for decoded, error in (
        (of_int8(integers.int8_by_row(weights)), most / 127),
        (of_uint8(integers.uint8_by_tensor(weights)), 2 * most / 255),
        (of_gptq(integers.gptq(weights)), 2 * most / 15),
        (of_blocks(integers.gguf(weights, "q8_0")), most / 127),
        (of_blocks(integers.gguf(weights, "q4_0")), 2 * most / 8),
        (of_fp8(integers.fp8(weights)), 2 * most / 28),
        (of_mxfp4(integers.mxfp4(weights)), most / 2),
    ):
        assert np.abs(decoded - wanted).max() <= 0.51 * error + 1e-3 * most


def of_int8(found):
    return found["x.weight"] * found["x.weight_scale"][:, None]


def of_uint8(found):
    codes = found["x.weight_quantized"].astype(np.float32) - found["x.weight_zero_point"]
    return codes * found["x.weight_scale"]


def nibbles(packed, axis):
    shifts = np.arange(8, dtype=np.uint32) * 4
    parts = (
        np.expand_dims(packed.view(np.uint32), axis + 1)
        >> np.expand_dims(shifts, tuple(i for i in range(3) if i != axis + 1))
    ) & 15
    shape = list(packed.shape)
    shape[axis] *= 8
    return parts.astype(np.int32).reshape(shape)


def of_gptq(found):
    zeros, group = (nibbles(found["x.qzeros"], 1) + 1) & 15, found["x.g_idx"]
    codes = nibbles(found["x.qweight"], 0) - zeros[group]
    return (codes * found["x.scales"].astype(np.float32)[group]).T


def of_blocks(found):
    blocks = found["x.weight"].reshape(64, 4, -1)
    scale = np.ascontiguousarray(blocks[:, :, :2]).view(np.float16).astype(np.float32)
    codes = blocks[:, :, 2:]
    if codes.shape[2] == 16:
        codes = np.concatenate([codes & 15, codes >> 4], 2).astype(np.float32) - 8
    else:
        codes = codes.view(np.int8)
    return (codes * scale).reshape(64, 128)


def of_fp8(found):
    return found["x.weight"].astype(np.float32) * found["x.weight_scale_inv"]


def of_mxfp4(found):
    table = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    both = np.stack([found["x.weight_blocks"] & 15, found["x.weight_blocks"] >> 4], -1)
    values = table[both & 7] * np.where(both & 8, -1, 1)
    scale = np.exp2(found["x.weight_scales"].astype(float) - 127)
    return (values.reshape(64, 4, 32) * scale[:, :, None]).reshape(64, 128)


def mixed():
    """Three dtypes, in an order that no layout has."""
    return {
        "a": matrix(),
        "ids": np.arange(300),
        "b": data.gaussian(500),
        "codes": (100 * data.gaussian(6000).reshape(60, 100)).astype(np.int8),
        "one": np.array(3),
    }


@pytest.mark.parametrize("quantize", [False, True])
def test_all_peers_store_whole_files_of_several_dtypes(quantize):
    tensors = mixed() | ({"a": Codebook(4).quantize(matrix())} if quantize else {})
    case = Case("mixed", tensors, whole=True)
    stored, remarks = whole.everything(case)
    assert {one.method for one in stored} >= {"xz -9e"}
    for one in stored:
        assert same(one.tensors(), case.decoded()), one.method
    random = np.random.default_rng(0)
    longer = Case("mixed", {random.bytes(100).hex(): a for a in tensors.values()}, whole=True)
    for one, other in zip(stored, whole.everything(longer)[0], strict=True):
        assert one.bytes < other.bytes, one.method
    assert all("not installed" in remark for remark in remarks)


def test_plain_files_have_the_header_of_safetensors(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    plain.write(mixed(), tmp_path / "mixed.safetensors")
    assert same(safetensors.load_file(tmp_path / "mixed.safetensors"), mixed())
    halves = {"h": np.arange(4).astype(element_type("bfloat16").carrier)}
    assert b'"dtype":"BF16"' in plain.header(halves) or halves["h"].dtype == np.uint16


def test_sizes_of_others_are_remembered_until_the_contents_change(tmp_path, monkeypatch):
    memory = sizes.Memory(tmp_path)
    case = Case("mixed", mixed(), whole=True)
    first = sizes.measure(case, memory)
    assert first.best[1] == min(first.peers.values())
    assert first.against_best("small") == first.ours["small"] / first.best[1]
    monkeypatch.setattr(sizes, "_smallest", lambda make, case, wanted: 7)
    assert sizes.measure(case, memory) == first
    changed = Case("mixed", mixed() | {"one": np.array(4)}, whole=True)
    assert set(sizes.measure(changed, memory).peers.values()) == {7}


def test_the_summary_has_a_row_a_case_and_means_by_group():
    case = Case("as it is", {"w": np.zeros(25, np.float32)}, net="a")
    second = spread_of([1.0] * 3, [1.0] * 3)
    microsecond = spread_of([1e-6] * 3, [1e-6] * 3)
    seconds = {"small": second, "balanced": microsecond}
    found = [
        ("floats", sizes.Sizes(case, ours, {"xz": 200, "br": 100}, seconds, 50))
        for ours in ({"small": 50, "balanced": 100}, {"small": 200, "balanced": 400})
    ]
    lines = cases.summary(found, ["b: data is not there"]).splitlines()
    assert lines[2] == "| a | as it is | 50, 0 | 100, 100 | br | 100 | 0.500 | 1.000 | 1.000 |"
    assert lines[7] == "| floats | 2 | 1.000, 2.000 | 2.000, 4.000 |"
    assert lines[-1] == "- b: data is not there"


def test_missing_data_is_named_and_an_unknown_net_refused(tmp_path):
    sources = Sources(tmp_path, tmp_path)
    with pytest.raises(AbsentError, match="resnet20_cifar10"):
        sources.resnet20()
    (remark, *_) = cases.jobs(sources, only=["int8_minilm"])
    assert remark == "int8_minilm: MiniLM is not there"
    with pytest.raises(ValueError, match="no net is called minilm"):
        next(cases.jobs(sources, only=["minilm"]))


def test_one_net_is_measured_and_those_that_others_give(made, tmp_path):
    sources, _ = made
    plain.write({"w": matrix()}, tmp_path / "theirs.safetensors")
    text = structured_set(sources, tmp_path, ["int8_resnet20", "theirs"], timed=False)
    rows = [line.split(" | ")[:2] for line in text.splitlines()[2:5]]
    assert rows == [
        ["| int8_resnet20", "as it is"],
        ["| theirs", "as it is"],
        ["| theirs", "4 bits"],
    ]


def test_levels_are_as_many_as_asked():
    torch = pytest.importorskip("torch", reason="rounds the weights")
    weights = torch.from_numpy(matrix())
    for rounding, most in (
        (levels.steps(16, False), 15),
        (levels.steps(256, False), 255),
        (levels.shared(16), 16),
        (levels.ternary(), 3),
    ):
        assert len(rounding(weights).unique()) <= most
    by_row = levels.steps(16, True)(weights)
    assert max(len(row.unique()) for row in by_row) <= 15
    assert len(by_row.unique()) > 256
