"""Tensors of torch that are no plain arrays: one line says what to save; or they are left out."""

import warnings

import numpy as np
import pytest

import qcodec
from qcodec.cli import main

torch = pytest.importorskip("torch")


def by_channel():
    scales, zeros = torch.tensor([0.1, 0.2]), torch.zeros(2, dtype=torch.int64)
    return torch.quantize_per_channel(torch.ones(2, 3), scales, zeros, 0, torch.qint8)


#: Each kind, and what the error says to do.
KINDS = {
    "COO": (lambda: torch.eye(3).to_sparse(), "save tensor.to_dense() instead"),
    "CSR": (lambda: torch.eye(3).to_sparse_csr(), "save tensor.to_dense() instead"),
    "CSC": (lambda: torch.eye(3).to_sparse_csc(), "save tensor.to_dense() instead"),
    "BSR": (lambda: torch.eye(4).to_sparse_bsr((2, 2)), "save tensor.to_dense() instead"),
    "quantized": (
        lambda: torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8),
        "save tensor.dequantize() or int_repr() instead",
    ),
    "quantized by channel": (by_channel, "save tensor.dequantize() or int_repr() instead"),
    "meta": (lambda: torch.empty(3, device="meta"), "on the meta device"),
}


@pytest.fixture(params=KINDS)
def made(request, tmp_path):
    make, remedy = KINDS[request.param]
    path = tmp_path / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of layouts in beta
        torch.save({"model": {"w": torch.ones(4, 4), "odd": make()}}, path)
    return path, remedy


def test_the_error_names_the_tensor_and_the_remedy(made, tmp_path, capsys):
    path, remedy = made
    assert main(["encode", str(path), str(tmp_path / "net.qcodec")]) == 1
    err = capsys.readouterr().err
    assert "'model.odd'" in err
    assert remedy in err
    assert "--skip-unreadable" in err
    assert err.count("\n") == 1
    with qcodec.safe_open(path) as file, pytest.raises(qcodec.MissingTensorError, match="odd"):
        file.get_tensor("model.odd")


def test_what_is_left_out_comes_back_with_the_file(made, tmp_path):
    path, _ = made
    encoded, again = tmp_path / "net.qcodec", tmp_path / "again.pt"
    assert main(["encode", str(path), str(encoded), "--skip-unreadable"]) == 0
    loaded = qcodec.load_file(encoded)
    assert list(loaded) == ["model.w"]
    assert np.array_equal(loaded["model.w"], np.ones((4, 4)))
    assert main(["decode", str(encoded), str(again)]) == 0
    assert again.read_bytes() == path.read_bytes()
