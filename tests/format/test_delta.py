"""Tensors and files that are stored as differences from a base."""

import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcodec
import reference
from qcodec import BaseError, Delta, Lossless
from qcodec._file.file_arrays import FileArrays
from qcodec.cli.main import main
from qcodec.codecs import from_config
from qcodec.recipes import Recipe, Rule
from tests.format.agreement import MAX_BYTES
from tests.writers.frame_writer import ITEM_SIZES
from tests.writers.strategies import element_bytes

TYPES = {"f32": "<f4", "f16": "<f2", "bf16": ml_dtypes.bfloat16, "f64": "<f8"}
RANDOM = np.random.default_rng(0)
BASE = RANDOM.standard_normal((40, 16, 3, 3)).astype(np.float32)
TUNED = (BASE + np.float32(1e-5) * RANDOM.standard_normal(BASE.shape)).astype(np.float32)


def bits(array):
    return np.ascontiguousarray(array).tobytes()


# ---- tensors


@st.composite
def pairs(draw):
    """A tensor and a base: any bits, or the one a few units of the last place from the other."""
    name = draw(st.sampled_from(sorted(TYPES)))
    shape = draw(st.sampled_from([(), (0,), (1,), (300,), (7, 3, 3), (5, 4, 2, 3), (3, 700)]))
    count, carrier = int(np.prod(shape)), f"<u{ITEM_SIZES[name]}"
    base = np.frombuffer(draw(element_bytes(name, count)), carrier)
    other = np.frombuffer(draw(element_bytes(name, count)), carrier)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.sampled_from([1, 3, 1000]))
    near = base + random.integers(0, reach, count).astype(carrier)
    tuned = np.where(random.random(count) < draw(st.sampled_from([0, 0.95, 1])), near, other)
    return [array.astype(carrier).view(TYPES[name]).reshape(shape) for array in (tuned, base)]


@given(
    pairs(), st.sampled_from(["balanced", "small", "fast", "fixed"]), st.sampled_from([None, 256])
)
def test_every_bit_comes_back(pair, profile, chunk):
    tuned, base = pair
    data = qcodec.encode(tuned, Delta(base), profile=profile, chunk=chunk)
    assert bits(qcodec.decode(data, base=base)) == bits(tuned)
    tensor = reference.decode(data, max_bytes=MAX_BYTES, base=bits(base))
    assert (tensor.shape, tensor.data) == (tuned.shape, bits(tuned))


def test_a_fine_tuned_tensor_is_smaller_than_without_its_base():
    data = qcodec.encode(TUNED, Delta(BASE))
    assert qcodec.info(data).kind == "delta"
    assert len(data) < 0.62 * len(qcodec.encode(TUNED))


def test_a_tensor_equal_to_its_base_costs_only_a_head():
    data = qcodec.encode(BASE, Delta(BASE))
    assert len(data) < 64
    assert bits(qcodec.decode(data, base=BASE)) == bits(BASE)


def with_changes(share, dtype=np.float32, size=200_000):
    """A base, and a tensor in which some elements are one or a few units larger or smaller."""
    random = np.random.default_rng(7)
    base = (0.02 * random.standard_normal(size)).astype(dtype)
    word = np.dtype(f"i{base.itemsize}")
    steps = random.integers(1, 4, size) * random.choice([-1, 1], size)
    changed = random.random(size) < share
    return base, (base.view(word) + np.where(changed, steps, 0).astype(word)).view(dtype)


@pytest.mark.parametrize("profile", ["fast", "balanced", "small"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16, np.float64])
@pytest.mark.parametrize("share", [0.0001, 0.01])
def test_few_changes_are_stored_alone_with_their_positions(share, dtype, profile):
    base, tuned = with_changes(share, dtype)
    data = qcodec.encode(tuned, Delta(base), profile=profile)
    info = qcodec.info(data)
    changed = int((base != tuned).sum())
    assert (info.kind, info.positions != "dense") == ("delta", True)
    assert changed <= info.stored < changed + 500  # fillers bridge gaps
    assert len(data) < 80 + 2.6 * changed
    assert bits(qcodec.decode(data, base=base)) == bits(tuned)


