"""Small tensors that share a frame come back as those that were saved, one by one and together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._file.directory import read_directory
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.files import load, save
from qcodec.limits import Limits
from tests.files.nets import all_same, same

RANDOM = np.random.default_rng(0)


def layers(count=30, dtype=np.float32):
    """Small layers as nets have them: kernels, vectors, and some that are empty or scalars."""
    tensors = {}
    for number in range(count):
        name = f"features.block{number // 5}.layer{number}"
        shape = (8, 4 + number % 3, 3, 3)
        tensors[f"{name}.weight"] = RANDOM.standard_normal(shape).astype(dtype)
        tensors[f"{name}.bias"] = RANDOM.standard_normal(8 + number % 4).astype(dtype)
        tensors[f"{name}.steps"] = np.int64(number)
        tensors[f"{name}.none"] = np.zeros((0, 3), dtype)
    return tensors


def shared(data):
    """Names of tensors by the frame that they share with others."""
    frames = {}
    for name, stored in read_directory(BytesSource(data)).tensors.items():
        if stored.part is not None:
            frames.setdefault(stored.offset, []).append(name)
    return list(frames.values())


CODECS = {
    "lossless": None,
    "codebook": qcodec.Codebook(bits=3),
    "affine": qcodec.Affine(bits=5),
    "ternary": qcodec.Ternary("twn", scales=1),
    "two scales": qcodec.Ternary(),
    "fixed point": qcodec.FixedPoint(bits=6),
    "sparse": qcodec.Sparse(qcodec.Codebook(bits=2), qcodec.Density(0.2)),
    "deep compression": qcodec.DeepCompression(4, prune=qcodec.Density(0.1)),
}


@pytest.mark.parametrize("profile", ["balanced", "small"])
@pytest.mark.parametrize("codec", CODECS)
def test_tensors_that_share_a_frame_come_back(codec, profile):
    tensors = layers()
    recipe = None if CODECS[codec] is None else {"weight$|bias$": CODECS[codec]}
    data = save(tensors, recipe=recipe, profile=profile)
    assert any(len(names) > 10 for names in shared(data))
    alone = load(save(tensors, recipe=recipe, profile="fast"))  # which shares nothing
    assert all_same(load(data), alone)
    with TensorFile(BytesSource(data)) as file:
        for name, expected in alone.items():
            assert same(file.get_tensor(name), expected)
            assert same(file.encoded(name).decode(), expected)
            assert same(file.encoded(name).quantized().dequantize(), expected)
            file.verify(name)
            if expected.ndim > 1 and len(expected):
                assert same(file.get_slice(name)[1:3], expected[1:3])


def test_sharing_saves_what_heads_and_tables_cost():
    tensors = layers(100)
    recipe = {"weight$": qcodec.Codebook(bits=3)}
    together = len(save(tensors, recipe=recipe, profile="small"))
    alone = len(save(tensors, recipe=recipe, profile="fast"))
    assert together < 0.9 * alone


@pytest.mark.parametrize("kind", ["affine", "codebook"])
def test_tensors_that_were_quantized_before_share_a_frame_of_codes(kind):
    """Whatever their numbers of codes, as without loss nobody chose these."""
    random = np.random.default_rng(3)
    tensors = {}
    for number in range(12):
        codes = random.integers(0, 6 + number, 60 + number)
        scale, values = np.float32(random.random()), random.standard_normal(6 + number)
        few = scale * codes.astype(np.float32) if kind == "affine" else values[codes]
        tensors[f"layer{number}.bias"] = few.astype(np.float32)
    data = save(tensors, profile="small")
    assert len(shared(data)[0]) == 12
    assert all_same(load(data), tensors)
    with TensorFile(BytesSource(data)) as file:
        assert {file.info(name).kind for name in file} == {kind}
        assert all(same(file.get_tensor(name), tensors[name]) for name in tensors)


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_profiles_for_the_fastest_access_share_nothing(profile):
    assert shared(save(layers(), profile=profile)) == []


def test_the_shares_of_parts_add_up_to_the_file():
    data = save(layers(), recipe={"weight$": qcodec.Codebook(bits=3)}, profile="small")
    with TensorFile(BytesSource(data)) as file:
        frames = sum(file.info(name).bytes for name in file)
        directory = file.directory
    header = directory.header_bytes + directory.pack_table_bytes
    assert 0 <= len(data) - frames - header < 8  # the padding of a safetensors file


def test_one_tensor_after_the_other_takes_no_longer_than_all(monkeypatch):
    data = save(layers(200), profile="small")
    decoded = []
    decode = qcodec.Encoded.decode
    monkeypatch.setattr(
        qcodec.Encoded, "decode", lambda self, **kw: decoded.append(1) or decode(self, **kw)
    )
    with TensorFile(BytesSource(data)) as file:
        wanted = [name for names in shared(data) for name in names]
        decoded.clear()
        for name in wanted:
            file.get_tensor(name)
    assert len(decoded) == len(shared(data))


def test_a_tensor_that_is_changed_by_its_owner_is_read_again_as_it_was():
    tensors = layers()
    with TensorFile(BytesSource(save(tensors))) as file:
        name = shared(save(tensors))[0][1]
        file.get_tensor(name)[...] = 0
        assert same(file.get_tensor(name), tensors[name])


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=4).map(tuple), min_size=2, max_size=12),
    st.sampled_from(["float32", "float16", "int32", "uint8", "bool"]),
    st.sampled_from(["balanced", "small"]),
    st.integers(0, 2**32 - 1),
)
def test_tensors_of_any_shapes_come_back(shapes, dtype, profile, seed):
    random = np.random.default_rng(seed)
    tensors = {
        f"t{number}": (random.standard_normal(shape) * 50).astype(dtype)
        for number, shape in enumerate(shapes)
    }
    assert all_same(load(save(tensors, profile=profile)), tensors)


def repeating_layers():
    """Statistics that recur from layer to layer, so that the frame they share has copies."""
    running = RANDOM.standard_normal((8, 64)).astype(np.float32)
    return {f"layer{i}.mean": running[: 1 + i].reshape(-1) for i in range(8)}


def test_parts_of_a_frame_of_copies_are_decoded_alone():
    tensors = repeating_layers()
    half = tensors["layer7.mean"].astype(np.float16)
    data = save(tensors | {"half": half}, profile="small")
    assert set(*shared(data)) == {*tensors, "half"}
    with TensorFile(BytesSource(data)) as file:
        for name, expected in tensors.items():
            encoded = file.encoded(name)
            assert encoded.positions == "copies"
            assert same(encoded.decode(), expected)
            assert same(encoded[3:40], expected[3:40])
            assert same(encoded.quantized().dequantize(), expected)
        assert file.directory.tensors["half"].converted_to == "float16"
        assert same(file.get_tensor("half"), half)
        assert same(file.get_slice("half")[5:9], half[5:9])


def test_a_part_is_decoded_into_the_array_of_the_caller():
    tensors = layers()
    with TensorFile(BytesSource(save(tensors))) as file:
        name = next(name for names in shared(save(tensors)) for name in names if "weight" in name)
        out = np.empty(tensors[name].shape, np.float64)
        assert file.get_tensor(name, out, dtype="float64") is out
        assert same(out, tensors[name].astype(np.float64))
        with pytest.raises(ValueError, match="the tensor is float32"):
            file.get_tensor(name, out)
        with pytest.raises(TypeError, match="cannot be decoded as int32"):
            file.get_tensor(name, dtype="int32")


def test_tensors_converted_from_parts_take_no_longer_than_the_parts(monkeypatch):
    tensors = layers(60)
    halves = {f"half.{name}": array.astype(np.float16) for name, array in tensors.items()}
    data = save(tensors | halves, profile="small")
    decoded = []
    decode = qcodec._frame.encoded.Encoded._decode_range
    monkeypatch.setattr(
        qcodec._frame.encoded.Encoded,
        "_decode_range",
        lambda self, *args: decoded.append(1) or decode(self, *args),
    )
    with TensorFile(BytesSource(data)) as file:
        converted = [name for name, one in file.directory.tensors.items() if one.converted_to]
        frames = {one.offset for one in file.directory.tensors.values()}
        assert len(converted) > 50
        decoded.clear()
        assert all_same(file.get_tensors(), tensors | halves)
        assert len(decoded) <= 4 * len(frames)  # checked and decoded, in each of two types


def pack_of_parts(frame, shapes):
    items = [
        PackItem(f"t{number}", "next" if number else "first", b"" if number else frame, shape)
        for number, shape in enumerate(shapes)
    ]
    return b"".join(write_pack(items))


def test_parts_of_a_frame_without_elements_are_described():
    frame = qcodec.encode(np.zeros(0, np.float32))
    with TensorFile(BytesSource(pack_of_parts(frame, [(0,), (3, 0)]))) as file:
        assert [file.info(name).bytes for name in file] == [0, 0]
        assert [file.info(name).ratio for name in file] == [0, 0]
        assert file.get_tensors()["t1"].shape == (3, 0)


def test_a_frame_counts_as_a_whole_however_few_elements_of_it_have_names():
    frame = qcodec.encode(np.zeros(1 << 20, np.float32))
    data = pack_of_parts(frame, [(2,), (1,)])
    few = TensorFile(BytesSource(data), limits=Limits(max_total_bytes=1 << 20))
    with few as file, pytest.raises(qcodec.LimitError, match="max_total_bytes"):
        file.get_tensors()
    with TensorFile(BytesSource(data), limits=Limits(max_total_bytes=1 << 22)) as file:
        assert sorted(file.get_tensors()) == ["t0", "t1"]


@pytest.mark.parametrize("part", ["head", "codes"])
def test_a_broken_frame_is_named_for_each_of_its_tensors(part):
    intact = save(layers(20))
    names = max(shared(intact), key=len)
    stored = read_directory(BytesSource(intact)).tensors[names[0]]
    data = bytearray(intact)
    data[stored.offset + (5 if part == "head" else stored.size // 2)] ^= 1
    with TensorFile(BytesSource(bytes(data))) as file:
        faults = file.faults()
    assert set(faults) == set(names)
    assert all(str(error).startswith(f"tensor {name!r}: ") for name, error in faults.items())


def test_a_frame_is_checked_once_for_all_of_its_tensors(monkeypatch):
    checked = []
    verify = qcodec.Encoded.verify
    monkeypatch.setattr(qcodec.Encoded, "verify", lambda self: checked.append(1) or verify(self))
    with TensorFile(BytesSource(save(layers(20)))) as file:
        assert file.faults() == {}
        assert len(checked) == len({one.offset for one in file.directory.tensors.values()})
