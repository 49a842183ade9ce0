"""Packs: the table of many small frames under their names."""

import numpy as np

from libc.stdint cimport uint8_t
from qcodec._core.c cimport (
    QC_FORMAT_VERSION,
    QC_OK,
    qc_cpu_select,
    qc_error,
    qc_pack_count,
    qc_pack_entry,
    qc_pack_find,
    qc_pack_read,
    qc_pack_table_bytes,
    qc_pack_write_table,
    qc_status,
)

from qcodec._core.cpu import allowed
from qcodec._core.status import error_of

#: The instruction sets that this module uses; see cpu.py.
CPU_FEATURES = qc_cpu_select(allowed())

FORMAT_VERSION = QC_FORMAT_VERSION
#: `qc_pack_entry`, field by field.
ENTRY = np.dtype(
    [
        (field, np.uintp)
        for field in ("name_offset", "name_bytes", "offset", "bytes", "target", "by_name")
    ]
)


cdef const uint8_t *address(const uint8_t[::1] view):
    return &view[0] if view.shape[0] > 0 else <const uint8_t *> b""


cdef raise_error(qc_status status, qc_error *error):
    raise error_of(status, error.what, error.offset, error.found, error.allowed)


def count(const uint8_t[::1] data, size_t pack_bytes):
    """The number of entries of a pack whose first bytes are `data`."""
    cdef const uint8_t *start = address(data)
    cdef size_t size = data.shape[0], entries = 0
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_count(start, size, pack_bytes, &entries, &error)
    if status != QC_OK:
        raise_error(status, &error)
    return entries


def read(const uint8_t[::1] data, size_t pack_bytes, size_t entries):
    """The table of that many entries, an array of `ENTRY`, and its length in bytes."""
    table = np.zeros(entries, ENTRY)
    cdef uint8_t[::1] view = table.view("u1")
    cdef qc_pack_entry *first = <qc_pack_entry *> address(view)
    cdef const uint8_t *start = address(data)
    cdef size_t size = data.shape[0], table_bytes = 0
    cdef qc_error error
    cdef qc_status status
    with nogil:
        status = qc_pack_read(start, size, pack_bytes, first, entries, &table_bytes, &error)
    if status != QC_OK:
        raise_error(status, &error)
    return table, table_bytes


cdef object own_table(const uint8_t[::1] table, size_t names_bytes):
    """A copy, as bytes, of a table whose names lie inside so many bytes."""
    own = np.array(table).view(ENTRY)
    sizes, offsets = own["name_bytes"], own["name_offset"]
    if (sizes > names_bytes).any() or (offsets > names_bytes - sizes).any():
        raise ValueError(f"a name is not inside the {names_bytes:,} bytes of names")
    return own


def find(const uint8_t[::1] data, const uint8_t[::1] table, const uint8_t[::1] name):
    """The number of the entry of this name, or the number of entries if there is none."""
    own = own_table(table, data.shape[0])
    if (own["by_name"] >= len(own)).any():
        raise ValueError(f"a place in the order of {len(own):,} names has none of them")
    cdef const uint8_t[::1] view = own.view("u1")
    cdef const uint8_t *start = address(data)
    cdef const uint8_t *text = address(name)
    cdef const qc_pack_entry *first = <const qc_pack_entry *> address(view)
    cdef size_t entries = len(own), size = name.shape[0], number
    with nogil:
        number = qc_pack_find(start, first, entries, <const char *> text, size)
    return number


def write_table(const uint8_t[::1] names, const uint8_t[::1] table):
    """The bytes of a table whose entries say where in `names` their names are."""
    own = own_table(table, names.shape[0])
    cdef uint8_t[::1] own_view = own.view("u1")
    cdef const uint8_t *text = address(names)
    cdef qc_pack_entry *first = <qc_pack_entry *> address(own_view)
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
        raise_error(status, &error)
    return out