@pytest.mark.parametrize("chunk", [None, 4096])
def test_parts_and_codes_of_changes_are_those_of_the_tensor(chunk):
    base, tuned = with_changes(0.01)
    encoded = qcodec.Encoded(qcodec.encode(tuned, Delta(base), chunk=chunk), base=base)
    assert encoded.info().positions != "dense"
    for part in (slice(5), slice(4000, 4100), slice(8192, 12288), slice(199_990, None)):
        assert bits(encoded[part]) == bits(tuned[part])
    assert bits(encoded.quantized().dequantize()) == bits(tuned)
    assert bits(encoded.decode(dtype="float64")) == bits(tuned.astype(np.float64))
    assert bits(encoded.decode(threads=3)) == bits(tuned)
    encoded.verify()


def test_gaps_of_changes_may_be_wider_than_their_symbols():
    base = np.ones(300_000, np.float32)
    tuned = base.copy()
    tuned[[3, 150_000, 299_999]] = 1.5
    data = qcodec.encode(tuned, Delta(base), profile="fast")
    assert qcodec.info(data).stored > 3  # fillers
    assert len(data) < 100
    assert bits(qcodec.decode(data, base=base)) == bits(tuned)


def test_changes_that_are_alike_within_a_filter_are_predicted():
    smooth = np.cumsum(np.cumsum(RANDOM.standard_normal((400, 9, 5, 5)), 2), 3) * 1e-6
    base = RANDOM.standard_normal(smooth.shape).astype(np.float32)
    tuned = (base + smooth).astype(np.float32)
    flat = tuned.reshape(400, -1), base.reshape(400, -1)
    assert len(qcodec.encode(tuned, Delta(base))) < 0.95 * len(
        qcodec.encode(flat[0], Delta(flat[1]))
    )


def test_a_tensor_smaller_without_its_base_is_stored_without_it():
    other = RANDOM.permuted(BASE * 1000, axis=0)
    data = qcodec.encode(TUNED, Delta(other))
    assert qcodec.info(data).kind == "planes"
    assert data == qcodec.encode(TUNED, Lossless())
    assert bits(qcodec.decode(data)) == bits(TUNED)
    pruned = np.where(RANDOM.random(BASE.shape) < 0.02, BASE, np.float32(0))
    assert qcodec.encode(pruned, Delta(other)) == qcodec.encode(pruned, Lossless())


@pytest.mark.parametrize("profile", ["balanced", "small", "fast"])
def test_a_part_is_the_same_part_of_the_whole(profile):
    data = qcodec.encode(TUNED, Delta(BASE), profile=profile, chunk=1000)
    encoded = qcodec.Encoded(data, base=BASE)
    assert encoded.kind == "delta"
    assert encoded.chunks > 3
    for index in (slice(3, 9), 39, slice(7, 8), np.s_[2:30:3, 4, 1:], np.s_[...]):
        assert bits(encoded[index]) == bits(TUNED[index])
    assert bits(encoded.decode(threads=3)) == bits(TUNED)


def test_large_outputs_are_the_same_past_the_caches():
    base = RANDOM.standard_normal(9 << 20).astype(np.float32)
    tuned = base * np.float32(1.0001)
    data = qcodec.encode(tuned, Delta(base))
    out = np.empty(len(base) + 1, np.float32)[1:]  # begins within a line
    assert np.array_equal(qcodec.decode(data, base=base, out=out), tuned)


def test_every_output_type_is_rounded_once():
    data = qcodec.encode(TUNED, Delta(BASE))
    assert np.array_equal(qcodec.decode(data, base=BASE, dtype="float16"), TUNED.astype("f2"))
    assert np.array_equal(qcodec.decode(data, base=BASE, dtype="float64"), TUNED.astype("f8"))


def test_quantized_of_a_delta_has_the_elements_themselves():
    data = qcodec.encode(TUNED, Delta(BASE))
    quantized = qcodec.Encoded(data, base=BASE).quantized()
    assert (quantized.kind, bits(quantized.codes)) == ("bytes", bits(TUNED))


