"""Tables in the C core that a script writes."""

import runpy

from tests.repository import ROOT


def test_the_crc32c_constants_are_what_their_script_writes():
    script = runpy.run_path(str(ROOT / "tools/make_crc32c_table.py"))
    assert (ROOT / "csrc/kernels/crc32c_table.h").read_text() == script["header"]()
    assert (ROOT / "csrc/kernels/crc32c_powers.h").read_text() == script["powers_header"]()


def test_the_expand_table_is_what_its_script_writes():
    script = runpy.run_path(str(ROOT / "tools/make_expand_table.py"))
    assert (ROOT / "csrc/kernels/expand_table.h").read_text() == script["text"]()


def test_the_table_of_logarithms_is_what_its_script_writes():
    script = runpy.run_path(str(ROOT / "tools/make_log2_table.py"))
    assert (ROOT / "csrc/base/log2_table.h").read_text() == script["text"]()
