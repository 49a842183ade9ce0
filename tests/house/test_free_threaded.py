"""setup.py on a free-threaded interpreter, which has no limited API: .ci/without_limited_api builds
and tests the package so; this looks at what would be built."""

import json
import subprocess
import sys

import pytest

from tests.repository import ROOT

CONFIGURATION = """
import json, sys, sysconfig
sysconfig.get_config_vars()["Py_GIL_DISABLED"] = int(sys.argv[1])
import Cython.Build
Cython.Build.cythonize = lambda extensions, **_: extensions  # which takes some seconds
import setuptools
from distutils.core import run_setup
project = run_setup("setup.py", stop_after="config")
print(json.dumps({
    "limited": [extension.py_limited_api for extension in project.ext_modules],
    "macros": sorted({name for each in project.ext_modules for name, _ in each.define_macros}),
    "tag": project.get_option_dict("bdist_wheel").get("py_limited_api", [None, None])[1],
}))
"""


@pytest.fixture
def configuration(request):
    pytest.importorskip("Cython")
    command = [sys.executable, "-c", CONFIGURATION, str(int(request.param))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("configuration", [True], indirect=True, ids=["free-threaded"])
def test_a_free_threaded_interpreter_gets_a_wheel_of_its_own(configuration):
    assert not any(configuration["limited"])
    assert not [name for name in configuration["macros"] if "LIMITED_API" in name]
    assert configuration["tag"] is None


@pytest.mark.parametrize("configuration", [False], indirect=True, ids=["with the GIL"])
def test_other_interpreters_share_a_wheel(configuration):
    assert all(configuration["limited"])
    assert {"Py_LIMITED_API", "CYTHON_LIMITED_API"} <= set(configuration["macros"])
    assert configuration["tag"] == "cp311"
