"""How much ``encode`` may change: qualities, targets, dry runs, calibration, and the report."""

import json
import os
import re

import numpy as np
import pytest
import safetensors.numpy

import qcodec
from qcodec.cli import main
from qcodec.recipes import QUALITIES
from qcodec.summary import LOW_SQNR, Summary

RNG = np.random.default_rng(0)
NET = {
    f"layers.{number}.weight": (RNG.laplace(size=(64, 128)) * scale).astype(np.float32)
    for number, scale in enumerate((0.02, 0.05, 0.2))
} | {
    "embed.weight": RNG.normal(size=(300, 64)).astype(np.float32),
    "norm.weight": np.ones(64, np.float32),
    "steps": np.arange(10),
}
ELEMENTS = sum(array.size for array in NET.values())


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.safetensors"
    safetensors.numpy.save_file(NET, path)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    safetensors.numpy.save_file(NET, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def encode(capsys, *words):
    status = main(["encode", *map(str, words)])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return captured


def bytes_said(text):
    return int(re.search(r"([\d,]+) bytes", text)[1].replace(",", ""))


# ---- without and with a quality


def test_without_options_every_bit_is_kept(net, tmp_path, capsys):
    said = encode(capsys, net, tmp_path / "out.qcodec")
    assert said.out.count("\n") == 1
    assert said.err == ""
    found = qcodec.load_file(tmp_path / "out.qcodec")
    assert all(np.array_equal(found[name], NET[name]) for name in NET)


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_quality_says_what_was_quantized_and_what_was_kept(net, tmp_path, capsys, quality):
    said = encode(capsys, net, tmp_path / "out.qcodec", "--quality", quality).out.splitlines()
    assert said[1].split() == ["quantized", "tensors", "weights", "SQNR", "dB", "lowest"]
    assert [line.split()[0] for line in said[2:]] == ["matrices", "embeddings", "kept"]
    matrices = said[2].split()
    assert matrices[1:3] == ["3", "24,576"]
    assert float(matrices[3]) >= float(matrices[4])
    assert matrices[5] in NET
    assert qcodec.load_file(tmp_path / "out.qcodec")["norm.weight"].tolist() == [1.0] * 64


def test_qualities_are_in_order(net, tmp_path, capsys):
    sizes = [
        bytes_said(encode(capsys, net, tmp_path / "o.qcodec", "--quality", one, "--dry-run").out)
        for one in ("high", "medium", "small")
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_weights_with_a_large_error_are_named_in_one_warning(net, tmp_path, capsys):
    said = encode(capsys, net, tmp_path / "out.qcodec", "--recipe", "ternary")
    assert said.err.count("\n") == 1
    assert f"4 of 4 quantized tensors have an SQNR below {LOW_SQNR:g} dB" in said.err
    assert "and 1 more" in said.err
    assert encode(capsys, net, tmp_path / "b.qcodec", "--quality", "high").err == ""


def test_the_summary_is_in_the_json_too(net, tmp_path, capsys):
    said = encode(capsys, net, tmp_path / "out.qcodec", "--recipe", "nf4", "--json")
    rows = {row["name"]: row for row in json.loads(said.out)["tensor_list"]}
    assert rows.keys() == NET.keys()
    assert rows["norm.weight"]["exact"]
    assert rows["embed.weight"]["codec"] == "levels(group = 64)"
    decoded = qcodec.load_file(tmp_path / "out.qcodec")["embed.weight"]
    assert rows["embed.weight"]["sqnr"] == pytest.approx(qcodec.sqnr(NET["embed.weight"], decoded))


def test_a_tensor_that_was_quantized_before_counts_as_kept(net, tmp_path, capsys):
    encode(capsys, net, tmp_path / "a.qcodec", "--recipe", "int8")
    said = encode(capsys, tmp_path / "a.qcodec", tmp_path / "b.qcodec")
    assert said.out.count("\n") == 1
    summary = Summary()
    with qcodec.safe_open(tmp_path / "a.qcodec") as file:
        qcodec.save({"w": file.get_tensor("embed.weight")}, summary=summary)
    assert summary.tensors[0].is_exact


# ---- a dry run


@pytest.mark.parametrize("ending", [".qcodec", ".qc.safetensors"])
def test_a_dry_run_says_the_true_size_and_writes_nothing(net, tmp_path, capsys, ending):
    out = tmp_path / f"out{ending}"
    before = sorted(tmp_path.iterdir())
    said = encode(capsys, net, out, "--quality", "small", "--dry-run").out
    assert sorted(tmp_path.iterdir()) == before
    assert "nothing was written" in said
    encode(capsys, net, out, "--quality", "small")
    assert out.stat().st_size == bytes_said(said)


def test_a_dry_run_of_a_folder_says_the_true_size(folder, tmp_path, capsys):
    said = encode(capsys, folder, tmp_path / "out", "--recipe", "int8", "--dry-run").out
    assert not (tmp_path / "out").exists()
    encode(capsys, folder, tmp_path / "out", "--recipe", "int8")
    assert (tmp_path / "out" / "model.safetensors").stat().st_size == bytes_said(said)


# ---- targets


@pytest.mark.parametrize(
    ("target", "size", "out"),
    [
        (["--target-size", "0.03 MB"], 30_000, "out.qcodec"),
        (["--target-size", "25000"], 25_000, "out.qc.safetensors"),
        (["--target-size", "20KB"], 20_000, "folder"),
        (["--target-bpw", "4.5"], 4.5 * ELEMENTS / 8, "folder"),
    ],
    ids=str,
)
def test_a_size_is_hit_within_a_hundredth(net, folder, tmp_path, capsys, target, size, out):
    given = folder if out == "folder" else net
    said = encode(capsys, given, tmp_path / out, *target)
    path = tmp_path / out / "model.safetensors" if out == "folder" else tmp_path / out
    assert 0.985 * size < path.stat().st_size <= size
    assert "SQNR dB" in said.err, "the curve"
    assert sum(line.startswith(">") for line in said.err.splitlines()) == 1


def test_a_size_into_which_every_bit_fits_keeps_every_bit(net, tmp_path, capsys):
    said = encode(capsys, net, tmp_path / "out.qcodec", "--target-size", "1MB")
    assert said.out.count("\n") == 1
    assert "exact" in said.err
    found = qcodec.load_file(tmp_path / "out.qcodec")
    assert all(np.array_equal(found[name], NET[name]) for name in NET)


def test_what_is_attached_counts(tmp_path, net, capsys):
    first = tmp_path / "first.qcodec"
    qcodec.save_file(NET, first, {"note": "x" * 500}, attached={"a": RNG.bytes(4000)})
    encode(capsys, first, tmp_path / "out.qcodec", "--target-size", "25KB")
    assert 24_600 < (tmp_path / "out.qcodec").stat().st_size <= 25_000


def test_an_error_is_hit(net, tmp_path, capsys):
    said = encode(capsys, net, tmp_path / "out.qcodec", "--target-sqnr", "25 dB", "--json")
    rows = json.loads(said.out)["tensor_list"]
    summary = Summary()
    found = qcodec.load_file(tmp_path / "out.qcodec")
    noise = signal = 0.0
    for row in rows:
        if not row["exact"]:
            array = NET[row["name"]].astype(np.float64)
            signal += array.size
            error = np.sum(np.square(array - found[row["name"]]))
            noise += error / np.mean(np.square(array))
    assert 25 <= 10 * np.log10(signal / noise) < 25.3
    assert summary.quantized == []


def test_rules_hold_beside_a_target(net, tmp_path, capsys):
    encode(
        capsys, net, tmp_path / "out.qcodec", "--target-bpw", "16", "--tensor", "^embed=lossless"
    )  # fmt: skip
    found = qcodec.load_file(tmp_path / "out.qcodec")
    assert np.array_equal(found["embed.weight"], NET["embed.weight"])
    assert not np.array_equal(found["layers.0.weight"], NET["layers.0.weight"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target-size", "100B"], "--target-size: budget=100"),
        (["--target-size", "20XB"], "allowed is a number above 0, such as 20MB"),
        (["--target-bpw", "0"], "allowed is a number above 0, such as 3.2"),
        (["--target-sqnr", "loud"], "such as 25dB"),
        (["--target-bpw", "3", "--recipe", "int8"], "not allowed with"),
        (["--quality", "best"], "high"),
        (["--calibrate", "x.npz"], "needs --target-size"),
        (["--html", "page.txt"], "allowed endings are .html, .htm"),
        (["--html", "page.html", "--dry-run"], "a dry run writes nothing"),
        (["--target-bpw", "6", "--calibrate", "none.npz"], "--calibrate none.npz"),
        (["--tensor", "^head=lossless", "--quality", "high"], "matches no tensor"),
    ],
    ids=str,
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(net, tmp_path, capsys, words, message):
    assert main(["encode", str(net), str(tmp_path / "out.qcodec"), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.qcodec").exists()


def test_a_page_shows_what_was_chosen(net, tmp_path, capsys):
    page = tmp_path / "page.html"
    encode(capsys, net, tmp_path / "out.qcodec", "--target-bpw", "5", "--html", page)
    encode(capsys, net, tmp_path / "b.qcodec", "--quality", "high", "--html", tmp_path / "b.html")
    curves = [
        re.search(r'"curve": ?(null|\{|\[)', one.read_text())[1]
        for one in (page, tmp_path / "b.html")
    ]
    assert curves[0] != "null"
    assert curves[1] == "null"


def test_a_page_of_a_stream_is_refused_before_anything_is_written(net, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["encode", str(net), os.devnull, "--html", str(page)]) == 2
    assert "is a stream, which cannot be read again" in capsys.readouterr().err
    assert not page.exists()


# ---- calibration


@pytest.fixture
def onnx_net(tmp_path):
    """A net y = 1000 relu(x A) B + x C: errors in A and B count a million times those in C."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    arrays = {
        "A": RNG.normal(size=(32, 64)) * 0.1,
        "B": RNG.normal(size=(64, 32)) * 0.1,
        "C": RNG.normal(size=(32, 32)) * 0.1,
        "gain": np.array(1000.0),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "A"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "B"], ["p"]),
        helper.make_node("Mul", ["p", "gain"], ["q"]),
        helper.make_node("MatMul", ["x", "C"], ["s"]),
        helper.make_node("Add", ["q", "s"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 32])],
        [numpy_helper.from_array(a.astype(np.float32), name) for name, a in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, tmp_path / "net.onnx")
    np.savez(tmp_path / "x.npz", x=RNG.normal(size=(20, 32)).astype(np.float32))
    return tmp_path / "net.onnx"


def test_samples_move_bits_to_the_tensors_that_count(onnx_net, tmp_path, capsys):
    sqnrs = []
    for words in ([], ["--calibrate", tmp_path / "x.npz"]):
        out = tmp_path / "out.qcodec"
        target = ["--target-size", "4200"]
        said = encode(capsys, onnx_net, out, *target, *words, "--json")
        rows = {row["name"]: row for row in json.loads(said.out)["tensor_list"]}
        sqnrs.append([rows[name]["sqnr"] for name in "ABC"])
    plain, calibrated = sqnrs
    assert calibrated[0] > plain[0]
    assert calibrated[1] > plain[1]
    assert calibrated[2] < plain[2] - 10


def test_samples_of_other_inputs_are_refused(onnx_net, tmp_path, capsys):
    np.savez(tmp_path / "x.npz", z=np.zeros(3))
    words = ["--target-bpw", "8", "--calibrate", str(tmp_path / "x.npz")]
    assert main(["encode", str(onnx_net), str(tmp_path / "out.qcodec"), *words]) == 2
    assert "found samples for z: the net's inputs are x" in capsys.readouterr().err
