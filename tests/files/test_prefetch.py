"""Tensors are decoded in the background, handed out once, and not kept."""

import gc
import os
import signal
import threading
import time
import weakref

import numpy as np
import pytest

import qcodec
from qcodec.errors import LimitError, MissingTensorError, QCodecError
from qcodec.files import safe_open, save_file
from tests.files.nets import BACKENDS, all_same, model, same

MANY = {
    **model(),
    **{f"small.{i}": np.arange(i, i + 40, dtype="f4") for i in range(30)},  # they share a frame
}


@pytest.fixture(params=["pack", "entries"])
def path(tmp_path, request):
    save_file(MANY, tmp_path / "net.qc.safetensors", layout=request.param)
    return tmp_path / "net.qc.safetensors"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("threads", [1, 8])
def test_all_tensors_are_handed_out_once(path, backend, threads):
    with safe_open(path, backend=backend) as file, file.prefetch(threads=threads) as loader:
        assert len(loader) == len(MANY)
        assert set(loader.names()) == set(MANY)
        taken = {"fc.bias": loader.take("fc.bias")}
        rest = dict(loader)
        assert len(rest) == len(MANY) - 1
        assert all_same(taken | rest, MANY)
        assert not list(loader)
        with pytest.raises(MissingTensorError, match=r"'fc\.bias' was handed out already"):
            loader.take("fc.bias")
        with pytest.raises(MissingTensorError, match="'fc' is not in this loader"):
            loader.take("fc")


def test_a_plan_chooses_tensors_and_rows(path):
    plan = {"conv.weight": None, "fc.weight": slice(10, 30), "small.7": slice(None, 5)}
    with safe_open(path) as file, file.prefetch(plan, threads=2) as loader:
        assert set(loader.names()) == set(plan)
        found = dict(loader)
    expected = {name: MANY[name][part or ...] for name, part in plan.items()}
    assert all_same(found, expected)


