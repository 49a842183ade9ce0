"""The commands on files of other formats."""

import json

import numpy as np
import pytest

import qcodec
from qcodec.cli import main
from tests.readers.files import FORMATS, WEIGHTS, onnx_model

#: Most bytes of these are in no tensor that lies in the file as it is.
NOT_WRITTEN_AGAIN = {"npz, deflated", "shards"}


@pytest.fixture
def command(capsys):
    """Run a command that has to succeed; what it printed."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert code == 0, err
        return out

    return run


@pytest.fixture(params=FORMATS)
def made(request, tmp_path):
    folder = tmp_path / "made"
    folder.mkdir()
    name, write = FORMATS[request.param]
    path = folder / name
    return request.param, path, write(path)


@pytest.mark.parametrize("ending", ["qcodec", "qc.safetensors"])
def test_what_was_encoded_comes_back_byte_for_byte(made, tmp_path, command, ending):
    name, path, expected = made
    encoded = tmp_path / f"net.{ending}"
    command("encode", path, encoded, "--quiet")
    loaded = qcodec.load_file(encoded)
    assert sorted(loaded) == sorted(expected)
    for key, array in loaded.items():
        assert array.tobytes() == expected[key].tobytes()
    if name in NOT_WRITTEN_AGAIN:
        return
    again = tmp_path / "again" / path.name
    again.parent.mkdir()
    command("decode", encoded, again)
    for file in path.parent.iterdir():
        assert (again.parent / file.name).read_bytes() == file.read_bytes()


def test_inspect_verify_and_diff_take_every_format(made, tmp_path, command):
    _, path, expected = made
    report = json.loads(command("inspect", path, "--json"))
    assert sorted(one["name"] for one in report["tensors"]) == sorted(expected)
    assert "all valid" in command("verify", path)
    encoded = tmp_path / "net.qcodec"
    command("encode", path, encoded)
    assert json.loads(command("diff", path, encoded, "--json"))["equal"]


def test_quantized_weights_of_onnx_are_floats_and_the_file_runs(tmp_path, command):
    runtime = pytest.importorskip("onnxruntime")
    model, _ = onnx_model()
    path, encoded, again = (tmp_path / name for name in ("net.onnx", "net.qcodec", "again.onnx"))
    path.write_bytes(model.SerializeToString())
    command("encode", path, encoded, "--tensor", "^w$=affine(bits=8)")
    command("decode", encoded, again)
    assert again.stat().st_size == path.stat().st_size
    x = np.linspace(-1, 1, 8, dtype=np.float32)[None]
    exact, found = (
        runtime.InferenceSession(one, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for one in (path, again)
    )
    np.testing.assert_allclose(exact, x @ WEIGHTS, rtol=1e-5, atol=1e-5)
    assert 0 < np.abs(found - exact).max() < 0.05


@pytest.mark.parametrize("name", ["npz", "PyTorch"])
def test_an_archive_of_quantized_weights_is_not_written(tmp_path, command, capsys, name):
    file, write = FORMATS[name]
    path, encoded = tmp_path / file, tmp_path / "net.qcodec"
    write(path)
    rule = {"npz": "^w$", "PyTorch": "^turned$"}[name] + "=affine(bits=8)"
    command("encode", path, encoded, "--tensor", rule)
    if name == "npz":  # which is written from its tensors alone
        command("decode", encoded, tmp_path / "again.npz")
        return
    assert main(["decode", str(encoded), str(tmp_path / "again.pt")]) == 1
    assert "tensors were quantized" in capsys.readouterr().err
    assert not (tmp_path / "again.pt").exists()


def test_transcoding_keeps_codes(tmp_path, command):
    paths = [tmp_path / name for name in ("a.qcodec", "b.qc.safetensors", "c.qcodec")]
    tensors = {"w": np.tile(WEIGHTS, 4), "b": WEIGHTS[0], "n": np.arange(5)}
    qcodec.save_file(tensors, paths[0], {"author": "Ada"}, recipe=qcodec.Codebook(4))
    command("transcode", paths[0], paths[1], "--profile", "fast")
    command("encode", paths[1], paths[2], "--profile", "small", "--effort", "9")
    for path in paths[1:]:
        with qcodec.safe_open(paths[0]) as first, qcodec.safe_open(path) as other:
            assert other.metadata() == {"author": "Ada"}
            mine, yours = first.encoded("w").quantized(), other.encoded("w").quantized()
            assert np.array_equal(mine.codes, yours.codes)
            assert np.array_equal(mine.codebook.values, yours.codebook.values)


def test_gguf_is_read_as_floats_when_told(tmp_path, command):
    gguf = pytest.importorskip("gguf")
    path, encoded = tmp_path / "net.gguf", tmp_path / "net.qcodec"
    FORMATS["GGUF"][1](path)
    command("encode", path, encoded, "--dequantize")
    found = qcodec.load_file(encoded)
    for one in gguf.GGUFReader(path).tensors:
        if one.tensor_type.name in ("Q8_0", "Q4_0"):
            expected = gguf.quants.dequantize(one.data, one.tensor_type)
            assert found[one.name].tobytes() == expected.tobytes()
        else:
            assert found[one.name].tobytes() == np.array(one.data).tobytes()
