"""Files that are made to do harm: nothing is executed, and nothing outside is read."""

import io
import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

import qcodec
from qcodec._formats.reading import Stream
from qcodec._formats.symbolic_pickle import read_pickle
from qcodec._io.source import BytesSource
from qcodec.errors import CorruptError, LimitError, QCodecError, TruncatedError, UnsupportedError

SMALL = qcodec.Limits(max_tensors=100)


class Harmful:
    """What runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def archive(data, **members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("net/data.pkl", data)
        for name, content in members.items():
            file.writestr(f"net/{name}", content)
    return buffer.getvalue()


def unpickled(data, limits=SMALL):
    return read_pickle(Stream(BytesSource(data)), limits)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_a_command_runs_nothing(tmp_path, protocol):
    path = tmp_path / "harm"
    value = {"weight": np.ones(3, np.float32), "epoch": Harmful(path)}
    data = pickle.dumps(value, protocol)
    assert list(qcodec.load(archive(data))) == ["weight"]
    assert not path.exists()
    pickle.loads(data)
    assert path.exists()


def test_what_a_pickle_names_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "harmful_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    found = unpickled(b"charmful_module\nfunction\n)R.")
    assert found.function.path == "harmful_module.function"


@pytest.mark.parametrize(
    ("data", "error"),
    {
        "nothing": (b"", TruncatedError),
        "no end": (b"N", TruncatedError),
        "an empty stack": (b".", CorruptError),
        "only a mark": (b"(.", CorruptError),
        "no mark": (b"Nt.", CorruptError),
        "no such memo": (b"h\x05.", CorruptError),
        "a huge number of a memo": (b"Nr\xff\xff\xff\x7f.", None),
        "a huge length": (b"B\xff\xff\xff\xff.", TruncatedError),
        "a huge text": (b"\x8d" + b"\xff" * 7 + b"\x7f.", QCodecError),
        "a huge integer": (b"\x8b\xff\xff\xff\x7f.", QCodecError),
        "a negative length": (b"\x8b\xff\xff\xff\xff.", CorruptError),
        "no instruction": (b"\xff.", CorruptError),
        "an extension": (b"\x82\x01.", UnsupportedError),
        "a buffer outside": (b"\x97.", UnsupportedError),
        "a number that is none": (b"Iabc\n.", CorruptError),
        "too many digits": (b"I" + b"9" * 5000 + b"\n.", CorruptError),
        "no object to make": (b"(o.", CorruptError),
        "a global without a name": (b"NN\x93.", CorruptError),
    }.values(),
)
def test_a_broken_pickle_is_refused(data, error):
    if error is None:
        unpickled(data)
        return
    with pytest.raises(error):
        unpickled(data)


def test_a_long_pickle_is_limited():
    with pytest.raises(LimitError, match="max_tensors"):
        unpickled(b"N0" * 10_000 + b"N.")


def test_lists_that_contain_each_other_are_limited():
    value = [1]
    for _ in range(60):  # 2**60 values
        value = [value, value]
    with pytest.raises(LimitError, match="max_tensors"):
        qcodec.load(archive(pickle.dumps(value)), limits=SMALL)


def test_a_list_within_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(UnsupportedError, match="nested"):
        qcodec.load(archive(pickle.dumps(value)))


def test_names_are_limited():
    tree = {"x" * 5000: np.ones(2)}
    with pytest.raises(CorruptError, match="longer than 4,096"):
        qcodec.load(archive(pickle.dumps(tree)))


def torch_pickle(offset=0, shape=(2, 3), strides=(3, 1), key="0"):
    """A tensor of 24 bytes, as torch pickles it."""

    class Tensor:
        def __reduce__(self):
            return FUNCTION, (STORAGE(key), offset, shape, strides, False, ())

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return ("storage", STORAGE, value.key, "cpu", 6) if isinstance(value, STORAGE) else None

    buffer = io.BytesIO()
    Pickler(buffer, 2).dump({"w": Tensor()})
    data = buffer.getvalue().replace(b"tests.readers.test_hostile\nSTORAGE", b"torch\nFloatStorage")
    return data.replace(
        b"tests.readers.test_hostile\nFUNCTION", b"torch._utils\n_rebuild_tensor_v2"
    )


class STORAGE:
    def __init__(self, key):
        self.key = key


def FUNCTION(*arguments):
    raise AssertionError(arguments)


def load_torch(**changes):
    data = torch_pickle(**changes)
    return qcodec.load(archive(data, **{"data/0": np.arange(6, dtype="f4").tobytes()}))


def test_a_tensor_lies_within_its_storage():
    assert load_torch()["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert load_torch(strides=(1, 2))["w"].tolist() == [[0, 2, 4], [1, 3, 5]]
    for changes in (
        {"offset": 1}, {"offset": -1}, {"offset": 1 << 60}, {"shape": (3, 3)}, {"key": "1"},
        {"strides": (-1, 1)}, {"strides": (1 << 60, 1)}, {"strides": (4, 1)}, {"strides": (1,)},
        {"shape": (1 << 40, 1 << 40)}, {"shape": "ab"}, {"offset": 0.5}, {"key": "../0"},
    ):  # fmt: skip
        with pytest.raises(QCodecError):
            load_torch(**changes)


def test_an_expanded_tensor_is_limited():
    with pytest.raises(LimitError):
        load_torch(shape=(1 << 30, 6), strides=(0, 1))


# ---- files beside a file ----


def index(path, files):
    path.write_text(json.dumps({"weight_map": files}))
    return path


@pytest.mark.parametrize(
    "name", ["../secret.safetensors", "/etc/passwd", "a/../../b", "", ".", "a\\b", "C:x", "a\0b"]
)
def test_an_index_names_only_files_beside_it(tmp_path, name):
    path = index(tmp_path / "model.safetensors.index.json", {"w": name})
    with pytest.raises(CorruptError, match="not a file beside"):
        qcodec.load_file(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map":[]}', '{"weight_map":{"a":1}}'])
def test_a_broken_index_is_refused(tmp_path, text):
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(text)
    with pytest.raises(CorruptError, match="index"):
        qcodec.load_file(path)


def test_an_index_tells_the_truth(tmp_path):
    qcodec.save_file({"a": np.ones(3)}, tmp_path / "1.safetensors", recipe="lossless")
    path = index(
        tmp_path / "m.safetensors.index.json", {"a": "1.safetensors", "b": "1.safetensors"}
    )
    with pytest.raises(CorruptError, match="'b' is not in '1"):
        qcodec.load_file(path)
    index(path, {"a": "1.safetensors"})
    assert list(qcodec.load_file(path)) == ["a"]
    index(path, {"a": "2.safetensors"})
    with pytest.raises(FileNotFoundError):
        qcodec.load_file(path)


def test_external_data_are_beside_the_file(tmp_path):
    onnx = pytest.importorskip("onnx")
    from tests.readers.files import of_onnx_with_external_data

    path = tmp_path / "net.onnx"
    of_onnx_with_external_data(path)
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = "../net.onnx.data"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(CorruptError, match="not a file beside"):
        qcodec.load_file(path)


@pytest.mark.parametrize("value", ["-1", "1e3", "9" * 30, "٣"])
def test_external_data_have_places(tmp_path, value):
    onnx = pytest.importorskip("onnx")
    from tests.readers.files import of_onnx_with_external_data

    path = tmp_path / "net.onnx"
    of_onnx_with_external_data(path)
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "offset":
            entry.value = value
    path.write_bytes(model.SerializeToString())
    with pytest.raises(QCodecError):
        qcodec.load_file(path)


# ---- numbers in heads ----


@pytest.mark.parametrize("at", [8, 16])
@pytest.mark.parametrize("value", [1 << 20, 1 << 40, (1 << 64) - 1])
def test_gguf_counts_are_limited(at, value):
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, 0, 0))
    head[at : at + 8] = value.to_bytes(8, "little")
    with pytest.raises(QCodecError):
        qcodec.load(bytes(head))


def test_a_deflated_bomb_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        member = io.BytesIO()
        np.save(member, np.zeros(1 << 22, np.uint8))
        file.writestr("w.npy", member.getvalue())
    limits = qcodec.Limits(max_expansion=16, expansion_floor=1 << 16)
    with pytest.raises(LimitError):
        qcodec.load(buffer.getvalue(), limits=limits)


def test_a_changed_archive_fails_its_check(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, w=np.zeros(1 << 20, np.uint8))
    data = bytearray(path.read_bytes())
    data[1 << 19] ^= 1
    path.write_bytes(data)
    with qcodec.safe_open(path) as file, pytest.raises(qcodec.ChecksumError, match="member 'w"):
        file.directory.check()


@pytest.mark.parametrize("name", ["../harm", "/tmp/harm", "a/../../harm"])
def test_files_that_are_written_again_are_beside_the_output(name):
    from qcodec._formats.original import Original

    original = Original("ONNX", {"net.onnx": 2, name: 3}, [], memoryview(b"12345"))
    with pytest.raises(CorruptError, match="not a file beside"):
        Original.from_bytes(original.to_bytes(), qcodec.Limits())


def test_a_tensor_of_too_many_dimensions_is_refused():
    with pytest.raises(LimitError, match="dimensions"):
        load_torch(shape=(1,) * 70 + (2, 3), strides=(0,) * 70 + (1, 2))