@pytest.mark.parametrize(
    ("plan", "kind", "error"),
    [
        ({"nothing": None}, MissingTensorError, "'nothing'"),
        ({"fc.weight": slice(0, 9, 2)}, ValueError, "'fc.weight': the slice has step 2"),
        ({"steps": slice(0, 1)}, ValueError, "'steps': a tensor without dimensions"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_once(path, plan, kind, error):
    with safe_open(path) as file, pytest.raises(kind, match=error):
        file.prefetch(plan)


def test_there_is_at_least_one_thread(path):
    with safe_open(path) as file, pytest.raises(ValueError, match="threads=0: at least 1"):
        file.prefetch(threads=0)


def test_limits_are_asked_before_anything_is_decoded(path):
    with safe_open(path, limits=qcodec.Limits(max_total_bytes=10_000)) as file:
        with pytest.raises(LimitError):
            file.prefetch()
        assert file.prefetch({"small.3": None}).take("small.3").size == 40


def test_torch_tensors_go_to_their_device(path):
    torch = pytest.importorskip("torch")
    with safe_open(path, "pt") as file, file.prefetch(device="meta") as loader:
        assert all(tensor.is_meta for _, tensor in loader)
    with safe_open(path, "pt", "meta") as file, file.prefetch(device="cpu") as loader:
        assert torch.equal(loader.take("fc.bias"), torch.from_numpy(MANY["fc.bias"]))


def test_a_broken_tensor_is_named_and_the_others_are_handed_out(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    large = np.random.default_rng(0).normal(size=1_000_000)
    save_file({**MANY, "fc.weight": large}, path)
    with safe_open(path) as file:
        stored = file.directory.tensors["fc.weight"]
    data = bytearray(path.read_bytes())
    data[stored.offset + stored.size // 2] ^= 1
    path.write_bytes(data)
    with safe_open(path) as file, file.prefetch() as loader:
        assert same(loader.take("fc.bias"), MANY["fc.bias"])
        with pytest.raises(QCodecError, match=r"tensor 'fc\.weight'"):
            loader.take("fc.weight")


def test_a_tensor_that_was_handed_out_is_not_kept(path):
    with safe_open(path) as file, file.prefetch() as loader:
        kept = weakref.ref(loader.take("fc.weight"))
        gc.collect()
        assert kept() is None


def test_names_of_one_tensor_share_it(tmp_path):
    tensor = model()["fc.weight"]
    save_file({"a": tensor, "b": tensor}, tmp_path / "net.qc.safetensors")
    with safe_open(tmp_path / "net.qc.safetensors") as file:
        with file.prefetch() as loader:
            assert loader.take("a") is loader.take("b")
        with file.prefetch({"a": None, "b": slice(3, 5)}) as loader:
            assert same(loader.take("b"), tensor[3:5])
            assert same(loader.take("a"), tensor)


def test_threads_take_each_tensor_once(path):
    with safe_open(path) as file, file.prefetch(threads=2) as loader:
        taken = []

        def take():
            for name in MANY:
                try:
                    taken.append((name, loader.take(name)))
                except MissingTensorError:
                    continue

        takers = [threading.Thread(target=take) for _ in range(4)]
        for taker in takers:
            taker.start()
        for taker in takers:
            taker.join()
    assert len(taken) == len(MANY)
    assert all_same(dict(taken), MANY)


def test_several_loaders_of_one_file_do_not_disturb_each_other(path):
    with safe_open(path) as file:
        loaders = [file.prefetch(threads=2) for _ in range(4)]
        assert all(all_same(dict(loader), MANY) for loader in loaders)
        for loader in loaders:
            loader.close()


def test_a_closed_loader_says_so(path):
    with safe_open(path) as file:
        loader = file.prefetch()
        loader.close()
        loader.close()
        with pytest.raises(ValueError, match="the loader is closed"):
            loader.take("fc.bias")
        with pytest.raises(ValueError, match="the loader is closed"):
            next(iter(loader))


def test_a_closed_file_is_an_error_of_its_tensors(path):
    with safe_open(path) as file:
        loader = file.prefetch(threads=1)
    with loader, pytest.raises(ValueError, match="closed"):
        dict(loader)


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A file of tensors that take half a second together."""
    path = tmp_path_factory.mktemp("slow") / "slow.qc.safetensors"
    tensor = np.random.default_rng(0).integers(0, 9, 1_000_000, "u1")
    tensors = {f"t{i}": tensor for i in range(12)}
    save_file(tensors, path, layout="entries", profile="small", effort=1)
    return path


def qcodec_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("qcodec")]


def test_closing_stops_the_threads(slow):
    with safe_open(slow) as file:
        loader = file.prefetch(threads=2)
        assert qcodec_threads()
        before = time.process_time()
        loader.close()
        assert time.process_time() - before < 0.5
        assert not qcodec_threads()


def test_a_loader_that_nobody_has_stops(slow):
    with safe_open(slow) as file:
        file.prefetch(threads=2)
        gc.collect()
        stop = time.monotonic() + 30
        while qcodec_threads() and time.monotonic() < stop:
            time.sleep(0.01)
        assert not qcodec_threads()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_ctrl_c_ends_the_wait_for_a_tensor(slow):
    class StopError(Exception):
        pass

    def stop(*_):
        raise StopError

    with safe_open(slow) as file, file.prefetch(threads=1) as loader:
        before = signal.signal(signal.SIGALRM, stop)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(StopError):
                loader.take(loader.names()[-1])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_refuses_the_parents_loader(path):
    with safe_open(path) as file, file.prefetch() as loader:
        child = os.fork()
        if child == 0:
            try:
                loader.take("fc.bias")
            except ValueError as error:
                os._exit(0 if "forked" in str(error) else 1)
            os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert same(loader.take("fc.bias"), MANY["fc.bias"])
