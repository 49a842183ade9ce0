"""Open files go to other processes: pickled by their path, and inherited by a fork."""

import copy
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest

import qcodec
from qcodec._base.forks import ForkLock
from qcodec._file.tensor_file import TensorFile
from qcodec._io.source import BytesSource
from qcodec.files import safe_open, save, save_file
from tests.files.nets import BACKENDS, all_same, model, same

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
#: Python warns of what these tests want to see working.
FORKS_WITH_THREADS = "ignore:.*fork.*:DeprecationWarning"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy])
def test_a_file_is_pickled_by_its_path(path, backend, again):
    with safe_open(path, backend=backend) as file:
        other = again(file)
    with other:  # open, though the first one is closed
        assert type(other.source) is type(file.source)
        assert all_same(other.get_tensors(), model())


def test_settings_are_pickled_too(path):
    torch = pytest.importorskip("torch")
    limits = qcodec.Limits(max_tensor_bytes=1200)
    with safe_open(path, "pt", "meta", limits=limits) as file:
        data = pickle.dumps(file)
    with pickle.loads(data) as other:
        assert other.get_tensor("fc.bias").is_meta
        assert isinstance(other.get_tensor("fc.bias"), torch.Tensor)
        with pytest.raises(qcodec.LimitError):
            other.get_tensor("fc.weight")


def test_the_base_of_deltas_is_pickled_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file(model(), "base.safetensors")
    tuned = {"fc.weight": model()["fc.weight"] * np.float32(1.001)}
    save_file(tuned, "tuned.safetensors", recipe=qcodec.Delta("base.safetensors"))
    with safe_open("tuned.safetensors", base="base.safetensors") as file:
        data = pickle.dumps(file)
    monkeypatch.chdir("/")  # as in a process that was started elsewhere
    with pickle.loads(data) as other:
        assert all_same(other.get_tensors(), tuned)


def test_a_slice_is_pickled_with_its_file(path):
    with safe_open(path) as file:
        data = pickle.dumps([file.get_slice("fc.weight"), file.get_slice("fc.bias")])
    weight, bias = pickle.loads(data)
    assert weight.get_shape() == [300, 400]
    assert same(weight[7], model()["fc.weight"][7])
    assert same(bias[...], model()["fc.bias"])


def test_folders_and_indexes_are_pickled_by_their_path(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    tensors = model()
    save_file({"fc.bias": tensors["fc.bias"]}, folder / "a.safetensors")
    save_file({"fc.weight": tensors["fc.weight"]}, folder / "b.safetensors")
    index = '{"weight_map": {"fc.bias": "a.safetensors", "fc.weight": "b.safetensors"}}'
    (folder / "model.safetensors.index.json").write_text(index)
    with safe_open(folder) as file:
        data = pickle.dumps(file)
    with pickle.loads(data) as other:
        assert same(other.get_tensor("fc.weight"), tensors["fc.weight"])
    save_file({"fc.weight": tensors["fc.weight"] + 1}, folder / "b.safetensors")
    with pytest.raises(ValueError, match="changed since"):
        pickle.loads(data)


@pytest.mark.parametrize("replace", [True, False], ids=["replaced", "changed"])
def test_a_file_that_changed_is_refused(path, replace):
    with safe_open(path) as file:
        data = pickle.dumps(file)
    before = path.stat()
    if replace:
        save_file({"fc.bias": model()["fc.bias"]}, path)
    else:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(ValueError, match=f"file '{path}' changed since it was opened"):
        pickle.loads(data)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        pickle.loads(data)


def test_bytes_in_memory_are_not_pickled():
    with TensorFile(BytesSource(save(model()))) as file:
        for what in (file, file.get_slice("fc.bias")):
            with pytest.raises(TypeError, match="bytes in memory cannot be pickled"):
                pickle.dumps(what)


def test_a_closed_file_is_not_pickled(path):
    with safe_open(path) as file:
        pass
    with pytest.raises(ValueError, match="closed"):
        pickle.dumps(file)


class Rows:
    """A data set of the rows of a tensor, in an open file."""

    def __init__(self, file, by_slice):
        self.file = file
        self.rows = file.get_slice("fc.weight") if by_slice else None

    def __len__(self):
        return 300

    def __getitem__(self, i):
        return (self.rows or self.file.get_slice("fc.weight"))[i]


@pytest.mark.parametrize(
    ("start", "backend"), [("fork", "mmap"), ("fork", "pread"), ("spawn", "pread")]
)
@pytest.mark.filterwarnings(FORKS_WITH_THREADS)
def test_workers_of_a_data_loader_read_an_open_file(path, start, backend):
    torch = pytest.importorskip("torch")
    import multiprocessing

    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {start} on this system")
    with safe_open(path, "pt", backend=backend) as file:
        loader = torch.utils.data.DataLoader(
            Rows(file, by_slice=start == "spawn"), 50, num_workers=2,
            multiprocessing_context=start, timeout=120,
        )  # fmt: skip
        rows = torch.cat(list(loader))
        assert torch.equal(rows, file.get_tensor("fc.weight"))


@needs_fork
@pytest.mark.filterwarnings(FORKS_WITH_THREADS)
def test_a_lock_that_another_thread_holds_is_open_in_a_child():
    lock, is_held, stop = ForkLock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            is_held.set()
            stop.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    child = os.fork()
    if child == 0:
        with lock:
            os._exit(0)
    try:
        assert ended(child) == 0
    finally:
        stop.set()
        thread.join()


READ_AND_FORK = """
import os, sys, threading, warnings
from qcodec.files import safe_open
from tests.files.nets import model, same
from tests.files.test_processes import ended

warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of a fork with threads
stop = threading.Event()
with safe_open(sys.argv[1], backend=sys.argv[2]) as file:
    part = file.get_slice("fc.weight")

    def read():
        while not stop.is_set():
            part[0:2], file.get_tensor("fc.bias")

    for _ in range(3):
        threading.Thread(target=read, daemon=True).start()
    sys.setswitchinterval(1e-5)
    ends = []
    for _ in range(15):
        child = os.fork()
        if child == 0:
            is_right = same(part[0:2], model()["fc.weight"][0:2])
            is_right = is_right and same(file.get_tensor("fc.bias"), model()["fc.bias"])
            os._exit(0 if is_right else 1)
        ends.append(ended(child))
    stop.set()
print(set(ends))
"""


@needs_fork
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_child_reads_a_file_that_threads_were_reading_at_the_fork(path, backend, run_python):
    assert run_python(READ_AND_FORK, path, backend) == "{0}\n"


def ended(child, seconds=30):
    """Wait for a child; one that hangs is ended."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"
