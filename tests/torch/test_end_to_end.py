"""Two nets from dense training to a file, through several processes, without losing a bit."""

import os
import re
import subprocess
import sys

import pytest
import torch

import qcodec
from tests.repository import ROOT, SHARED_DATA
from tests.torch import end_to_end

pytestmark = pytest.mark.training
#: The stages of each process. Pruning and tuning stop after some steps; the next process reads what
#: the stage before left, and then the checkpoint.
PROCESSES = [["dense", "prune:20"], ["prune", "share", "tune:9"], ["tune"], ["export"], ["load"]]
WELL_LEARNED = {"made up": 0.9, "mnist": 0.5}  # ten classes of equal frequency
SMALL = 0.25  # fraction of the dense size; these nets have few weights


def run(net, data, folder, *stages):
    """Run stages in one fresh process, with warnings as errors."""
    folder.mkdir(exist_ok=True)
    program = [sys.executable, "-W", "error", "-m", "tests.torch.end_to_end"]
    command = [*program, net, data, folder, *stages]
    # As in pytest (pyproject.toml): the compiled module is in the source folder too.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def read(path):
    return torch.load(path, weights_only=True)


def check_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert type(tensor) is type(other[name])
        same = (
            torch.equal(tensor, other[name]) if torch.is_tensor(tensor) else tensor == other[name]
        )
        assert same, name


def check_answers(folder, data):
    """The net from the file gives the same logits as the trained net, and good ones."""
    exported, loaded = read(folder / "exported.pt"), read(folder / "loaded.pt")
    check_same(loaded, exported)
    assert exported["accuracy"] >= WELL_LEARNED[data]


def check_file(path, net, size):
    """Pruned weights are zero, shared weights have few values, tied weights are the same."""
    model = net.make(size)
    dense = model.state_dict()
    with qcodec.safe_open(path, "pt") as file:
        tensors = file.get_tensors()
    assert tensors.keys() == dense.keys()
    pruned, shared = names_of(model, net.pruned), names_of(model, net.shared)
    for name, tensor in tensors.items():
        assert (tensor.shape, tensor.dtype) == (dense[name].shape, dense[name].dtype)
        if name in pruned:
            kept = round(net.density * tensor.numel())
            assert int((tensor != 0).sum()) == pytest.approx(kept, abs=1), name
        if name in shared:
            assert len(tensor.unique()) <= 1 << end_to_end.BITS, name
    for name in dense:
        for tied in names_of(model, f"^{re.escape(name)}$"):
            assert torch.equal(tensors[name], tensors[tied]), (name, tied)
    whole = sum(tensor.nbytes for tensor in dense.values())
    assert path.stat().st_size < SMALL * whole


def names_of(model, pattern):
    """The tensors that an expression matches, under all their names."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    found = {id(tensor) for name, tensor in parameters.items() if re.search(pattern, name)}
    return {name for name, tensor in parameters.items() if id(tensor) in found}


@pytest.mark.parametrize("net", end_to_end.NETS)
def test_a_net_that_was_stopped_twice_ends_as_one_that_never_left_its_process(net, tmp_path):
    stopped, straight = tmp_path / "stopped", tmp_path / "straight"
    for stages in PROCESSES:
        run(net, "made up", stopped, *stages)
    run(net, "made up", straight, *end_to_end.STAGES)
    for stage in end_to_end.STAGES:
        check_same(read(stopped / f"{stage}.pt"), read(straight / f"{stage}.pt"))
    assert (stopped / "net.qcodec").read_bytes() == (straight / "net.qcodec").read_bytes()
    check_answers(stopped, "made up")
    check_file(stopped / "net.qcodec", end_to_end.NETS[net], 16)


@pytest.mark.parametrize("net", end_to_end.NETS)
def test_the_same_with_digits(net, tmp_path):
    if not (SHARED_DATA / "mnist").exists():
        pytest.skip("no MNIST in ../shared/data")
    run(net, "mnist", tmp_path, *end_to_end.STAGES)
    run(net, "mnist", tmp_path, "load")
    check_answers(tmp_path, "mnist")
    check_file(tmp_path / "net.qcodec", end_to_end.NETS[net], 28)
