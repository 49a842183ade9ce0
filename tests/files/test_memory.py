"""What saving keeps in memory: one tensor at a time, and finished frames up to a limit."""

import os
import weakref
from collections.abc import Mapping

import numpy as np
import pytest

import qcodec
from qcodec import files
from qcodec._file import saving
from qcodec._io.later import Spool
from qcodec._io.source import PartsSource
from tests.files.nets import all_same


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
    monkeypatch.setattr(files, "_HELD_BYTES", 100_000)
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
