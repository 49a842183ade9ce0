"""Files are written in one way."""

import ast
import re

from tests.repository import ROOT

#: What writes files by a path of its own: everything else asks `replace_file`.
WRITERS = {"write_text", "write_bytes", "tofile", "savez", "savez_compressed", "touch"}


def writes(call):
    """Whether a call opens or writes a file by its path."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    modes = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    return name in WRITERS or (
        name in ("open", "FileIO", "fdopen")
        and any(
            isinstance(mode, ast.Constant)
            and isinstance(mode.value, str)
            and re.fullmatch(r"[rwxabt+]{1,3}", mode.value)
            and set(mode.value) & set("wxa+")
            for mode in modes
        )
    )


def test_only_the_safe_writer_writes_files():
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("qcodec", "recipes")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and writes(node)
    }
    # npz.py opens members of an archive in memory.
    assert found == {"qcodec/_io/atomic.py", "qcodec/cli/npz.py", "qcodec/_io/writing.py"}
