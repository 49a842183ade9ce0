"""The programs in examples/ do what they say, without Python."""

import subprocess

import numpy as np
import pytest

import qcodec
from tests.c.c_programs import COMPILER, host_core
from tests.c.c_programs import run as build
from tests.repository import ROOT

pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def matvec(tmp_path_factory):
    """The program, with the C core that the tests in tests/c link too."""
    program = tmp_path_factory.mktemp("examples") / "matvec"
    command, objects = host_core(tmp_path_factory)
    build(*command, ROOT / "examples/matvec.c", *objects, "-o", program)
    return program


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    random = np.random.default_rng(0)
    weights = random.normal(size=(40, 70)).astype(np.float32)
    weights[np.abs(weights) < 1] = 0
    path = tmp_path_factory.mktemp("pack") / "net.qcodec"
    tensors = {"fc1.weight": weights, "fc1.bias": weights[0], "scalar": np.float32(1)}
    qcodec.save_file(tensors, path, recipe=qcodec.DeepCompression(bits=4))
    return path


def run(program, *arguments, vector=()):
    text = " ".join(repr(float(x)) for x in vector)
    return subprocess.run(
        [program, *arguments], input=text, capture_output=True, text=True, check=False
    )


def test_matvec_multiplies_as_numpy_does(matvec, pack):
    weights = qcodec.load_file(pack)["fc1.weight"]
    vector = np.linspace(-1, 1, 70, dtype=np.float32)
    result = run(matvec, pack, "fc1.weight", vector=vector)
    assert result.returncode == 0, result.stderr
    expected = weights.astype(np.float64) @ vector.astype(np.float64)
    np.testing.assert_allclose(np.fromstring(result.stdout, sep="\n"), expected, rtol=1e-7)


def test_matvec_multiplies_with_a_tensor_that_shares_its_frame(matvec, tmp_path):
    path, random = tmp_path / "net.qcodec", np.random.default_rng(1)
    tensors = {f"{name}.weight": random.normal(size=(5, 4)).astype(np.float32) for name in "abc"}
    qcodec.save_file(tensors, path)
    with qcodec.safe_open(path) as file:
        assert file.directory.tensors["c.weight"].part.first > 0
    for name in ("c.weight", "a.weight"):
        result = run(matvec, path, name, vector=range(4))
        expected = tensors[name].astype(np.float64) @ np.arange(4)
        np.testing.assert_allclose(np.fromstring(result.stdout, sep="\n"), expected, rtol=1e-7)


def test_matvec_names_a_tensor_that_is_not_there(matvec, pack):
    result = run(matvec, pack, "fc9.weight")
    assert result.returncode == 1
    assert "fc9.weight: no tensor" in result.stderr


def test_matvec_refuses_a_vector_that_is_too_short(matvec, pack):
    result = run(matvec, pack, "fc1.weight", vector=range(69))
    assert result.returncode == 1
    assert "fewer numbers" in result.stderr


def test_matvec_refuses_a_damaged_pack(matvec, pack, tmp_path):
    damaged = bytearray(pack.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.qcodec").write_bytes(damaged)
    result = run(matvec, tmp_path / "damaged.qcodec", "fc1.weight", vector=range(70))
    assert result.returncode == 1
    assert result.stdout == ""


@pytest.mark.parametrize(("name", "lines"), [("matvec.c", 50), ("pack.h", 130)])
def test_programs_are_short(name, lines):
    assert len((ROOT / "examples" / name).read_text().splitlines()) < lines