def test_strides_of_the_base_do_not_matter():
    data = qcodec.encode(TUNED, Delta(BASE))
    strided = np.asfortranarray(BASE)
    assert qcodec.encode(TUNED, Delta(strided)) == data
    assert bits(qcodec.decode(data, base=strided)) == bits(TUNED)


def test_threads_do_not_change_what_is_encoded():
    alone = qcodec.encode(TUNED, Delta(BASE), chunk=500)
    assert qcodec.encode(TUNED, Delta(BASE), chunk=500, threads=4) == alone


@pytest.mark.parametrize("door", ["decode", "verify", "quantized", "part"])
def test_threads_share_one_base_that_is_asked_for_once(door):
    """Each call of a file's base gives another array; none may go while a thread reads it."""
    asked, together = [], Barrier(4)
    data = qcodec.encode(TUNED, Delta(BASE), chunk=360)

    def base():
        asked.append(None)
        time.sleep(0.05)  # all threads are in the call by now
        return BASE.copy()

    encoded = qcodec.Encoded(data, base=base)

    def call(_):
        together.wait()
        found = {
            "decode": encoded.decode,
            "verify": encoded.verify,
            "quantized": lambda: encoded.quantized().codes,
            "part": lambda: encoded[:],
        }[door]()
        return None if found is None else bits(found)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(call, range(4))) == {None if door == "verify" else bits(TUNED)}
    assert len(asked) == 1


def test_the_slice_of_a_file_may_be_read_by_threads(tmp_path):
    qcodec.save_file({"w": BASE}, tmp_path / "base.qcodec")
    qcodec.save_file(
        {"w": TUNED}, tmp_path / "tuned.qcodec", recipe=Delta(tmp_path / "base.qcodec")
    )
    with qcodec.safe_open(tmp_path / "tuned.qcodec", base=tmp_path / "base.qcodec") as file:
        part = file.get_slice("w")
        with ThreadPoolExecutor(8) as pool:
            for row, found in enumerate(pool.map(lambda row: part[row], range(40))):
                assert bits(found) == bits(TUNED[row])


def test_a_base_that_was_refused_is_asked_for_again():
    answers = [None, BASE]
    encoded = qcodec.Encoded(qcodec.encode(TUNED, Delta(BASE)), base=lambda: answers.pop(0))
    with pytest.raises(BaseError, match="no base was given"):
        encoded.decode()
    assert bits(encoded.decode()) == bits(TUNED)


def test_bits_of_bfloat16_have_a_base_of_bits():
    base = BASE.astype(ml_dtypes.bfloat16).view(np.uint16)
    tuned = base + (RANDOM.random(base.shape) < 0.1).astype(np.uint16)
    data = qcodec.encode(tuned, Delta(base, dtype="bfloat16"))
    found = qcodec.info(data)
    assert (found.kind, found.dtype) == ("delta", "bfloat16")
    array = qcodec.decode(data, base=base.view(ml_dtypes.bfloat16))
    assert bits(array) == bits(tuned)


def test_integers_are_lossless():
    assert qcodec.encode(np.arange(9), Delta(np.arange(9))) == qcodec.encode(np.arange(9))


# ---- what is wrong


@pytest.mark.parametrize(
    ("base", "what"),
    [
        (None, "no base was given"),
        (TUNED, "given was another one"),
        (BASE[:39], "given was float32[39, 16, 3, 3]"),
        (BASE.astype(np.float64), "given was float64[40, 16, 3, 3]"),
    ],
    ids=["none", "another", "shape", "dtype"],
)
def test_a_base_that_is_missing_or_wrong_is_an_error_that_names_it(base, what):
    data = qcodec.encode(TUNED, Delta(BASE))
    digest = qcodec.info(data).base
    assert len(digest) == 16
    for use in (
        lambda: qcodec.decode(data, base=base),
        lambda: qcodec.Encoded(data, base=base)[3],
        qcodec.Encoded(data, base=base).quantized,
        qcodec.Encoded(data, base=base).verify,
    ):
        with pytest.raises(BaseError) as caught:
            use()
        assert what in str(caught.value)
        assert digest in str(caught.value)
        assert caught.value.code == "base"
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), qcodec.QCodecError)


