"""Attached bytes: what belongs to a file and is no tensor, in every kind of file."""

import json
from collections.abc import Mapping

import numpy as np
import pytest
import safetensors.numpy

import qcodec
import reference
from qcodec._file.pack import PackItem, write_pack
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.cli import main
from qcodec.errors import ChecksumError, CorruptError, LimitError, MissingTensorError
from qcodec.files import load, load_file, safe_open, save, save_file
from qcodec.limits import Limits
from tests.files.nets import all_same, model

SUFFIXES = (".qcodec", ".qc.safetensors")
WORDS = b'{"the": 0, "of": 1}' * 40
#: Values of every type that is allowed, and the bytes that come back.
VALUES = {
    "bytes": (WORDS, WORDS),
    "bytearray": (bytearray(WORDS), WORDS),
    "memoryview": (memoryview(WORDS)[5:500], WORDS[5:500]),
    "array": (np.frombuffer(WORDS, np.uint8), WORDS),
    "array with strides": (np.frombuffer(WORDS, np.uint8)[::-3], WORDS[::-3]),
    "no bytes": (b"", b""),
    "one byte": (b"\0", b"\0"),
    "the same again": (WORDS, WORDS),
    # Names that no tensor of a safetensors file may have.
    "qcodec.pack": (b"no pack", b"no pack"),
    "net.qcodec": (b"no frame", b"no frame"),
    "größe": (b"\xff\xfe", b"\xff\xfe"),
}
ATTACHED = {name: value for name, (value, _) in VALUES.items()}


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    path = tmp_path / f"net{request.param}"
    save_file(model(), path, attached=ATTACHED)
    return path


def attached_of(path):
    with safe_open(path) as file:
        return {name: file.get_attached(name) for name in file.attached()}


def pack_in(path):
    if path.suffix == ".qcodec":
        return path.read_bytes()
    return safetensors.numpy.load_file(path)["qcodec.pack"].tobytes()


@pytest.fixture
def command(capsys):
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        return (code, *capsys.readouterr())

    return run


# ---- writing and reading ----


def test_every_value_comes_back(path):
    assert attached_of(path) == {name: data for name, (_, data) in VALUES.items()}


def test_files_in_memory_have_them_too():
    with TensorFile(BytesSource(save(model(), attached=ATTACHED))) as file:
        assert file.get_attached("bytes") == WORDS
        assert file.attached() == sorted(ATTACHED)


def test_tensors_are_loaded_without_them(path):
    assert all_same(load_file(path), model())
    assert all_same(load(path.read_bytes()), model())
    with safe_open(path) as file:
        assert set(file.keys()) == set(file) == set(model())
        assert "bytes" not in file
        with pytest.raises(MissingTensorError):
            file.get_tensor("bytes")
        with pytest.raises(MissingTensorError):
            file.get_attached("fc.bias")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_may_have_nothing_else(suffix, tmp_path):
    save_file({}, tmp_path / f"net{suffix}", attached={"only": WORDS})
    assert attached_of(tmp_path / f"net{suffix}") == {"only": WORDS}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("attached", [None, {}])
