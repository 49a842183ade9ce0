"""Fixtures and hooks for all tests."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, settings

#: QCODEC_EXAMPLES=100000 makes every Hypothesis test that does not set its own number a long one.
settings.register_profile(
    "qcodec",
    deadline=None,
    max_examples=int(os.environ.get("QCODEC_EXAMPLES", "200")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("qcodec")


@pytest.fixture
def run_python():
    """Run code in a fresh interpreter that warns as loudly as the tests; returns its output."""

    def run(code, *arguments):
        command = [sys.executable, "-W", "error", "-c", code, *map(os.fspath, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
