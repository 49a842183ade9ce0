"""Checkpoint folders: the compressed folder has the same files, and comes back as it was."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

import qcodec
from qcodec.checkpoints import decode_checkpoint, encode_checkpoint
from qcodec.cli import main
from qcodec.errors import QCodecError

RANDOM = np.random.default_rng(0)
TENSORS = {
    f"layers.{n}.weight": RANDOM.normal(size=(64, 32)).astype(np.float32) for n in range(6)
} | {"norm": np.ones(32, np.float16), "steps": np.arange(3)}
OTHERS = {"tokenizer.json": b"{}", "1_Pooling/config.json": b'{"a": 1}', "README.md": b"net"}
CONFIG = {"model_type": "net", "hidden_size": 32}


@pytest.fixture(params=[1, 3], ids=["one file", "shards"])
def folder(request, tmp_path):
    """A folder as transformers writes it."""
    path = tmp_path / "net"
    path.mkdir()
    for name, data in OTHERS.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(data)
    (path / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")
    (path / "pytorch_model.bin").write_bytes(b"the same for others")
    names, shards = list(TENSORS), request.param
    if shards == 1:
        save_file(TENSORS, path / "model.safetensors", {"format": "pt"})
        return path
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        some = {name: TENSORS[name] for name in names[number::shards]}
        save_file(some, path / file, {"format": "pt"})
        weight_map |= dict.fromkeys(some, file)
    size = sum(array.nbytes for array in TENSORS.values())
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    (path / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    return path


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_same_tensors(found, expected=TENSORS):
    assert sorted(found) == sorted(expected)
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name], strict=True)


@pytest.mark.parametrize("keep_split", [False, True])
def test_a_folder_comes_back_with_all_its_files(folder, tmp_path, keep_split):
    small, again = tmp_path / "small", tmp_path / "again"
    size = encode_checkpoint(folder, small, keep_split=keep_split)
    assert size == sum(path.stat().st_size for path in small.glob("*.safetensors"))
    assert size < sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert_same_tensors(qcodec.load_file(small))
    decode_checkpoint(small, again, keep_split=keep_split)
    assert_same_tensors(qcodec.load_file(again))
    expected, found = files(folder), files(again)
    del expected["pytorch_model.bin"]
    if keep_split or len(list(folder.glob("*.safetensors"))) == 1:
        index = "model.safetensors.index.json"
        indices = [one.pop(index) for one in (expected, found) if index in one]
        maps = [json.loads(one)["weight_map"] for one in indices]
        assert maps == maps[:1] * len(maps)
        assert found == expected


def test_weights_are_not_copied_whatever_their_names(tmp_path):
    source, small = tmp_path / "net", tmp_path / "small"
    (source / "original").mkdir(parents=True)
    save_file(TENSORS, source / "weights.safetensors")
    for name in ("consolidated.00.pth", "original/consolidated.00.pth", "original/params.json"):
        (source / name).write_bytes(b"the same for others")
    encode_checkpoint(source, small)
    assert set(files(small)) == {"model.safetensors", "original/params.json", "original.qcodec"}
    decode_checkpoint(small, tmp_path / "again")
    again = files(tmp_path / "again")
    assert set(again) == {"weights.safetensors", "original/params.json"}
    assert again["weights.safetensors"] == (source / "weights.safetensors").read_bytes()


def test_files_that_are_write_protected_are_copied_to_files_that_are_not(folder, tmp_path):
    for name in ("config.json", "tokenizer.json"):
        (folder / name).chmod(0o444)
    encode_checkpoint(folder, tmp_path / "small")
    for name in ("config.json", "tokenizer.json"):
        assert (tmp_path / "small" / name).stat().st_mode & 0o777 == 0o644


def test_the_configuration_names_the_method(folder, tmp_path):
    encode_checkpoint(folder, tmp_path / "small")
    config = json.loads((tmp_path / "small/config.json").read_text())
    method = {"quant_method": "qcodec", "dtype": "float32"}
    assert config == {**CONFIG, "quantization_config": method}


def test_shards_are_not_larger_than_told(folder, tmp_path):
    encode_checkpoint(folder, tmp_path / "small", max_shard_bytes=20_000)
    shards = sorted((tmp_path / "small").glob("*.safetensors"))
    assert len(shards) > 1
    assert all(path.stat().st_size < 22_000 for path in shards)
    index = json.loads((tmp_path / "small/model.safetensors.index.json").read_text())
    assert index["metadata"]["total_parameters"] == sum(a.size for a in TENSORS.values())
    assert set(index["weight_map"]) == set(TENSORS)
    assert_same_tensors(qcodec.load_file(tmp_path / "small"))


def test_the_commands_take_folders(folder, tmp_path, capsys):
    small, again = tmp_path / "small", tmp_path / "again"
    assert main(["encode", str(folder), str(small), "--recipe", "int8", "--keep-split"]) == 0
    assert main(["decode", str(small), str(again), "--max-shard-size", "20KB"]) == 0
    assert "8 tensors" in capsys.readouterr().out
    assert main(["diff", str(folder), str(again), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {one["change"] for one in report["tensors"]} == {"values"}
    assert min(one["sqnr_db"] for one in report["tensors"]) > 35


def test_a_folder_becomes_one_file(folder, tmp_path):
    path = tmp_path / "net.qcodec"
    assert main(["encode", str(folder), str(path)]) == 0
    assert_same_tensors(qcodec.load_file(path))


def test_a_folder_that_exists_is_kept(folder, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    (small / "mine").write_text("mine")
    with pytest.raises(FileExistsError, match="not an empty folder"):
        encode_checkpoint(folder, small)
    assert files(small) == {"mine": b"mine"}
    encode_checkpoint(folder, small, force=True)
    assert_same_tensors(qcodec.load_file(small))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "small"]


def test_a_folder_is_not_written_over_itself(folder, capsys):
    assert main(["encode", str(folder), str(folder), "--force"]) == 2
    assert "is the input" in capsys.readouterr().err
    assert_same_tensors(qcodec.load_file(folder))


def test_an_error_leaves_nothing(folder, tmp_path):
    path = next(folder.glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(QCodecError):
        encode_checkpoint(folder, tmp_path / "small")
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_weights_of_another_method_are_refused(folder, tmp_path):
    config = {**CONFIG, "quantization_config": {"quant_method": "gptq", "bits": 4}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="quantized by 'gptq'"):
        encode_checkpoint(folder, tmp_path / "small")
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_a_killed_run_leaves_no_folder_and_the_next_one_cleans_up(folder, tmp_path):
    if os.name == "nt":
        pytest.skip("no SIGKILL")
    script = (
        "import sys, time, qcodec.checkpoints\n"
        "def wait(done, total, name):\n"
        "    print(done, flush=True)\n"
        "    time.sleep(60)\n"
        "qcodec.checkpoints.encode_checkpoint(*sys.argv[1:], progress=wait)\n"
    )
    small = tmp_path / "small"
    run = subprocess.Popen(
        [sys.executable, "-c", script, folder, small], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "1\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    assert not small.exists()
    encode_checkpoint(folder, small)
    assert_same_tensors(qcodec.load_file(small))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net", "small"]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
def test_a_checkpoint_may_be_larger_than_the_memory(tmp_path):
    """12 tensors of 16 MiB, with 128 MiB for all that is read, encoded and written."""
    source = tmp_path / "net"
    source.mkdir()
    weights = np.tile(RANDOM.normal(size=(64, 1 << 10)).astype(np.float32), (64, 1))
    names = [f"layers.{n}.weight" for n in range(12)]
    save_file({name: weights + n for n, name in enumerate(names)}, source / "model.safetensors")
    script = (
        "import re, resource, sys, numpy\n"
        "from pathlib import Path\n"
        "from qcodec.checkpoints import decode_checkpoint, encode_checkpoint\n"
        "used = int(re.search(r'VmSize:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "limit = (used << 10) + (128 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "encode_checkpoint(sys.argv[1], sys.argv[2])\n"
        "decode_checkpoint(sys.argv[2], sys.argv[3])\n"
    )
    folders = [tmp_path / name for name in ("net", "small", "again")]
    done = subprocess.run(
        [sys.executable, "-c", script, *folders], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (source / "model.safetensors").stat().st_size > 128 << 20
    with qcodec.safe_open(tmp_path / "again") as file:
        for n, name in enumerate(names):
            assert np.array_equal(file.get_tensor(name), weights + np.float32(n))


@pytest.mark.parametrize("where", ["net", "net/small", "."])
def test_a_folder_is_not_written_into_or_around_what_is_read(folder, tmp_path, where):
    before = files(folder)
    with pytest.raises(ValueError, match="is the folder that is read"):
        encode_checkpoint(folder, tmp_path / where, force=True)
    assert files(folder) == before


def test_tensors_that_are_not_read_are_not_lost_in_silence(tmp_path):
    torch = pytest.importorskip("torch")
    source = tmp_path / "net"
    source.mkdir()
    tensors = {"w": torch.ones(4, 4), "sparse": torch.eye(3).to_sparse()}
    torch.save(tensors, source / "pytorch_model.bin")
    with pytest.raises(QCodecError, match="'sparse' is of a sparse layout"):
        encode_checkpoint(source, tmp_path / "small")
    encode_checkpoint(source, tmp_path / "small", skip_unreadable=True)
    assert list(qcodec.load_file(tmp_path / "small")) == ["w"]