def test_files_without_them_have_the_bytes_that_they_had(suffix, attached, tmp_path):
    save_file(model(), tmp_path / f"a{suffix}")
    save_file(model(), tmp_path / f"b{suffix}", attached=attached, element_checksums=False)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("profile", ["fast", "balanced", "small", "fixed"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_they_are_lossless_tensors_of_bytes_under_the_profile(suffix, profile, tmp_path):
    path = tmp_path / f"net{suffix}"
    save_file({}, path, profile=profile, effort=3, attached={"words": WORDS})
    alone = qcodec.encode(np.frombuffer(WORDS, np.uint8), profile=profile, effort=3)
    assert pack_in(path).endswith(alone)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_large_ones_are_chunked(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    large = np.random.default_rng(0).integers(0, 200, (1 << 22) + 5, dtype=np.uint8)
    save_file({"w": np.ones(3)}, path, profile="fast", attached={"large": large}, threads=2)
    with safe_open(path, backend="pread") as file:
        assert file.encoded("large").chunks > 1
        assert file.get_attached("large") == large.tobytes()


def test_the_reference_decoder_reads_them(path):
    entries = reference.read_pack(pack_in(path))
    for name, (_, data) in VALUES.items():
        assert reference.decode_entry(entries, name) == reference.Tensor("u8", (len(data),), data)


def test_opening_reads_none_of_them(tmp_path):
    noise = np.random.default_rng(0).bytes(100_000)
    save_file({"w": np.ones(3)}, tmp_path / "net.qcodec", attached={"noise": noise})
    with safe_open(tmp_path / "net.qcodec", backend="pread") as file:
        file.get_tensor("w")
        assert file.source.bytes_read < 10_000


# ---- what is refused, before anything is written ----


class Unread(Mapping):
    """Tensors of which none may be read."""

    def __getitem__(self, name):
        raise AssertionError(f"{name} was read")

    def __iter__(self):
        return iter(["fc.weight", "ü"])

    def __len__(self):
        return 2


#: What cannot be attached, the kind of the error, and what it says.
REFUSED = {
    "the name of a tensor": ({"fc.weight": b""}, ValueError, "^'fc.weight' is the name of a"),
    "the same name": ({"ü": b""}, ValueError, "^'ü' is the name of a tensor"),
    "a name that is a number": ({1: b""}, TypeError, "attached: a name is 1: allowed names"),
    "a name that is no text": ({"\ud800": b""}, ValueError, "allowed names are Unicode"),
    "a long name": ({"n" * 1025: b""}, ValueError, "1,025 bytes of UTF-8; allowed are 1,024"),
    "a list": ([b""], TypeError, "^attached: found list, allowed is a mapping of names to bytes"),
    "bytes": (b"x", TypeError, "^attached: found bytes, allowed is a mapping"),
}  # fmt: skip
#: Values that are not bytes, and what the error says.
NO_BYTES = {
    "text": ("{}", "^attached 'x': a bytes-like object is needed, not str"),
    "a list": ([1, 2], "^attached 'x': a bytes-like object is needed, not list"),
    "none": (None, "not NoneType"),
    "floats": (np.ones(3, "f4"), r"^attached 'x': found float32\[3\], allowed are uint8"),
    "signed": (np.ones(3, "i1"), r"found int8\[3\]"),
    "two dimensions": (np.ones((2, 2), "u1"), r"found uint8\[2, 2\]"),
    "a view with gaps": (memoryview(b"abcd")[::2], "bytes-like object is needed"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_wrong_names_are_refused_before_a_tensor_is_read(suffix, case, tmp_path):
    attached, kind, message = REFUSED[case]
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(kind, match=message):
        save_file(Unread(), path, attached=attached)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("case", NO_BYTES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_values_that_are_no_bytes_are_refused_before_a_tensor_is_encoded(suffix, case, tmp_path):
    value, message = NO_BYTES[case]
    path = tmp_path / f"net{suffix}"
    with pytest.raises(TypeError, match=message):
        save_file(Unread(), path, attached={"x": value})
    assert not path.exists()


# ---- broken and hostile files ----


def test_limits_apply_when_they_are_read(path):
    limits = Limits(max_tensor_bytes=len(WORDS) - 1)
    with safe_open(path, limits=limits) as file:
        assert file.get_attached("no bytes") == b""
        with pytest.raises(LimitError, match=r"^attached 'bytes': .*max_tensor_bytes"):
            file.get_attached("bytes")
    with pytest.raises(LimitError, match="max_tensors"):
        safe_open(path, limits=Limits(max_tensors=len(VALUES)))


def test_saving_warns_of_what_the_default_limits_refuse(tmp_path, monkeypatch):
    monkeypatch.setattr("qcodec.files.DEFAULT_LIMITS", Limits(max_tensor_bytes=100))
    with pytest.warns(qcodec.LimitWarning, match="max_tensor_bytes"):
        save_file({}, tmp_path / "net.qcodec", attached={"words": WORDS})
    save_file({}, tmp_path / "net.qcodec", attached={"words": WORDS[:100]})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damage_is_found_and_named(suffix, tmp_path, command):
    path = tmp_path / f"net{suffix}"
    save_file(model(), path, attached={"a": WORDS, "noise": np.random.default_rng(0).bytes(99)})
    data = bytearray(path.read_bytes())
    at = data.index(np.random.default_rng(0).bytes(99))
    data[at + 50] ^= 1
    path.write_bytes(data)
    with safe_open(path) as file:
        assert list(file.faults()) == ["noise"]
        file.verify("a")
        for read in (file.verify, file.get_attached):
            with pytest.raises(ChecksumError, match=r"^attached 'noise': .*checksum"):
                read("noise")
        assert all_same(file.get_tensors(), model())
    code, out, _ = command("verify", path)
    assert code == 1
    assert out.startswith(f"{path}: attached 'noise': ")
    assert out.endswith("(checksum)\n" + f"{path}: 5 tensors and 2 attached, 1 broken\n")


@pytest.mark.parametrize("array", [np.ones(9, "f4"), np.ones((3, 3), "u1"), np.uint8(1)])
def test_what_is_no_string_of_bytes_is_corrupt(array):
    pack = b"".join(write_pack([PackItem("x", "attached", qcodec.encode(array))]))
    with TensorFile(BytesSource(pack)) as file:
        assert isinstance(file.faults()["x"], CorruptError)
        with pytest.raises(CorruptError, match=r"^attached 'x': what is attached is not a frame"):
            file.get_attached("x")


def test_a_name_may_be_that_of_an_ordinary_tensor_in_files_of_others():
    frame = qcodec.encode(np.frombuffer(WORDS, np.uint8))
    pack = b"".join(write_pack([PackItem("x", "attached", frame[:-1] + bytes([frame[-1] ^ 1]))]))
    data = safetensors.numpy.save({"x": np.ones(3), "qcodec.pack": np.frombuffer(pack, np.uint8)})
    with TensorFile(BytesSource(data)) as file:
        assert file.get_tensor("x").tolist() == [1, 1, 1]
        file.verify("x")  # the tensor
        assert list(file.faults()) == ["x"]  # what is attached


# ---- the command line ----


@pytest.mark.parametrize("target", [".qcodec", ".qc.safetensors", ".safetensors"])
def test_encode_keeps_them(path, target, tmp_path, command):
    copy = tmp_path / f"copy{target}"
    code, out, err = command("encode", path, copy)
    assert (code, err) == (0, "")
    assert out.startswith(f"{copy}: 5 tensors and 11 attached, ")
    assert attached_of(copy) == attached_of(path)
    assert all_same(load_file(copy), model())
    assert command("encode", copy, copy)[0] == 0
    assert attached_of(copy) == attached_of(path)


@pytest.mark.parametrize("target", [".safetensors", ".npz"])
def test_decode_says_what_it_leaves_out(path, target, tmp_path, command):
    plain = tmp_path / f"plain{target}"
    code, _, err = command("decode", path, plain)
    assert code == 0
    assert err == (
        f"qcodec: {plain}: warning: {target} cannot hold attached bytes: left out 'array', "
        "'array with strides', 'bytearray' and 8 more\n"
    )
    report = json.loads(command("decode", path, plain, "--json")[1])
    assert report["left_out"] == {"attached": sorted(ATTACHED), "metadata": []}


@pytest.mark.parametrize("target", [".safetensors", ".npz"])
def test_decode_says_nothing_if_nothing_is_left_out(target, tmp_path, command):
    save_file(model(), tmp_path / "net.qcodec")
    assert command("decode", tmp_path / "net.qcodec", tmp_path / f"plain{target}")[2] == ""


def test_npz_leaves_metadata_out_and_says_so(tmp_path, command):
    save_file(model(), tmp_path / "net.qcodec", {"author": "Ada", "qcodec.base": "a hint"})
    plain = tmp_path / "plain.npz"
    _, _, err = command("decode", tmp_path / "net.qcodec", plain)
    assert err == f"qcodec: {plain}: warning: .npz cannot hold metadata: left out 'author'\n"


def test_decode_over_its_input_loses_them_only_if_forced(tmp_path, command):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, attached=ATTACHED)
    before = path.read_bytes()
    code, _, err = command("decode", path, path)
    assert code == 2
    assert "of which bits would be lost" in err
    assert path.read_bytes() == before
    assert command("decode", path, path, "--force")[0] == 0
    assert attached_of(path) == {}


def test_inspect_shows_them_exact_to_the_byte(path, command):
    report = json.loads(command("inspect", path, "--json")[1])
    found = {one["name"]: one for one in report["attached"]}
    assert {name: one["dense_bytes"] for name, one in found.items()} == {
        name: len(data) for name, (_, data) in VALUES.items()
    }
    parts = [one["bytes"] for one in [*report["tensors"], *report["attached"]]]
    parts += [report["safetensors_header_bytes"], report["pack_table_bytes"]]
    assert sum(parts) == report["bytes"] == path.stat().st_size
    lines = {line.split("  ")[0]: line for line in command("inspect", path)[1].splitlines()}
    assert "attached" in lines["net.qcodec"]


def test_verify_counts_them(path, command):
    assert command("verify", path) == (0, f"{path}: 5 tensors and 11 attached, all valid\n", "")
    assert json.loads(command("verify", path, "--json")[1])["attached"] == len(VALUES)
