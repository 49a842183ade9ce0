"""Sources of bytes: closed and truncated ones, and objects without bytes, give clear errors."""

import io
import mmap
import os
import sys
import threading
from array import array

import numpy as np
import pytest

import qcodec
from qcodec import streams
from qcodec._file.file_arrays import FileArrays
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource, PartsSource, PreadSource, open_source
from qcodec.errors import TruncatedError
from qcodec.files import load, safe_open, save, save_file
from qcodec.interop import dcnet

BACKENDS = ("mmap", "pread")
WEIGHT = np.random.default_rng(0).normal(size=(300, 400)).astype("f4")
FRAME = qcodec.encode(np.arange(1000, dtype="f4"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    save_file(
        {"w": WEIGHT, "kept": WEIGHT, "empty": np.zeros((0, 5), "f4")}, path, recipe={"kept": None}
    )
    return path


# ---- several buffers ----


def test_several_buffers_are_read_as_one():
    whole = bytes(range(20))
    for parts in ([whole], [b"", whole[:3], b"", b"", whole[3:4], whole[4:], b""], []):
        source, joined = PartsSource(parts), b"".join(parts)
        assert source.size == len(joined)
        for start in range(source.size + 1):
            for stop in range(start, source.size + 1):
                assert source.read(start, stop - start) == joined[start:stop]
        with pytest.raises(TruncatedError):
            source.read(0, source.size + 1)


# ---- closed files ----

USES = {
    "keys": lambda file: file.keys(),
    "offset_keys": lambda file: file.offset_keys(),
    "metadata": lambda file: file.metadata(),
    "len": len,
    "iter": list,
    "in": lambda file: "w" in file,
    "get_tensor": lambda file: file.get_tensor("w"),
    "a name that is not there": lambda file: file.get_tensor("none"),
    "get_tensors": lambda file: file.get_tensors(),
    "get_slice": lambda file: file.get_slice("w"),
    "encoded": lambda file: file.encoded("w"),
    "info": lambda file: file.info("w"),
    "verify": lambda file: file.verify("w"),
    "faults": lambda file: file.faults(),
    "element_type": lambda file: file.element_type("w"),
    "an array of it": lambda file: FileArrays(file)["w"],
    "names of its arrays": lambda file: "w" in FileArrays(file),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_closed_file_says_so_and_is_named(path, backend, use):
    with safe_open(path, backend=backend) as file:
        use_before = use if use is not USES["a name that is not there"] else len
        use_before(file)
    file.close()  # once more
    with pytest.raises(ValueError, match="is closed") as caught:
        use(file)
    assert type(caught.value) is ValueError  # the bytes are not to blame
    assert repr(str(path)) in str(caught.value)


@pytest.mark.parametrize("name", ["w", "kept", "empty"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_tensors_and_slices_of_a_closed_file_say_that_it_is_closed(path, backend, name):
    with safe_open(path, backend=backend) as file:
        part = file.get_slice(name)
        encoded = file.encoded("w")
    uses = [lambda: part[:2], lambda: encoded[0], encoded.decode, encoded.verify]
    for use in (*uses, encoded.quantized, encoded.info):
        with pytest.raises(ValueError, match=f"'{path}' is closed"):
            use()


def test_a_closed_file_in_memory_says_so():
    with TensorFile(BytesSource(save({"w": WEIGHT}))) as file:
        part = file.get_slice("w")
    with pytest.raises(ValueError, match="file in memory is closed"):
        part[0]


def test_a_delta_whose_base_is_closed_says_so(tmp_path):
    base, tuned = tmp_path / "base.safetensors", tmp_path / "tuned.safetensors"
    save_file({"w": WEIGHT}, base)
    save_file({"w": WEIGHT * np.float32(1.0001)}, tuned, recipe=qcodec.Delta(base))
    arrays = FileArrays(safe_open(base))
    with safe_open(tuned, base=arrays) as file:
        arrays.file.close()
        with pytest.raises(ValueError, match=f"'{base}' is closed"):
            file.get_tensor("w")


def test_closing_waits_for_reads_in_other_threads(path, monkeypatch):
    """Else a read could go to another file, opened meanwhile under the same number."""
    source, started, go_on = PreadSource(path), threading.Event(), threading.Event()
    read_into = PreadSource._read_into

    def slow_read(self, view, offset):
        started.set()
        assert go_on.wait(60)
        return read_into(self, view, offset)

    monkeypatch.setattr(PreadSource, "_read_into", slow_read)
    found = []
    thread = threading.Thread(target=lambda: found.append(source.read(0, 8)))
    thread.start()
    assert started.wait(60)
    source.close()
    os.fstat(source._file.fileno())  # still open
    go_on.set()
    thread.join()
    assert bytes(found[0]) == path.read_bytes()[:8]
    assert source._file.closed


# ---- files that become shorter ----


@pytest.mark.parametrize("name", ["w", "kept"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut there")
def test_a_file_that_becomes_shorter_while_it_is_open_is_truncated(path, backend, name):
    with safe_open(path, backend=backend) as file:
        stored = file.directory.tensors[name]
        now = stored.offset + 10
        os.truncate(path, now)
        with pytest.raises(TruncatedError, match="became shorter since it was opened") as caught:
            file.get_tensor(name)
    found, needed = caught.value.found, caught.value.allowed
    assert (found, now < needed <= stored.offset + stored.size) == (now, True)
    assert f"{now:,} bytes are there now, {needed:,} are needed" in str(caught.value)


# ---- what is no file ----


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of POSIX")
@pytest.mark.parametrize("backend", BACKENDS)
def test_pipes_devices_and_folders_are_refused_at_once(tmp_path, backend):
    os.mkfifo(tmp_path / "pipe.qcodec")
    for path in (tmp_path / "pipe.qcodec", "/dev/null", tmp_path):
        with pytest.raises(OSError, match=r"Not a regular file|Is a directory") as caught:
            open_source(path, backend)
        assert caught.value.filename == str(path)


# ---- buffers ----


@pytest.fixture
def as_map(tmp_path):
    """The bytes as a mapped file."""
    maps = []

    def make(data):
        (tmp_path / "data").write_bytes(data)
        with (tmp_path / "data").open("rb") as file:
            maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return maps[-1]

    return make


TAKERS = {
    "decode": (qcodec.decode, FRAME),
    "info": (lambda data: qcodec.info(data).shape, FRAME),
    "Encoded": (lambda data: qcodec.Encoded(data)[3:5], FRAME),
    "load": (lambda data: load(data)["w"], save({"w": WEIGHT})),
    "streams.decode": (lambda data: streams.decode(data, 4, 3), bytes([0, 1, 5])),
    "dcnet.read": (lambda data: dcnet.read(data, []), b""),
}


@pytest.mark.parametrize(("take", "data"), TAKERS.values(), ids=TAKERS)
def test_every_bytes_like_object_is_taken(as_map, take, data):
    wanted = take(data)
    makers = [bytearray, memoryview, lambda data: array("B", data)]
    makers += [as_map, lambda data: np.frombuffer(data, "u1")] if data else []
    for make in makers:
        np.testing.assert_equal(take(make(data)), wanted)


@pytest.mark.parametrize(("take", "data"), TAKERS.values(), ids=TAKERS)
def test_objects_without_bytes_are_refused_with_what_is_allowed(take, data):
    strided = np.zeros(8, "u1")[::2]
    for wrong in (io.BytesIO(data), 3, None, strided, np.zeros(3, "M8[s]")):
        with pytest.raises(TypeError, match=r"not \w+.*: allowed are bytes, .*mmap\.mmap"):
            take(wrong)


def test_an_open_file_is_refused_with_advice_to_pass_its_bytes(path):
    with path.open("rb") as file, pytest.raises(TypeError, match=r"pass what its read\(\) returns"):
        qcodec.decode(file)


def test_a_source_of_another_class_is_taken():
    class Own:
        size = np.int64(len(FRAME))

        def read(self, offset, size):
            return memoryview(FRAME)[offset : offset + size]

    np.testing.assert_array_equal(qcodec.decode(Own()), np.arange(1000, dtype="f4"))
