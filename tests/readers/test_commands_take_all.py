"""Every command takes files, folders with one file or shards, and what is compressed already."""

import json
import threading

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import qcodec
from qcodec._file.recoding import Recoded
from qcodec.checkpoints import encode_checkpoint
from qcodec.cli import main

RANDOM = np.random.default_rng(0)
TENSORS = {
    f"layers.{n}.weight": RANDOM.normal(size=(32, 64)).astype(np.float32) for n in range(4)
} | {"norm": np.ones(64, np.float32)}
INDEX = "model.safetensors.index.json"
INPUTS = [
    *("file", "one", "shards", "index", "compressed one", "compressed shards"),
    *("compressed index", "compressed file", "pack", "quantized folder"),
]


def make(kind, folder):
    """Write one kind of input; return its path."""
    folder.mkdir()
    plain = folder / "net"
    if "file" in kind or kind == "pack":
        path = folder / "net.safetensors"
        save_file(TENSORS, path, {"format": "pt"})
        if kind == "file":
            return path
        encoded = folder / ("net.qcodec" if kind == "pack" else "net.qc.safetensors")
        qcodec.save_file(load_file(path), encoded)
        return encoded
    plain.mkdir()
    (plain / "config.json").write_text('{"model_type": "net"}')
    names = list(TENSORS)
    if "one" in kind:
        save_file(TENSORS, plain / "model.safetensors", {"format": "pt"})
    else:
        weight_map = {}
        for number in range(2):
            shard = f"model-{number + 1:05}-of-00002.safetensors"
            some = {name: TENSORS[name] for name in names[number::2]}
            save_file(some, plain / shard, {"format": "pt"})
            weight_map |= dict.fromkeys(some, shard)
        (plain / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    if "compressed" in kind or "quantized" in kind:
        small = folder / "small"
        recipe = "int8" if "quantized" in kind else None
        encode_checkpoint(plain, small, recipe=recipe, keep_split=True)
        plain = small
    return plain / INDEX if "index" in kind else plain


@pytest.fixture(params=INPUTS)
def given(request, tmp_path):
    return request.param, make(request.param, tmp_path / "made")


def is_folder(kind):
    return "file" not in kind and kind != "pack"


def run(*arguments):
    return main([str(argument) for argument in arguments])


def expected(path):
    return qcodec.load_file(path)


def assert_equal(found, wanted):
    assert sorted(found) == sorted(wanted)
    for name, array in found.items():
        np.testing.assert_array_equal(array, wanted[name], strict=True)


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_one_input(given, command, capsys):
    _, path = given
    assert run(command, path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    if command == "inspect":
        assert {one["name"] for one in report["tensors"]} == set(TENSORS)
    else:
        assert report["valid"]
        assert report["tensors"] == len(TENSORS)


@pytest.mark.parametrize("other", INPUTS)
def test_diff_of_every_pair(given, other, tmp_path, capsys):
    kind, path = given
    second = make(other, tmp_path / "other")
    assert run("diff", path, second, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["equal"] == (("quantized" in kind) == ("quantized" in other))


@pytest.mark.parametrize("command", ["encode", "decode", "transcode"])
@pytest.mark.parametrize("ending", ["", ".safetensors", ".qc.safetensors", ".qcodec", ".npz"])
def test_input_and_output(given, command, ending, tmp_path, capsys):
    kind, path = given
    out = tmp_path / f"out{ending}"
    takes = {
        "": is_folder(kind),
        ".qc.safetensors": True,
        ".safetensors": True,
        ".qcodec": command != "decode",
        ".npz": command == "decode",
    }[ending]
    code = run(command, path, out)
    if not takes:
        err = capsys.readouterr().err
        assert code == 2
        assert err.count("\n") == 1
        assert not out.exists()
        return
    assert code == 0, capsys.readouterr().err
    assert_equal(qcodec.load_file(out), expected(path))
    if not ending:
        assert (out / "config.json").exists()
        method = json.loads((out / "config.json").read_text()).get("quantization_config")
        assert (method is None) == (command == "decode")


@pytest.mark.parametrize("command", ["encode", "transcode"])
@pytest.mark.parametrize("ending", ["", ".qcodec"])
def test_codes_are_kept_in_every_container(tmp_path, command, ending):
    path = make("quantized folder", tmp_path / "made")
    out = tmp_path / f"out{ending}"
    assert run(command, path, out, "--profile", "fast", "--effort", "2") == 0
    with qcodec.safe_open(path) as before, qcodec.safe_open(out) as after:
        for name in TENSORS:
            mine, yours = before.encoded(name), after.encoded(name)
            np.testing.assert_array_equal(mine.decode(), yours.decode())
            if name != "norm":
                assert mine.info().kind == yours.info().kind == "affine"
                codes = (one.quantized().codes for one in (mine, yours))
                np.testing.assert_array_equal(*codes)


@pytest.mark.parametrize("ending", ["", ".qcodec"])
def test_threads_encode_several_tensors_at_once(tmp_path, monkeypatch, ending):
    path = make("shards", tmp_path / "made")
    waiting = threading.Barrier(2, timeout=20)  # broken unless two tensors are read at once
    read = Recoded.__getitem__

    def meet(self, name):
        if name in ("layers.0.weight", "layers.2.weight") and not waiting.broken:
            waiting.wait()
        return read(self, name)

    one = tmp_path / f"one{ending}"
    assert run("encode", path, one, "--threads", "1") == 0
    with monkeypatch.context() as patch:
        patch.setattr(Recoded, "__getitem__", meet)
        if ending:  # a first pass on one thread looks for tensors that are equal
            patch.setattr("qcodec._file.saving.repeats", lambda *_: {})
        assert run("encode", path, tmp_path / f"two{ending}", "--threads", "2") == 0
    assert not waiting.broken
    files = [one, tmp_path / f"two{ending}"]
    if not ending:
        files = [folder / "model.safetensors" for folder in files]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_the_limit_on_files_is_that_of_all_shards(tmp_path, capsys):
    path = make("shards", tmp_path / "made")
    sizes = [file.stat().st_size for file in path.iterdir() if file.name != "config.json"]
    largest, total = max(sizes), sum(sizes)
    assert run("verify", path, "--limits", f"max_file_bytes={total}") == 0
    for allowed in (total - 1, largest):
        assert run("verify", path, "--limits", f"max_file_bytes={allowed}") == 1
        err = capsys.readouterr().err
        assert f"bytes of all files, allowed {allowed:,} (Limits.max_file_bytes)" in err