def test_without_verifying_another_base_gives_another_tensor():
    data = qcodec.encode(TUNED, Delta(BASE))
    assert not np.array_equal(qcodec.decode(data, base=TUNED, verify=False), TUNED)


def test_a_base_that_does_not_fit_is_not_encoded_against():
    with pytest.raises(ValueError, match="the base is float32"):
        qcodec.encode(TUNED, Delta(BASE[0]))
    with pytest.raises(ValueError, match="the base is float32"):
        qcodec.encode(TUNED.astype("f2"), Delta(BASE))
    with pytest.raises(TypeError, match="the base of one tensor must be an array"):
        qcodec.encode(TUNED, Delta({"a": BASE}))


def test_a_configuration_has_a_path_and_no_arrays():
    codec = Delta("base.safetensors")
    again = from_config(json.loads(json.dumps(codec.get_config())))
    assert (again.base, repr(again)) == (codec.base, repr(codec))
    for base in (BASE, {"a": BASE}):
        with pytest.raises(TypeError, match="give the path"):
            Delta(base).get_config()


# ---- files

MODEL = {
    "conv.weight": BASE,
    "conv.bias": RANDOM.standard_normal(400).astype(np.float32),
    "head.weight": RANDOM.standard_normal((50, 60)).astype(np.float32),
    "steps": np.arange(5),
}
FINE_TUNED = {
    "conv.weight": TUNED,
    "conv.bias": MODEL["conv.bias"] * np.float32(1.00001),
    "head.weight": RANDOM.standard_normal((10, 60)).astype(np.float32),  # another shape
    "head.bias": RANDOM.standard_normal(10).astype(np.float32),  # a new name
    "steps": np.arange(5) + 1,
}


@pytest.fixture(params=["safetensors", "qc.safetensors", "qc"])
def base_path(request, tmp_path):
    path = tmp_path / f"base.{request.param}"
    recipe = Recipe(weights=None, others=None) if request.param == "safetensors" else None
    qcodec.save_file(MODEL, path, recipe=recipe)
    return path


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert bits(found[name]) == bits(array)


@pytest.mark.parametrize("suffix", ["qc.safetensors", "qcodec"])
def test_a_file_is_stored_against_a_file(base_path, tmp_path, suffix):
    path = tmp_path / f"tuned.{suffix}"
    size = qcodec.save_file(FINE_TUNED, path, recipe=Delta(base_path), threads=2)
    assert size < 0.75 * qcodec.save_file(FINE_TUNED, tmp_path / f"alone.{suffix}")
    assert_same(qcodec.load_file(path, base=base_path), FINE_TUNED)
    with qcodec.safe_open(path, base=base_path) as file:
        kinds = {name: file.info(name).kind for name in file.keys()}  # noqa: SIM118
        assert kinds["conv.weight"] == kinds["conv.bias"] == "delta"
        assert "delta" not in (kinds["head.weight"], kinds["head.bias"], kinds["steps"])
        assert bits(file.get_slice("conv.weight")[5:7]) == bits(TUNED[5:7])
        assert file.metadata() == {"qcodec.base": base_path.name}


def test_a_file_is_stored_against_tensors(tmp_path):
    path = tmp_path / "tuned.qc.safetensors"
    qcodec.save_file(FINE_TUNED, path, recipe=Delta(MODEL))
    assert_same(qcodec.load_file(path, base=MODEL), FINE_TUNED)
    assert_same(qcodec.load(path.read_bytes(), base=MODEL), FINE_TUNED)


