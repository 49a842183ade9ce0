"""A status of the C core as an exception."""

from __future__ import annotations

from .. import errors

_INVALID = 6
_NO_SPACE = 7
_KINDS: dict[int, type[errors.QCodecError]] = {
    1: errors.TruncatedError,
    2: errors.CorruptError,
    3: errors.ChecksumError,
    4: errors.UnsupportedError,
    5: errors.LimitError,
}


def error_of(status: int, what: bytes, offset: int, found: int, allowed: int) -> Exception:
    """The exception for a `qc_status` that is not QC_OK and its `qc_error`."""
    text = what.decode("ascii")
    if status == _INVALID:
        return ValueError(f"{text} (found {found:,}, allowed {allowed:,})")
    if status == _NO_SPACE:
        return RuntimeError(f"{text}: this is a defect of qcodec, please report it")
    kind = _KINDS[status]
    message = f"{text} at byte {offset:,} (found {found:,}, allowed {allowed:,})"
    return kind(message, offset, found, allowed)
