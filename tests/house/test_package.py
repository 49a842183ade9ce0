"""`import qcodec`: its names, its submodules, and a clear error if the import fails."""

import ast
import importlib
import os
import pickle
import re
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

import qcodec

PACKAGE = Path(qcodec.__file__).parent
#: Each row of the table of submodules in the package's documentation.
DOCUMENTED = re.findall(r"^\| `qcodec\.(\w+)` \|", qcodec.__doc__, re.MULTILINE)


def test_dir_shows_public_names_and_documented_submodules_and_nothing_else():
    shown = {name for name in dir(qcodec) if not name.startswith("__")}
    assert DOCUMENTED
    assert shown == {*qcodec.__all__, *DOCUMENTED}
    assert all(hasattr(qcodec, name) for name in shown - {"torch", "transformers"})


def test_everything_public_says_what_it_is():
    for name in qcodec.__all__:
        value = getattr(qcodec, name)
        assert not isinstance(value, types.ModuleType)
        assert value.__doc__, name


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_submodule_is_there_after_import_qcodec(run_python, name):
    if name in ("torch", "transformers"):
        pytest.importorskip(name)
    run_python(f"import qcodec; assert qcodec.{name}.__name__ == 'qcodec.{name}'")


def test_a_submodule_that_cannot_be_imported_is_a_missing_attribute(run_python):
    code = """
import sys
sys.modules["torch"] = None  # as where torch is not installed
import qcodec
assert not hasattr(qcodec, "torch")
try:
    qcodec.torch
except AttributeError as error:
    print(error)
"""
    assert run_python(code).startswith("qcodec.torch cannot be imported: ")


def test_an_unknown_attribute_is_named():
    with pytest.raises(AttributeError, match="'qcodec' has no attribute 'tornado'"):
        qcodec.tornado  # noqa: B018


def test_import_alone_loads_the_compiled_module_and_nothing_else(run_python):
    code = """
import sys, numpy
before = set(sys.modules)
import qcodec
print(sorted(name for name in set(sys.modules) - before if name.startswith("qcodec")))
"""
    loaded = run_python(code)
    assert "'qcodec._core.core'" in loaded
    others = set(re.findall(r"'qcodec\.(\w+)", loaded)) - {"_core"}
    assert not others


def test_type_checkers_see_every_name_where_it_is_found_when_the_program_runs():
    tree = ast.parse(Path(qcodec.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {name.name: node.module for node in block.body for name in node.names}
    assert sorted(seen) == sorted(qcodec.__all__)
    for name, home in seen.items():
        module = importlib.import_module(f"qcodec.{home}")
        assert getattr(qcodec, name) is getattr(module, name)


@pytest.mark.parametrize(
    "name", ["codecs", "errors", "files", "limits", "quantized", "state_dict", "tensor"]
)
def test_a_submodule_whose_names_are_in_the_package_is_there_too(run_python, name):
    run_python(f"import qcodec; assert qcodec.{name}.__name__ == 'qcodec.{name}'")


def test_a_star_import_gives_every_public_name(run_python):
    code = "from qcodec import *; import qcodec; assert set(qcodec.__all__) <= globals().keys()"
    run_python(code)


def test_import_defers_what_only_some_callers_need(run_python):
    names = [
        "rate_distortion",
        "interop",
        "sparse",
        "streams",
        "torch",
        "dead_neurons",
        "neuron_order",
        "cli",
        "demo",
    ]
    code = f"""
import sys, numpy, safetensors, qcodec
names = ["importlib.metadata", "torch", *("qcodec." + name for name in {names})]
print([name for name in names if name in sys.modules])
"""
    assert run_python(code) == "[]\n"


# ---- a compiled module that is not there ----


def import_error_of(path, cwd):
    """The last line of what `import qcodec` says with `path` before everything installed."""
    code = f"import sys; sys.path.insert(0, {str(path)!r}); import qcodec"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr.rstrip("\n").splitlines()[-1]


@pytest.fixture
def unbuilt(tmp_path):
    """A clone in which nothing was built."""
    return shutil.copytree(
        PACKAGE,
        tmp_path / "clone" / "qcodec",
        ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "data"),
    )


def test_a_clone_without_a_build_says_so_and_what_to_do(unbuilt, tmp_path):
    line = import_error_of(unbuilt.parent, tmp_path)
    assert line.startswith(f"ImportError: qcodec's compiled module is not in {unbuilt}")
    assert "python setup.py build_ext --inplace" in line
    assert "another folder" in line


def test_a_wheel_on_the_path_says_that_it_must_be_installed(unbuilt, tmp_path):
    wheel = tmp_path / "qcodec.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in unbuilt.rglob("*.py"):
            archive.write(path, path.relative_to(unbuilt.parent))
    assert f"pip install {wheel}" in import_error_of(wheel, tmp_path)


def test_a_build_without_a_compiler_says_what_is_needed(tmp_path):
    for name in ("Cython", "setuptools"):
        pytest.importorskip(name)
    if not (PACKAGE.parent / "setup.py").exists():
        pytest.skip("the package is not in a clone")
    folders = ["--build-temp", tmp_path, "--build-lib", tmp_path]
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", *folders],
        cwd=PACKAGE.parent,
        env=os.environ | {"CC": "no-such-compiler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    line = done.stderr.rstrip("\n").splitlines()[-1]
    assert re.search("no-such-compiler.*a C compiler .* is needed.* CC", line)


def test_another_module_that_is_missing_is_not_blamed_on_the_build(tmp_path):
    code = "import sys; sys.modules['numpy'] = None; import qcodec"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=PACKAGE.parent,
    )
    assert "numpy" in done.stderr.splitlines()[-1]
    assert "compiled" not in done.stderr.splitlines()[-1]


# ---- a second import, and other processes ----


def test_errors_are_those_of_the_last_import(run_python):
    code = """
import sys, qcodec
for name in [name for name in sys.modules if name.partition(".")[0] == "qcodec"]:
    del sys.modules[name]
import qcodec
whole = qcodec.encode([1.0, 2.0])
for data, kind in ((b"junk", "CorruptError"), (whole[:-1], "TruncatedError")):
    try:
        qcodec.decode(data)
    except getattr(qcodec, kind):
        print(kind)
"""
    assert run_python(code) == "CorruptError\nTruncatedError\n"


def test_an_encoded_tensor_refuses_to_be_pickled_and_says_what_to_pass_on():
    encoded = qcodec.Encoded(qcodec.encode(np.ones((3, 4), np.float32)))
    with pytest.raises(TypeError, match=r"Encoded.*encoded bytes"):
        pickle.dumps(encoded)
