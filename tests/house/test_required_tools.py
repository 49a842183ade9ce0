"""QCODEC_REQUIRE_TOOLS=1: a skipped test is a failure, unless its reason is listed."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.repository import ROOT

CONFTEST = ROOT / "conftest.py"

IN_A_TEST = """
import pytest
def test_on_an_emulator():
    pytest.skip({reason!r})
"""
BY_A_MARK = """
import pytest
@pytest.mark.skipif(True, reason={reason!r})
def test_on_an_emulator():
    pass
"""
AS_A_MODULE = """
import pytest
pytest.skip({reason!r}, allow_module_level=True)
"""


def exit_status(folder, code, required):
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(code + "\ndef test_that_runs():\n    pass\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "QCODEC_REQUIRE_TOOLS": "1" if required else "0"}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    return done.returncode


@pytest.mark.parametrize(
    "code", [IN_A_TEST, BY_A_MARK, AS_A_MODULE], ids=["test", "mark", "module"]
)
def test_a_skip_is_a_failure_where_tools_are_required(code, tmp_path):
    skipped = code.format(reason="no qemu-s390x")
    assert exit_status(tmp_path, skipped, required=True) not in (0, 5)
    assert exit_status(tmp_path, skipped, required=False) in (0, 5)


def test_reasons_that_are_listed_are_allowed(tmp_path):
    skipped = IN_A_TEST.format(reason="no nets in ../shared/data")
    assert exit_status(tmp_path, skipped, required=True) == 0
