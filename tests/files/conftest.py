"""Fixtures for the tests of files."""

import pytest

from qcodec.files import save_file
from tests.files.nets import model


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.qc.safetensors"
    save_file(model(), path, metadata={"format": "pt"})
    return path