def test_tensors_that_are_one_have_the_base_of_the_first(tmp_path):
    path = tmp_path / "tied.qcodec"
    base = {"a": BASE, "b": BASE + 1}
    qcodec.save_file({"a": TUNED, "b": TUNED}, path, recipe=Delta(base))
    assert_same(qcodec.load_file(path, base=base), {"a": TUNED, "b": TUNED})
    with qcodec.safe_open(path, base=base) as file:
        assert bits(file.get_tensor("b")) == bits(TUNED)


def test_an_error_names_the_tensor_and_only_it_needs_the_base(tmp_path):
    path = tmp_path / "tuned.qcodec"
    qcodec.save_file(FINE_TUNED, path, recipe=Delta(MODEL))
    with qcodec.safe_open(path) as file:
        assert bits(file.get_tensor("steps")) == bits(FINE_TUNED["steps"])
        with pytest.raises(BaseError, match=r"tensor 'conv\.weight': .* no base was given"):
            file.get_tensor("conv.weight")


def test_only_the_requested_tensors_of_the_base_are_read(tmp_path):
    base, path = tmp_path / "base.safetensors", tmp_path / "tuned.qcodec"
    qcodec.save_file(MODEL, base, recipe=Recipe(weights=None, others=None))
    qcodec.save_file(FINE_TUNED, path, recipe=Delta(base))
    opened = FileArrays(qcodec.safe_open(base))
    with qcodec.safe_open(path, base=opened) as file:
        before = opened.file.source.bytes_read
        file.info("conv.weight")
        file.get_tensor("steps")
        assert opened.file.source.bytes_read == before
        file.get_tensor("conv.bias")
        assert opened.file.source.bytes_read - before == MODEL["conv.bias"].nbytes


def test_rules_may_name_a_base(base_path, tmp_path):
    path = tmp_path / "tuned.qcodec"
    delta = {"id": "delta", "base": str(base_path)}
    recipe = Recipe([Rule("weight", from_config(delta))])
    qcodec.save_file(FINE_TUNED, path, recipe=recipe)
    with qcodec.safe_open(path) as file:
        kinds = {name: file.info(name).kind for name in file.keys()}  # noqa: SIM118
    assert (kinds["conv.weight"], kinds["conv.bias"]) == ("delta", "planes")


def test_a_base_that_cannot_be_read_leaves_the_old_file(tmp_path):
    path = tmp_path / "tuned.qcodec"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match=r"none\.safetensors"):
        qcodec.save_file(FINE_TUNED, path, recipe=Delta(tmp_path / "none.safetensors"))
    assert path.read_bytes() == b"old"


# ---- command line


def test_encode_verify_and_decode_take_a_base(base_path, tmp_path, capsys):
    tuned, path = tmp_path / "tuned.safetensors", tmp_path / "small.qc.safetensors"
    again = tmp_path / "again.safetensors"
    qcodec.save_file(FINE_TUNED, tuned, recipe=Recipe(weights=None, others=None))
    base = ["--base", str(base_path)]
    assert main(["encode", str(tuned), str(path), *base]) == 0
    assert main(["verify", str(path), *base]) == 0
    assert main(["decode", str(path), str(again), *base]) == 0
    assert_same(qcodec.load_file(again), FINE_TUNED)
    with qcodec.safe_open(again) as file:
        assert file.metadata() is None
    capsys.readouterr()
    assert main(["verify", str(path)]) == 1
    assert "no base was given (base)" in capsys.readouterr().out
    assert main(["decode", str(path), str(again), "--base", str(tuned)]) == 1
    assert "another one" in capsys.readouterr().err
    assert main(["inspect", "--json", str(path)]) == 0
    tensors = {each["name"]: each for each in json.loads(capsys.readouterr().out)["tensors"]}
    assert len(tensors["conv.weight"]["base"]) == 16
    assert tensors["head.bias"]["base"] == ""


def test_other_recipes_keep_their_codecs_with_a_base(base_path):
    recipe = Recipe([Rule("a", None)], weights=qcodec.Codebook(bits=4)).with_base(base_path)
    assert recipe.weights == qcodec.Codebook(bits=4)
    assert isinstance(recipe.others, Delta)
    assert [rule.codec for rule in recipe.rules] == [None]
