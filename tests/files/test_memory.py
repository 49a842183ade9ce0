"""What saving keeps in memory: one tensor at a time, and finished frames up to a limit."""

import os
import select
import sys
import weakref
from collections.abc import Mapping

import numpy as np
import pytest

import qcodec
from qcodec import files
from qcodec._file import saving
from qcodec._file.container import Ordinary
from qcodec._file.tensor_file import TensorFile
from qcodec._io.later import Spool
from qcodec._io.source import PartsSource
from qcodec.cli.main import main
from qcodec.cli.npz import npz_parts
from qcodec.dtypes import BY_NAME
from tests.files.nets import all_same
from tests.files.test_outputs import read_in_background

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")


def weights(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


class OnDemand(Mapping):
    """Makes each array when it is requested, and counts those that are alive."""

    def __init__(self, count, shape=(200, 200)):
        self.names, self.shape = [f"layer{i}.weight" for i in range(count)], shape
        self.made, self.most = [], 0

    def __getitem__(self, name):
        array = weights(self.names.index(name), *self.shape)
        self.made.append(weakref.ref(array))
        self.most = max(self.most, sum(one() is not None for one in self.made))
        return array

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)


@pytest.mark.parametrize("recipe", [None, {"weight": "keep"}, "int8"])
def test_arrays_that_are_loaded_on_demand_are_not_kept(recipe, tmp_path):
    tensors = OnDemand(8, (600, 600))
    path = tmp_path / "net.qc.safetensors"
    qcodec.save_file(tensors, path, recipe=recipe)
    assert tensors.most <= 2
    wanted = {name: weights(i, 600, 600) for i, name in enumerate(tensors)}
    if recipe != "int8":
        assert all_same(qcodec.load_file(path), wanted)


def test_a_tensor_that_changes_its_shape_meanwhile_is_an_error(tmp_path):
    tensors = OnDemand(3)
    path = tmp_path / "net.qc.safetensors"
    path.write_bytes(b"before")

    def progress(done, total, name):
        tensors.shape = (200, 201) if done == total else tensors.shape

    with pytest.raises(ValueError, match=r"^tensor 'layer\d.weight': its type or shape changed"):
        qcodec.save_file(tensors, path, recipe={"weight": "keep"}, progress=progress)
    assert path.read_bytes() == b"before"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("ending", ["qc.safetensors", "qcodec"])
def test_frames_that_wait_in_a_file_give_the_same_bytes_and_leave_nothing(
    ending, tmp_path, monkeypatch
):
    tensors = {f"w{i}": weights(i, 300, 300) for i in range(4)} | {"small": weights(9, 20)}
    tensors["again"] = tensors["w1"] * 2 / 2
    one, other = tmp_path / f"one.{ending}", tmp_path / f"other.{ending}"
    qcodec.save_file(tensors, one)
    monkeypatch.setattr(files, "HELD_BYTES", 100_000)
    qcodec.save_file(tensors, other)
    assert one.read_bytes() == other.read_bytes()
    assert sorted(tmp_path.iterdir()) == [one, other]


def test_a_spool_gives_back_what_it_was_given(tmp_path):
    parts = [os.urandom(size) for size in (10, 0, 5000, 70_000, 3)]
    with Spool(tmp_path, most=12) as spool:
        kept = [spool.keep(part) for part in parts]
        assert [isinstance(one, bytes) for one in kept] == [True, True, False, False, False]
        source = PartsSource(kept)
        assert bytes(source.read(0, source.size)) == b"".join(parts)
        assert bytes(source.read(4000, 2000)) == b"".join(parts)[4000:6000]
        assert b"".join(kept[3].pieces()) == parts[3]
    assert [*tmp_path.iterdir()] == []


# ---- small tensors


def alike(count):
    return {f"layer{i}.weight": weights(i, 16, 16) for i in range(count)}


def test_tensors_that_share_a_frame_are_not_encoded_alone(monkeypatch):
    calls = []
    encode = saving.encode_frame
    monkeypatch.setattr(
        saving, "encode_frame", lambda *args, **kw: calls.append(1) or encode(*args, **kw)
    )
    data = qcodec.save(alike(500))
    assert len(calls) < 100
    assert all_same(qcodec.load(data), alike(500))


