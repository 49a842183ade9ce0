"""All tensors of a file at once: many small ones, on any number of threads."""

from functools import partial

import numpy as np
import pytest

import qcodec
from qcodec._file import loading
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.errors import UnsupportedError
from qcodec.files import load, load_file, safe_open, save
from qcodec.limits import Limits
from tests.files.nets import BACKENDS, all_same, same

RANDOM = np.random.default_rng(5)


def tensors():
    """Small and large ones of many types, aliases, conversions, empty ones and scalars."""
    found = {}
    for number in range(40):
        found[f"layer{number}.weight"] = RANDOM.standard_normal((16, 16 + number), dtype=np.float32)
        found[f"layer{number}.bias"] = RANDOM.standard_normal(16).astype(np.float16)
        found[f"layer{number}.steps"] = np.int64(number)
        found[f"layer{number}.mask"] = RANDOM.random(50 + number) < 0.5
        found[f"layer{number}.none"] = np.zeros((0, number), np.float64)
    large = RANDOM.standard_normal((300, 1000), dtype=np.float32)
    found["large"] = found["tied"] = large
    found["large.half"] = large.astype(np.float16)
    found["layer3.copy"] = found["layer3.weight"].copy()
    found["layer4.half"] = found["layer4.weight"].astype(np.float16)
    found["tuned"] = large[:100] * np.float32(1.001)
    return found


TENSORS = tensors()
BASE = {"tuned": TENSORS["large"][:100]}
RECIPES = {
    "lossless": None,
    "ordinary": {"^(?!tuned)": None},
    "codes": {"weight$|large$|tied": qcodec.Codebook(4), "tuned": qcodec.Delta(BASE)},
}


