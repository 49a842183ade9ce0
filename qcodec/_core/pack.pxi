"""Packs: what stands under which name."""

import numpy as np

from libc.stdint cimport uint8_t, uint64_t
from .c cimport (
    QC_FORMAT_VERSION,
    QC_OK,
    QC_PACK_MAX_HEAD_BYTES,
    qc_error,
    qc_pack_content_bytes,
    qc_pack_count,
    qc_pack_entry,
    qc_pack_find,
    qc_pack_head,
    qc_pack_read,
    qc_pack_write_content,
    qc_pack_write_head,
    qc_status,
)


FORMAT_VERSION = QC_FORMAT_VERSION
PACK_HEAD_BYTES = QC_PACK_MAX_HEAD_BYTES
#: `qc_pack_entry`, field by field.
PACK_ENTRY = np.dtype(
    [
        (field, np.uintp)
        for field in (
            "name_offset", "name_bytes", "role", "offset", "bytes", "dims_offset", "ndim", "first",
            "elements", "dtype", "target_offset", "target_bytes", "target", "by_name",
        )
    ]
)


cdef const uint8_t *never_null(const uint8_t[::1] view):
    return &view[0] if view.shape[0] > 0 else <const uint8_t *> b""


def pack_head(const uint8_t[::1] data):
    """Return (offset, bytes) of the table's frame of a pack whose first bytes are `data`."""
    cdef const uint8_t *start = never_null(data)
    cdef size_t offset = 0, size = 0
    cdef qc_error error
    cdef qc_status status = qc_pack_head(start, data.shape[0], &offset, &size, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return offset, size


def pack_count(const uint8_t[::1] content):
    """Return the number of entries of a table's content."""
    cdef size_t entries = 0
    cdef qc_error error
    cdef qc_status status = qc_pack_count(never_null(content), content.shape[0], &entries, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return entries


def pack_read(const uint8_t[::1] content, size_t frames_offset, size_t pack_bytes, size_t entries):
    """Read the content of a table of `entries` entries: an array of `PACK_ENTRY`."""
    table = np.zeros(entries, PACK_ENTRY)
    cdef uint8_t[::1] view = table.view("u1")
    cdef qc_pack_entry *first = <qc_pack_entry *> never_null(view)
    cdef const uint8_t *start = never_null(content)
    cdef size_t size = content.shape[0]
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_read(start, size, frames_offset, pack_bytes, first, entries, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return table


cdef object own_table(const uint8_t[::1] table, size_t names_bytes):
    """Return a copy of a table, after checking that its names are inside the bytes of names."""
    own = np.array(table).view(PACK_ENTRY)
    for name in ("name", "target"):
        sizes, offsets = own[f"{name}_bytes"], own[f"{name}_offset"]
        if (sizes > names_bytes).any() or (offsets > names_bytes - sizes).any():
            raise ValueError(f"a name is not inside the {names_bytes:,} bytes of names")
    return own


def pack_find(const uint8_t[::1] content, const uint8_t[::1] table, const uint8_t[::1] name):
    """Return the index of the entry of this name, or the number of entries if there is none."""
    own = own_table(table, content.shape[0])
    if (own["by_name"] >= len(own)).any():
        raise ValueError(f"the order of {len(own):,} names has an index out of range")
    cdef const uint8_t[::1] view = own.view("u1")
    cdef const uint8_t *start = never_null(content)
    cdef const uint8_t *text = never_null(name)
    cdef const qc_pack_entry *first = <const qc_pack_entry *> never_null(view)
    cdef size_t entries = len(own), size = name.shape[0], number
    with nogil:
        number = qc_pack_find(start, first, entries, <const char *> text, size)
    return number


def pack_write_content(
    const uint8_t[::1] names, const uint64_t[::1] dims, const uint8_t[::1] table
):
    """Return a table's content; its entries say where in `names` and `dims` theirs are."""
    own = own_table(table, names.shape[0])
    counts, offsets = own["ndim"], own["dims_offset"]
    if (counts > dims.shape[0]).any() or (offsets > dims.shape[0] - counts).any():
        raise ValueError(f"a part's dims are not inside the {dims.shape[0]:,} dims")
    cdef uint8_t[::1] own_view = own.view("u1")
    cdef const uint8_t *text = never_null(names)
    cdef const uint64_t *numbers = &dims[0] if dims.shape[0] > 0 else NULL
    cdef qc_pack_entry *first = <qc_pack_entry *> never_null(own_view)
    cdef size_t entries = len(own)
    cdef size_t size = qc_pack_content_bytes(first, entries, numbers)
    out = np.empty(size, "u1")
    cdef uint8_t[::1] view = out
    cdef uint8_t *start = &view[0]
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_write_content(
            <const char *> text, numbers, first, entries, start, size, &error
        )
    if status != QC_OK:
        raise failure(status, &error)
    return out


def pack_write_head(size_t table_bytes):
    """Return what comes before the frame of a table."""
    cdef uint8_t out[12]
    cdef size_t size = qc_pack_write_head(table_bytes, out)
    return bytes(out[:size])
