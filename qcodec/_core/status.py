"""Converts a status of the C core to an exception."""

from __future__ import annotations

from importlib import import_module

_INVALID = 6
_NO_SPACE = 7
_KINDS = {
    1: "TruncatedError",
    2: "CorruptError",
    3: "ChecksumError",
    4: "UnsupportedError",
    5: "LimitError",
}


def error_of(status: int, what: bytes, offset: int, found: int, allowed: int) -> Exception:
    """Return the exception for a `qc_status` other than QC_OK, and its `qc_error`."""
    text = what.decode("ascii")
    if status == _INVALID:
        return ValueError(f"{text} (found {found:,}, allowed {allowed:,})")
    if status == _NO_SPACE:
        return RuntimeError(f"{text}: this is a bug in qcodec, please report it")
    message = f"{text} at byte {offset:,} (found {found:,}, allowed {allowed:,})"
    # Cython loads the compiled module once per process, so the module keeps this function if qcodec
    # is imported again. The class is looked up here, because callers catch that of the last import.
    kind = getattr(import_module("qcodec.errors"), _KINDS[status])
    error: Exception = kind(message, offset, found, allowed)
    return error