@pytest.fixture(params=[True, False], ids=["eager", "as it is"])
def eager(request, monkeypatch):
    """Whether threads are started for any work."""
    if request.param:
        monkeypatch.setattr("qcodec._base.threads.LEAST_WORK", 1 << 12)
        monkeypatch.setattr(loading, "_TINY_BYTES", 256)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("profile", ["fast", "balanced", "small"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_all_tensors_are_those_that_are_read_one_by_one(recipe, profile, backend, tmp_path):
    path = tmp_path / "net.safetensors"
    qcodec.save_file(TENSORS, path, recipe=RECIPES[recipe], profile=profile)
    base = BASE if recipe == "codes" else None
    for dtype in (None, "float16"):
        with safe_open(path, backend=backend, base=base) as file:
            one_by_one = {
                name: file.get_tensor(
                    name, dtype=dtype if file.element_type(name).is_float else None
                )
                for name in file
            }
        if recipe != "codes" and dtype is None:
            assert all_same(one_by_one, TENSORS)
        for threads in (1, 2, 5):
            loaded = load_file(path, backend=backend, base=base, dtype=dtype, threads=threads)
            assert all_same(loaded, one_by_one)
            assert (loaded["large"] is loaded["tied"]) == (recipe != "ordinary")
            for name in ("layer3.weight", "layer3.bias", "large"):
                assert loaded[name].flags.writeable
                assert loaded[name].base is None or loaded[name].base.flags.owndata


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_two_arrays_share_memory(recipe):
    loaded = load(save(TENSORS, recipe=RECIPES[recipe]), base=BASE)
    fresh = {name: array.copy() for name, array in loaded.items()}
    for name, array in loaded.items():
        if array.size and name != "tied":
            assert same(array, fresh[name])
            array[...] = 0


def outcome(call):
    with pytest.raises(qcodec.QCodecError) as caught:
        call()
    error = caught.value
    return type(error), str(error), error.offset, error.found, error.allowed


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("profile", ["fast", "balanced"])
def test_the_error_is_that_of_the_first_broken_tensor_and_names_it(profile):
    weights = {f"w{number:02}": RANDOM.standard_normal((40, 40)) for number in range(30)}
    weights["w10"] = RANDOM.standard_normal((400, 400))
    intact = save(weights, profile=profile)
    with TensorFile(BytesSource(intact)) as file:
        places = file.directory.tensors
    order = sorted(places, key=lambda name: places[name].offset)
    broken = bytearray(intact)
    for name in (order[-1], order[17], order[4]):
        stored = places[name]
        broken[stored.offset + stored.size - 5] ^= 1
        alone = outcome(partial(TensorFile(BytesSource(bytes(broken))).get_tensor, name))
        first = next(one for one in order if places[one].offset == stored.offset)
        for threads in (1, 2, 6):
            kind, message, *others = outcome(partial(load, bytes(broken), threads=threads))
            assert message == alone[1].replace(repr(name), repr(first))
            assert (kind, *others) == (alone[0], *alone[2:])
        if stored.part is not None:  # all are in one frame
            break


@pytest.mark.parametrize("recipe", [None, {".": None}], ids=["encoded", "ordinary"])
def test_small_tensors_are_read_together(recipe):
    weights = {f"w{number:03}": RANDOM.standard_normal((16, 16)) for number in range(500)}
    data = save(weights, recipe=recipe, profile="fast")
    reads = []

    class Counted(BytesSource):
        def read(self, offset, size):
            reads.append(size)
            return super().read(offset, size)

    with TensorFile(Counted(data)) as file:
        reads.clear()
        assert all_same(file.get_tensors(), weights)
    assert len(reads) <= 2 * (1 + len(data) // (1 << 20))  # their heads, then all of them


def test_more_tensors_than_65536_are_loaded():
    frame = qcodec.encode(np.arange(6, dtype=np.float32).reshape(2, 3), profile="fast")
    items = [PackItem(f"layers.{number}", "frame", frame) for number in range(70_000)]
    loaded = load(b"".join(write_pack(items)), threads=2)
    assert len(loaded) == 70_000
    assert all(array.shape == (2, 3) and array[1, 2] == 5 for array in loaded.values())


def test_frames_that_are_not_small_when_decoded_are_checked_first():
    """A few bytes that decode to a megabyte, and are wrong at their end."""
    zeros = qcodec.encode(np.zeros(1 << 18, np.float32))
    small = qcodec.encode(np.arange(6, dtype=np.float32))
    for frames in ([small, zeros, small], [zeros, zeros]):
        items = [PackItem(f"w{number}", "frame", frame) for number, frame in enumerate(frames)]
        data = b"".join(write_pack(items))
        assert load(data)["w1"].nbytes == 1 << 20
        with pytest.raises(qcodec.LimitError, match=r"^tensor 'w[01]': .*max_tensor_bytes"):
            load(data, limits=Limits(max_tensor_bytes=(1 << 20) - 1))
        broken = bytearray(data)
        broken[-len(small) - 3 if frames[-1] is small else -3] ^= 1
        with pytest.raises(qcodec.ChecksumError, match=r"^tensor 'w1': "):
            load(bytes(broken))


def test_a_part_outside_its_frame_is_refused():
    frame = qcodec.encode(np.arange(6, dtype=np.float32))
    items = [
        PackItem("first", "first", frame, (4,)),
        PackItem("second", "next", shape=(3,)),
    ]
    data = b"".join(write_pack(items))
    with pytest.raises(qcodec.CorruptError, match=r"^tensor 'second': a part of shape \[3\]"):
        load(data)


def test_ordinary_tensors_that_are_not_decoded_are_named():
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' + (
        b'"b":{"dtype":"F99","shape":[1],"data_offsets":[4,8]}}'
    )
    data = len(header).to_bytes(8, "little") + header + bytes(8)
    with pytest.raises(UnsupportedError, match="tensor 'b' has elements of type F99"):
        load(data)
    header = header.replace(b'"F99","shape":[1]', b'"BOOL","shape":[4]')
    wrong = len(header).to_bytes(8, "little") + header + bytes(7) + b"\2"
    with pytest.raises(qcodec.CorruptError, match="tensor 'b': bool at byte 3"):
        load(wrong)


def test_torch_tensors_are_loaded_on_threads(tmp_path):
    torch = pytest.importorskip("torch")
    qcodec.save_file(TENSORS, tmp_path / "net.qcodec")
    with safe_open(tmp_path / "net.qcodec", "pt") as file:
        loaded = file.get_tensors(threads=3)
    assert loaded["large"] is loaded["tied"]
    for name, tensor in loaded.items():
        assert torch.equal(tensor, torch.from_numpy(np.array(TENSORS[name])))


def test_small_frames_are_decoded_without_an_object_for_each(monkeypatch):
    weights = {f"w{number:03}": RANDOM.standard_normal((16, 16)) for number in range(50)}
    data = save(weights, profile="fast")
    with TensorFile(BytesSource(data)) as file:
        monkeypatch.setattr(file._opener, "tensor", None)
        assert all_same(file.get_tensors(), weights)
