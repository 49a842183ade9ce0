"""Tensors that no file can hold are refused, and the error names the tensor."""

import numpy as np
import pytest

import qcodec
from qcodec.files import load, save, save_file
from tests.files.nets import same


def test_an_error_while_saving_names_the_tensor():
    tensors = {"fine": np.ones((40, 40), "f4"), "broken": np.full((40, 40), np.nan, "f4")}
    with pytest.raises(ValueError, match=r"^tensor 'broken': 1,600 of 1,600 values are NaN"):
        save(tensors, recipe="codebook4")


WEIGHT = np.random.default_rng(0).standard_normal((50, 50)).astype("f4")
BAD = WEIGHT.copy()
BAD[3, 4] = np.nan
ERRORS = [
    (BAD, "codebook4", ValueError, r"1 of 2,500 values is NaN or infinite, first at \(3, 4\)"),
    (BAD, qcodec.Affine(4), ValueError, "NaN"),
    (
        np.full((40, 40), 1e308),
        qcodec.Affine(4),
        ValueError,
        "beyond the range of float32, such as 1e",
    ),
    (np.array([None]), None, TypeError, "cannot be stored; allowed are float32"),
    (np.array(["text"]), None, TypeError, "cannot be stored; allowed are float32"),
    (np.zeros((1,) * 9), None, ValueError, "9 dimensions, allowed at most 8"),
    ({"b": WEIGHT}, None, TypeError, "a dict was given"),
    (WEIGHT.astype("i4"), {".": qcodec.Codebook(2)}, TypeError, "int32 cannot be quantized"),
    (WEIGHT[0], {".": qcodec.Codebook(2, per=1)}, ValueError, "not an axis"),
]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("value", "recipe", "kind", "message"), ERRORS)
def test_every_error_while_saving_names_its_tensor(value, recipe, kind, message, threads, tmp_path):
    tensors = {"ok": np.ones((40, 40)), "layer7.bad": value}
    for suffix in ("qc", "safetensors"):
        path = tmp_path / f"net.{suffix}"
        with pytest.raises(kind, match=rf"^tensor 'layer7\.bad': .*{message}"):
            save_file(tensors, path, recipe=recipe, threads=threads)
        assert not path.exists()


NAMES = [(1, TypeError), (None, TypeError), (b"x", TypeError), (("a", "b"), TypeError)]
NAMES += [("a\ud800", ValueError), ("a" * 1025, ValueError), ("ä" * 513, ValueError)]


@pytest.mark.parametrize("size", [2, 300_000])
@pytest.mark.parametrize("recipe", [None, {".": "keep"}], ids=["encoded", "left alone"])
@pytest.mark.parametrize(("name", "kind"), NAMES, ids=lambda value: ascii(value)[:10])
def test_names_that_no_file_holds_are_refused_whatever_the_size(name, kind, recipe, size, tmp_path):
    values = np.random.default_rng(0).standard_normal(size)
    with pytest.raises(kind, match=r"a tensor is called .* allowed") as caught:
        save({"fine": values, name: values}, recipe=recipe)
    assert repr(name)[:8] in str(caught.value)
    assert len(str(caught.value)) < 200
    path = tmp_path / "net.qcodec"
    with pytest.raises(kind, match="a tensor is called"):
        save_file({name: values}, path, recipe=recipe)
    assert not path.exists()


@pytest.mark.parametrize("size", [2, 300_000])
def test_the_longest_names_come_back(size):
    for name in ("a" * 1024, "ä" * 512, ""):
        values = np.random.default_rng(0).standard_normal(size)
        assert same(load(save({name: values}))[name], values)


@pytest.mark.parametrize("tensors", [[WEIGHT], (("a", WEIGHT),), WEIGHT, "net.safetensors", None])
def test_objects_that_are_not_mappings_are_refused(tensors):
    with pytest.raises(TypeError, match=r"a .* was given; allowed is a mapping of names to arrays"):
        save(tensors)


@pytest.mark.parametrize("name", ["qcodec.pack", "layer.qcodec", "__metadata__"])
def test_reserved_names_are_refused(name):
    with pytest.raises(ValueError, match="the format reserves that name"):
        save({name: np.ones(3)})
