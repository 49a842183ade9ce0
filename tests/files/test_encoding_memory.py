"""Encoding a large tensor takes little more memory than the tensor and the result."""

import subprocess
import sys

import pytest

from tests.files.encoding_peak import CASES
from tests.repository import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read as on Linux")
@pytest.mark.parametrize("name", CASES)
def test_the_peak_of_encoding_is_bounded_by_the_tensor(name):
    command = [sys.executable, "-m", "tests.files.encoding_peak", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) <= CASES[name][2]
