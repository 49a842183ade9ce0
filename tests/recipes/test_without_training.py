"""Recipes without training: SqueezeNet, and AlexNet and VGG-16 with made-up weights."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

import qcodec
from qcodec.interop import dcnet
from recipes import document, published_nets, squeezenet, squeezenet_data
from recipes.published_shapes import NETS, Shape
from recipes.squeezenet_names import LAYERS, layers_of
from tests.repository import SHARED_DATA

needs_net = pytest.mark.skipif(
    not (SHARED_DATA / "squeezenet_dc.net").exists(),
    reason="no squeezenet_dc.net in ../shared/data",
)

ROLES = ("squeeze", "expand1x1", "expand3x3")
FIRES = {"1.0": (3, 4, 5, 7, 8, 9, 10, 12), "1.1": (3, 4, 6, 7, 9, 10, 11, 12)}


def torchvision_names(version):
    fires = [f"features.{n}.{role}" for n in FIRES[version] for role in ROLES]
    return [f"{name}.weight" for name in ("features.0", *fires, "classifier.1")]


def caffe_names():
    roles = ("squeeze1x1", "expand1x1", "expand3x3")
    fires = [f"fire{n}/{role}" for n in range(2, 10) for role in roles]
    return [f"{name}.weight" for name in ("conv1", *fires, "conv10")]


def as_short_run(recipe, folder, **changes):
    settings = {**recipe.SETTINGS, "seed": 0, **recipe.SHORT, **changes}
    return recipe.run(recipe.load_data(folder, True), SimpleNamespace(folder=folder), settings)


# ---- SqueezeNet ----


@pytest.mark.parametrize(
    "names", [torchvision_names("1.0"), torchvision_names("1.1"), caffe_names()]
)
def test_the_layers_of_a_squeezenet_are_found_by_any_names_in_any_order(names):
    biases = [name.replace("weight", "bias") for name in names]
    found = layers_of(sorted(names + biases))
    assert list(found) == list(LAYERS)
    assert list(found.values()) == names


def test_what_is_no_squeezenet_is_refused():
    with pytest.raises(ValueError, match=r"no SqueezeNet.*fire9/conv3x3_2"):
        layers_of(name for name in caffe_names() if name != "fire9/expand3x3.weight")
    with pytest.raises(ValueError, match="no SqueezeNet"):
        layers_of(["layer1.0.conv1.weight", "fc.weight"])


def test_the_authors_file_comes_back_from_ours(tmp_path):
    result = as_short_run(squeezenet, tmp_path, bits=[8])
    data = squeezenet.load_data(tmp_path, True)
    assert result["ours"]["given back byte for byte"] is True
    assert result["ours"]["the authors' file, bytes"] == (tmp_path / "net.qcodec").stat().st_size
    with qcodec.safe_open(tmp_path / "net.qcodec") as file:
        network = {
            name: (file.encoded(f"{name}.weight").quantized(), file.get_tensor(f"{name}.bias"))
            for name in LAYERS
        }
    assert dcnet.write(network) == data.original


def test_a_file_that_does_not_come_back_is_said_to_be_none(tmp_path, monkeypatch):
    monkeypatch.setattr(squeezenet, "net_of", lambda path, names: b"another")
    result = as_short_run(squeezenet, tmp_path, bits=[8])
    assert result["ours"]["given back byte for byte"] is False
    assert "NOT byte for byte" in result["tables"][0]


def bytes_alone(path):
    """Of the tensors of a file, each in a frame of its own.

    In a net as small as the made-up one, shared frames save more than anything else, and k-means,
    whose codebooks are equally long, shares more.
    """
    with qcodec.safe_open(path) as file:
        tensors = [file.encoded(name).quantized() for name in file]
    return sum(len(qcodec.encode(tensor)) for tensor in tensors)


def test_entropy_constrained_is_smaller_at_the_error_of_k_means(tmp_path):
    steps = squeezenet.SETTINGS["search_steps"]  # of fewer ones, the error is used up less
    result = as_short_run(squeezenet, tmp_path, bits=[5], search_steps=steps)
    rows = result["ours"]["files"][squeezenet_data.STAND_IN]
    optimum, below_optimum, linear, below_linear = rows
    assert optimum["squared_error"] < linear["squared_error"]
    for constrained, means in ((below_optimum, optimum), (below_linear, linear)):
        assert constrained["squared_error"] <= means["squared_error"]
        assert bytes_alone(tmp_path / constrained["file"]) < bytes_alone(tmp_path / means["file"])
    data = squeezenet.load_data(tmp_path, True)
    (before,) = data.checkpoints.values()
    pruned = squeezenet.at_paper_densities(before)
    for row in rows:
        assert row["bytes"] == (tmp_path / row["file"]).stat().st_size
        after = qcodec.load_file(tmp_path / row["file"])
        error = sum(np.sum((pruned[n].astype("f8") - after[n]) ** 2) for n in pruned)
        assert row["squared_error"] == pytest.approx(error)


def test_pruning_keeps_the_published_share_and_leaves_sparser_layers_alone():
    random = np.random.default_rng(3)
    names = torchvision_names("1.1")
    tensors = {name: random.standard_normal((100, 10), np.float32) for name in names}
    tensors["classifier.1.weight"][10:] = 0
    tensors["features.0.bias"] = np.ones(100, np.float32)
    pruned = squeezenet.at_paper_densities(tensors)
    kept = {layer: np.count_nonzero(pruned[name]) for layer, name in layers_of(names).items()}
    assert kept["conv1"] == 1000
    assert kept["fire2/conv3x3_2"] == 330
    assert kept["fire8/conv3x3_2"] == 300
    assert kept["fire6/conv1x1_2"] == kept["fire9/conv1x1_1"] == 500
    assert kept["conv_final"] == 100  # not the 200 that it could keep
    assert pruned["features.0.bias"] is tensors["features.0.bias"]
    name = layers_of(names)["fire2/conv3x3_2"]
    stored = pruned[name] != 0
    assert np.abs(pruned[name][stored]).min() >= np.abs(tensors[name][~stored]).max()
    assert np.array_equal(pruned[name][stored], tensors[name][stored])


@needs_net
def test_the_densities_are_those_of_the_authors_file():
    layers = squeezenet_data.layers_of_net(SHARED_DATA)
    network = dcnet.read(SHARED_DATA / "squeezenet_dc.net", layers)
    kept = 0
    for layer in layers:
        nonzero = np.count_nonzero(network[layer.name].weights.dequantize())
        assert nonzero / layer.size == pytest.approx(squeezenet.density_of(layer.name), abs=0.016)
        kept += nonzero
    elements = sum(layer.size + layer.shape[0] for layer in layers)
    assert kept / elements == pytest.approx(0.33, abs=0.005)


def test_checkpoints_are_read_and_nothing_stands_in_for_them(tmp_path):
    tensors = {name: np.ones((4, 3), np.float32) for name in torchvision_names("1.0")}
    save_file(tensors, tmp_path / "squeezenet1_0.safetensors")
    data = squeezenet.load_data(tmp_path, False)
    assert data.original is None
    assert list(data.checkpoints) == ["squeezenet1_0.safetensors"]
    assert data.checkpoints["squeezenet1_0.safetensors"].keys() == tensors.keys()


def test_a_checkpoint_of_torch_is_read(tmp_path):
    torch = pytest.importorskip("torch")
    state = {name: torch.full((2, 2), 0.5) for name in torchvision_names("1.1")}
    torch.save(state, tmp_path / "squeezenet1_1-b8a52dc0.pth")
    (found,) = squeezenet.load_data(tmp_path, False).checkpoints.values()
    assert np.array_equal(found["features.0.weight"], np.full((2, 2), 0.5, np.float32))


def test_a_folder_without_a_squeezenet_says_what_it_looked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"squeezenet_dc\.net nor squeezenet\*"):
        squeezenet.load_data(tmp_path, False)
    (tmp_path / "squeezenet_dc.net").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"squeezenet_dc\.layers\.json"):
        squeezenet.load_data(tmp_path, False)


def test_each_of_several_checkpoints_has_its_own_figures(tmp_path):
    data = squeezenet.load_data(tmp_path, True)
    (checkpoint,) = data.checkpoints.values()
    two = squeezenet_data.Networks(None, [], {"a.pth": checkpoint, "b.pth": checkpoint})
    settings = {**squeezenet.SETTINGS, "bits": [8]}
    ours = squeezenet.run(two, SimpleNamespace(folder=tmp_path), settings)["ours"]
    assert {"8 bits, MB, a.pth", "8 bits, MB, b.pth"} < ours.keys()
    assert "the authors' file, bytes" not in ours


# ---- AlexNet and VGG-16 ----


def test_the_published_nets_are_pruned_and_shared_as_the_paper_says(tmp_path):
    result = as_short_run(published_nets, tmp_path)
    for net in NETS:
        small = published_nets.scaled(net, published_nets.SHORT["scale"])
        path = tmp_path / f"{net.name}.qcodec"
        assert result["ours"]["files"][net.name]["bytes"] == path.stat().st_size
        decoded = qcodec.load_file(path)
        for layer in small.layers:
            row, weights = net.table[layer.name], decoded[f"{layer.name}.weight"]
            assert weights.shape == layer.shape
            assert np.count_nonzero(weights) == round(row.kept / 100 * layer.size)
            assert len(np.unique(weights)) <= 2**row.weight_bits
            assert decoded[f"{layer.name}.bias"].shape == (layer.shape[0],)
    assert "SYNTHETIC" in result["notes"][0]
    assert all("synthetic" in text for text in result["tables"])


def test_a_published_layer_comes_close_to_its_entropy_and_the_papers_coding_does_not(tmp_path):
    alexnet = NETS[0]
    layer = Shape("fc6", (256, 1024))
    net = published_nets.Net("fc6", (layer,), alexnet.table, alexnet.gap_bits, 1, 1)
    random = np.random.default_rng(0)
    found, layers = published_nets.compress(net, random, tmp_path / "net.qcodec", "small")
    assert found["elements"] == layer.size + 256 == layers.elements
    assert found["bytes"] < 1.02 * found["entropy_bytes"]
    assert found["paper_huffman_bytes"] > 1.04 * found["entropy_bytes"]
    assert found["paper_bitpacked_bytes"] > found["paper_huffman_bytes"]


def test_synthetic_weights_depend_on_the_seed_alone(tmp_path):
    (tmp_path / "again").mkdir()
    (tmp_path / "other").mkdir()
    for folder, seed in ((tmp_path, 0), (tmp_path / "again", 0), (tmp_path / "other", 1)):
        as_short_run(published_nets, folder, seed=seed, scale=64, profile="fast")
    name = f"{NETS[0].name}.qcodec"
    data = (tmp_path / name).read_bytes()
    assert (tmp_path / "again" / name).read_bytes() == data
    assert (tmp_path / "other" / name).read_bytes() != data


# ---- the command ----


@pytest.mark.parametrize("name", ["squeezenet", "published-nets"])
def test_a_short_run_writes_a_result_that_a_document_can_take(tmp_path, capsys, name):
    pytest.importorskip("torch")
    from recipes.__main__ import main

    arguments = [name, "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--short"]
    assert main(arguments) == 0
    assert "| layer | weights |" in capsys.readouterr().out
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert {"paper", "ours", "command", "seed", "minutes", "commit"} < result.keys()
    section = document.section(result)
    assert section.startswith("| | paper | ours |")
    assert str(tmp_path) not in section
