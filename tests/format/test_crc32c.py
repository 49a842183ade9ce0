"""CRC32C on every path, and the instruction sets that the core may use."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from qcodec._core import core, cpu
from reference.conventions import crc32c


@pytest.fixture
def every_path():
    """Run the portable code too; the choice is put back."""
    before = core.selected_cpu()
    yield (0, core.detect_cpu())
    core.select_cpu(before)


def test_crc32c_is_the_same_on_every_path(every_path):
    random = np.random.default_rng(4)
    for size, start in itertools.product([*range(40), 4099], range(3)):
        data = random.bytes(size + start)[start:]
        for features in every_path:
            core.select_cpu(features)
            assert core.crc32c(data) == crc32c(data)
            assert core.crc32c(data[7:], core.crc32c(data[:7])) == crc32c(data)


def test_crc32c_agrees_with_another_implementation():
    google_crc32c = pytest.importorskip("google_crc32c")
    data = np.random.default_rng(5).bytes(100_000)
    assert core.crc32c(data) == google_crc32c.value(data)


@pytest.mark.parametrize(
    ("disabled", "gone"),
    [
        ("AVX512", {"AVX512"}),
        ("AVX2", {"AVX2", "AVX512"}),
        ("SSE42", {"SSE42", "AVX2", "AVX512"}),
        ("NEON", {"NEON"}),
        ("ARM_CRC, AVX2", {"ARM_CRC", "AVX2", "AVX512"}),
    ],
)
def test_the_environment_turns_cpu_features_off_with_those_that_need_them(disabled, gone):
    script = (
        "from qcodec._core import core, cpu; import sys\n"
        "used, found = map(cpu.feature_names, (core.selected_cpu(), core.detect_cpu()))\n"
        "assert used == tuple(name for name in found if name not in sys.argv[1:])"
    )
    environment = {**os.environ, cpu.VARIABLE: disabled}
    subprocess.run([sys.executable, "-c", script, *gone], env=environment, check=True)


def test_an_unknown_cpu_feature_is_reported(monkeypatch):
    monkeypatch.setenv(cpu.VARIABLE, "AVX2, MMX")
    with pytest.warns(RuntimeWarning, match="'MMX'"):
        assert cpu.allowed() == sum(cpu.FEATURES.values()) - cpu.FEATURES["AVX2"]


def test_feature_names_go_both_ways():
    assert cpu.feature_names(sum(cpu.FEATURES.values())) == tuple(cpu.FEATURES)
    assert cpu.feature_names(0) == ()
