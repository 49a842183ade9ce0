"""Packs: the table of the frames and their names."""

import numpy as np

from libc.stdint cimport uint8_t
from .c cimport (
    QC_FORMAT_VERSION,
    QC_OK,
    qc_error,
    qc_pack_count,
    qc_pack_entry,
    qc_pack_find,
    qc_pack_read,
    qc_pack_table_bytes,
    qc_pack_write_table,
    qc_status,
)


FORMAT_VERSION = QC_FORMAT_VERSION
#: `qc_pack_entry`, field by field.
PACK_ENTRY = np.dtype(
    [
        (field, np.uintp)
        for field in ("name_offset", "name_bytes", "offset", "bytes", "target", "by_name")
    ]
)


cdef const uint8_t *never_null(const uint8_t[::1] view):
    return &view[0] if view.shape[0] > 0 else <const uint8_t *> b""


def pack_count(const uint8_t[::1] data, size_t pack_bytes):
    """Return the number of entries of a pack whose first bytes are `data`."""
    cdef const uint8_t *start = never_null(data)
    cdef size_t size = data.shape[0], entries = 0
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_count(start, size, pack_bytes, &entries, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return entries


def pack_read(const uint8_t[::1] data, size_t pack_bytes, size_t entries):
    """Read a table of `entries` entries: an array of `PACK_ENTRY`, and its length in bytes."""
    table = np.zeros(entries, PACK_ENTRY)
    cdef uint8_t[::1] view = table.view("u1")
    cdef qc_pack_entry *first = <qc_pack_entry *> never_null(view)
    cdef const uint8_t *start = never_null(data)
    cdef size_t size = data.shape[0], table_bytes = 0
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_read(start, size, pack_bytes, first, entries, &table_bytes, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return table, table_bytes


cdef object own_table(const uint8_t[::1] table, size_t names_bytes):
    """Return a copy of a table, after checking that its names are inside the bytes of names."""
    own = np.array(table).view(PACK_ENTRY)
    sizes, offsets = own["name_bytes"], own["name_offset"]
    if (sizes > names_bytes).any() or (offsets > names_bytes - sizes).any():
        raise ValueError(f"a name is not inside the {names_bytes:,} bytes of names")
    return own


def pack_find(const uint8_t[::1] data, const uint8_t[::1] table, const uint8_t[::1] name):
    """Return the index of the entry of this name, or the number of entries if there is none."""
    own = own_table(table, data.shape[0])
    if (own["by_name"] >= len(own)).any():
        raise ValueError(f"the order of {len(own):,} names has an index out of range")
    cdef const uint8_t[::1] view = own.view("u1")
    cdef const uint8_t *start = never_null(data)
    cdef const uint8_t *text = never_null(name)
    cdef const qc_pack_entry *first = <const qc_pack_entry *> never_null(view)
    cdef size_t entries = len(own), size = name.shape[0], number
    with nogil:
        number = qc_pack_find(start, first, entries, <const char *> text, size)
    return number


def pack_write_table(const uint8_t[::1] names, const uint8_t[::1] table):
    """Return the bytes of a table; its entries say where in `names` their names are."""
    own = own_table(table, names.shape[0])
    cdef uint8_t[::1] own_view = own.view("u1")
    cdef const uint8_t *text = never_null(names)
    cdef qc_pack_entry *first = <qc_pack_entry *> never_null(own_view)
    cdef size_t entries = len(own)
    cdef size_t size = qc_pack_table_bytes(first, entries)
    out = np.empty(size, "u1")
    cdef uint8_t[::1] view = out
    cdef uint8_t *start = &view[0]
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_write_table(<const char *> text, first, entries, start, size, &error)
    if status != QC_OK:
        raise failure(status, &error)
    return out