NETS = {
    "alike": alike(150),
    "of all sizes": {
        f"l{i}.{'weight' if i % 2 else 'bias'}": weights(i, 1 + i * 7) for i in range(90)
    },
    "some are smooth": {
        f"l{i}": weights(i, 256) if i % 2 else np.linspace(0, 1, 256, dtype="f4")
        for i in range(120)
    },
    "some are pruned": {f"l{i}": weights(i, 300) * (np.arange(300) % 100 < i) for i in range(120)},
    "quantized before": {
        f"l{i}": np.rint(weights(i, 300) * 9) * np.float32(0.01 + i / 997) for i in range(100)
    },
    "repeated": {f"l{i}": weights(i % 9, 200) for i in range(100)},
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("codec", [None, qcodec.Codebook(3), qcodec.Affine(6)])
def test_estimates_of_sizes_decide_as_the_sizes_would(name, codec, monkeypatch):
    recipe = None if codec is None else {"": codec}
    found = qcodec.save(NETS[name], recipe=recipe)
    monkeypatch.setattr("qcodec._file.bundling._MAX_WAITING_BYTES", -1)  # all are encoded alone
    assert qcodec.save(NETS[name], recipe=recipe) == found


@pytest.mark.parametrize(
    "name", ["out.safetensors", "net.qc.safetensors", "out.npz", pytest.param("pipe", marks=POSIX)]
)
def test_the_command_decodes_large_tensors_one_after_the_other(name, tmp_path, monkeypatch):
    wanted = {f"layer{i}.weight": weights(i, 600, 600) for i in range(6)}
    wanted |= {"a.bias": weights(7, 9), "b.bias": weights(8, 12)}
    path, out = tmp_path / "net.qc.safetensors", tmp_path / name
    qcodec.save_file(wanted, path)
    if name == "pipe":
        os.mkfifo(out)
        thread, read = read_in_background(out)
    alive, most = [], []
    read_array = TensorFile.read_array

    def counting(self, name, *arguments, **options):
        array, element = read_array(self, name, *arguments, **options)
        alive.append(weakref.ref(array))
        most.append(sum(one() is not None and one().size > 1000 for one in alive))
        return array, element

    monkeypatch.setattr(TensorFile, "read_array", counting)
    assert main(["decode", str(path), str(out)]) == 0
    assert len(alive) == len(wanted)
    # Windows does not replace a file that is read.
    assert max(most) == 1 or (sys.platform == "win32" and out == path)
    if name == "pipe":
        thread.join()
        assert all_same(qcodec.load(read[0]), wanted)
    elif out.suffix == ".npz":
        with np.load(out) as found:
            assert all_same(dict(found), wanted)
    else:
        assert all_same(qcodec.load_file(out), wanted)


def test_the_parts_of_an_npz_file_are_let_go_of_one_by_one():
    """The bytes of a tensor do not wait until the next one is there."""
    parts = npz_parts({f"{n}": Ordinary(weights(n, 9), BY_NAME["float32"]) for n in range(3)})
    first = next(parts)
    next(parts)
    with pytest.raises(ValueError, match="released"):
        bytes(first)


@POSIX
def test_a_pipe_gets_nothing_of_a_file_with_a_fault(tmp_path, capsys):
    path, out = tmp_path / "net.qc.safetensors", tmp_path / "pipe"
    qcodec.save_file({f"layer{i}.weight": weights(i, 600, 600) for i in range(3)}, path)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    os.mkfifo(out)
    keep_open = os.open(out, os.O_RDWR)
    assert main(["decode", str(path), str(out)]) == 1
    assert capsys.readouterr().err.startswith(f"qcodec: {path}: tensor 'layer2.weight': chunk")
    assert select.select([keep_open], [], [], 0)[0] == []
    os.close(keep_open)


def test_a_fault_in_a_late_tensor_leaves_the_old_output(tmp_path, capsys):
    path, out = tmp_path / "net.qc.safetensors", tmp_path / "out.safetensors"
    qcodec.save_file({f"layer{i}.weight": weights(i, 600, 600) for i in range(3)}, path)
    data = bytearray(path.read_bytes())
    data[-1000] ^= 1
    path.write_bytes(data)
    out.write_bytes(b"before")
    assert main(["decode", str(path), str(out)]) == 1
    assert capsys.readouterr().err.startswith(f"qcodec: {path}: tensor 'layer2.weight': chunk")
    assert out.read_bytes() == b"before"
    assert {*tmp_path.iterdir()} == {path, out}
