"""Small tensors that share a frame come back as those that were saved, one by one and together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
from qcodec._file.directory import read_directory
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.files import load, save
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


@pytest.mark.parametrize("profile", ["fast", "fixed"])
def test_profiles_for_the_fastest_access_share_nothing(profile):
    assert shared(save(layers(), profile=profile)) == []


def test_the_shares_of_parts_add_up_to_the_file():
    data = save(layers(), recipe={"weight$": qcodec.Codebook(bits=3)}, profile="small")
    with TensorFile(BytesSource(data)) as file:
        frames = sum(file.info(name).bytes for name in file.keys())  # noqa: SIM118
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
