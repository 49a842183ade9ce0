"""A file of any format may be larger than the memory: one tensor and its output are there."""

import filecmp
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit is that of Linux")
#: The tensors, of 16 MiB each, and all that may be used to read, encode and write them.
COUNT, LIMIT = 12, 128 << 20
SCRIPT = (
    "import re, resource, sys\n"
    "from pathlib import Path\n"
    "import numpy\n"
    "from qcodec.cli import main\n"
    "used = int(re.search(r'VmSize:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    "limit = (used << 10) + int(sys.argv[1])\n"
    "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
    "sys.exit(main(sys.argv[2:]))\n"
)


def tensors():
    """Tensors that differ, with patterns, so that what is encoded is smaller than the limit."""
    some = np.random.default_rng(0).normal(size=(64, 1 << 10)).astype(np.float32)
    weights = np.tile(some, (64, 1))
    return {f"layers.{n}.weight": weights + np.float32(n) for n in range(COUNT)}


def of_torch(path):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(array) for name, array in tensors().items()}, path)


def of_old_torch(path):
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(array) for name, array in tensors().items()}
    torch.save(state, path, _use_new_zipfile_serialization=False)


def of_npz(path):
    np.savez(path, **tensors())


def of_gguf(path):
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "llama")
    for name, array in tensors().items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def of_onnx(path, **options):
    onnx = pytest.importorskip("onnx")
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in tensors().items()]
    graph = onnx.helper.make_graph([], "net", [], [], initializers)
    onnx.save(onnx.helper.make_model(graph), path, **options)


def of_onnx_with_external_data(path):
    of_onnx(path, save_as_external_data=True, location="net.onnx.data")


FORMATS = {
    "PyTorch": ("net.pt", of_torch),
    "PyTorch before 1.6": ("net.pth", of_old_torch),
    "npz": ("net.npz", of_npz),
    "GGUF": ("net.gguf", of_gguf),
    "ONNX": ("net.onnx", of_onnx),
    "ONNX, external data": ("net.onnx", of_onnx_with_external_data),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_larger_than_the_memory_is_encoded_and_comes_back(tmp_path, name):
    file, write = FORMATS[name]
    folders = [tmp_path / "made", tmp_path / "again"]
    for folder in folders:
        folder.mkdir()
    write(folders[0] / file)
    assert sum(path.stat().st_size for path in folders[0].iterdir()) >= 1.5 * LIMIT
    for command in (
        ["encode", folders[0] / file, tmp_path / "net.qcodec"],
        ["verify", folders[0] / file],
        ["decode", tmp_path / "net.qcodec", folders[1] / file],
    ):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(LIMIT), *map(str, command)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    for path in folders[0].iterdir():
        assert filecmp.cmp(path, folders[1] / path.name, shallow=False)
