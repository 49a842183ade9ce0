"""tools/arrows.py counts includes and imports between folders."""

import runpy

import pytest

from tests.repository import ROOT

SCRIPT = runpy.run_path(str(ROOT / "tools/arrows.py"))

TREE = {
    "csrc/base/a.h": "",
    "csrc/base/b.c": '#include "base/a.h"\n#include <stdint.h>\n',
    "csrc/body/c.c": '#include "base/a.h"\n#  include "d.h"\n',
    "csrc/body/d.h": '#include "../base/a.h"\n',
    "qcodec/__init__.py": "from .codecs import thing\nfrom qcodec import missing\n",
    "qcodec/codecs/__init__.py": "import numpy\n",
    "qcodec/codecs/thing.py": "def f():\n    from ..limits import A\n    import qcodec.limits\n",
    "qcodec/limits.py": "",
}


def count(tree, moved=None):
    return dict(SCRIPT["count_arrows"](tree, moved or {}))


def test_includes_and_imports_from_other_folders_are_counted():
    assert count(TREE) == {
        ("csrc/body", "csrc/base"): 2,
        ("qcodec", "qcodec/codecs"): 1,
        ("qcodec/codecs", "qcodec"): 2,
    }


def test_moved_files_count_in_their_new_folder():
    moved = {"csrc/body/d.h": "csrc/base/d.h", "csrc/base/b.c": "csrc/kernels/b.c"}
    assert count(TREE, moved) == count(TREE) | {
        ("csrc/kernels", "csrc/base"): 1,
    }


@pytest.mark.parametrize(
    ("arrows", "found"),
    [
        ({("a", "b"), ("b", "c"), ("a", "c")}, set()),
        ({("a", "b"), ("b", "c"), ("c", "b")}, {"b", "c"}),
    ],
)
def test_a_cycle_is_named(arrows, found):
    assert set(SCRIPT["circle"](arrows)) == found
