/*
 * Packs, written: the content of the table, and the head (docs/format.md, section 8).
 */
#include "base/bytes.h"
#include "pack/pack_names.h"
#include "pack/utf8.h"

#define MAGIC_BYTES 4 /* "QP", version, flags */

static int is_part(const qc_pack_entry *entry)
{
    return entry->role == QC_PACK_FIRST || entry->role == QC_PACK_NEXT;
}

static int has_frame(const qc_pack_entry *entry)
{
    return entry->role == QC_PACK_FRAME || entry->role == QC_PACK_FIRST ||
           entry->role == QC_PACK_ATTACHED;
}

static int has_target(const qc_pack_entry *entry)
{
    return entry->role == QC_PACK_SAME || entry->role == QC_PACK_ROUNDED;
}

/* ---- the length ---- */

static size_t name_size(size_t bytes) { return qc_vu_size(bytes) + bytes; }

static size_t entry_size(const qc_pack_entry *entry, const uint64_t *dims)
{
    size_t size = name_size(entry->name_bytes) + 1;
    if (has_frame(entry))
        size += qc_vu_size(entry->bytes);
    if (is_part(entry)) {
        size += 1;
        for (size_t axis = 0; axis < entry->ndim; axis++)
            size += qc_vu_size(dims[entry->dims_offset + axis]);
    }
    if (has_target(entry))
        size += (entry->role == QC_PACK_ROUNDED) + name_size(entry->target_bytes);
    return size;
}

size_t qc_pack_content_bytes(const qc_pack_entry *entries, size_t count, const uint64_t *dims)
{
    size_t bytes = qc_vu_size(count);
    for (size_t i = 0; i < count; i++)
        bytes += entry_size(&entries[i], dims);
    return bytes;
}

/* ---- checks ---- */

static qc_status check_name(const uint8_t *names, size_t offset, size_t bytes, size_t number,
                            qc_error *error)
{
    QC_CHECK(bytes <= QC_MAX_NAME_BYTES, QC_INVALID, "pack: length of a name", number, bytes,
             QC_MAX_NAME_BYTES);
    size_t valid = qc_utf8_valid_bytes(names + offset, bytes);
    QC_CHECK(valid == bytes, QC_INVALID, "pack: name is not UTF-8", number, valid, bytes);
    return QC_OK;
}

static qc_status check_entry(const uint8_t *names, const qc_pack_entry *entries, size_t number,
                             qc_error *error)
{
    const qc_pack_entry *entry = &entries[number];
    size_t before = number > 0 ? entries[number - 1].role : QC_PACK_FRAME;
    QC_TRY(check_name(names, entry->name_offset, entry->name_bytes, number, error));
    QC_CHECK(entry->role <= QC_PACK_ATTACHED, QC_INVALID, "pack: role", number, entry->role,
             QC_PACK_ATTACHED);
    QC_CHECK(!has_frame(entry) || (entry->bytes > 0 && (uint64_t)entry->bytes < QC_VU_LIMIT),
             QC_INVALID, "pack: length of a frame", number, entry->bytes, QC_VU_LIMIT - 1);
    QC_CHECK(!is_part(entry) || entry->ndim <= QC_MAX_DIMS, QC_INVALID,
             "pack: number of dimensions", number, entry->ndim, QC_MAX_DIMS);
    QC_CHECK(entry->role != QC_PACK_NEXT || before == QC_PACK_FIRST || before == QC_PACK_NEXT,
             QC_INVALID, "pack: a next part without the one before", number, before, QC_PACK_FIRST);
    QC_CHECK(entry->role != QC_PACK_ROUNDED || entry->dtype <= QC_BF16, QC_INVALID,
             "pack: dtype of a rounded tensor", number, entry->dtype, QC_BF16);
    if (has_target(entry))
        return check_name(names, entry->target_offset, entry->target_bytes, number, error);
    return QC_OK;
}

/* A name that is in this pack stands for a tensor. Names are in order. */
static qc_status check_target(const uint8_t *names, const qc_pack_entry *entries, size_t count,
                              size_t number, qc_error *error)
{
    const qc_pack_entry *entry = &entries[number];
    const char *name = (const char *)names + entry->target_offset;
    size_t target = qc_pack_find(names, entries, count, name, entry->target_bytes);
    QC_CHECK(target == count || entries[target].role <= QC_PACK_NEXT, QC_INVALID,
             "pack: a name that stands for another name, or for no tensor", number, target, count);
    return QC_OK;
}

/* ---- writing ---- */

static uint8_t *append_name(uint8_t *out, const uint8_t *names, size_t offset, size_t bytes)
{
    out += qc_write_vu(out, bytes);
    memcpy(out, names + offset, bytes);
    return out + bytes;
}

static uint8_t *write_entry(uint8_t *out, const uint8_t *names, const uint64_t *dims,
                            const qc_pack_entry *entry)
{
    out = append_name(out, names, entry->name_offset, entry->name_bytes);
    *out++ = (uint8_t)entry->role;
    if (has_frame(entry))
        out += qc_write_vu(out, entry->bytes);
    if (is_part(entry)) {
        *out++ = (uint8_t)entry->ndim;
        for (size_t axis = 0; axis < entry->ndim; axis++)
            out += qc_write_vu(out, dims[entry->dims_offset + axis]);
    }
    if (entry->role == QC_PACK_ROUNDED)
        *out++ = (uint8_t)entry->dtype;
    return has_target(entry) ? append_name(out, names, entry->target_offset, entry->target_bytes)
                             : out;
}

qc_status qc_pack_write_content(const char *names, const uint64_t *dims, qc_pack_entry *entries,
                                size_t count, void *out, size_t capacity, qc_error *error)
{
    const uint8_t *text = (const uint8_t *)names;
    uint8_t *at = out;
    for (size_t i = 0; i < count; i++)
        QC_TRY(check_entry(text, entries, i, error));
    qc_pack_sort_names(text, entries, count);
    size_t duplicate = qc_pack_duplicate_name(text, entries, count);
    QC_CHECK(duplicate == count, QC_INVALID, "pack: name is there twice", duplicate, duplicate,
             count);
    for (size_t i = 0; i < count; i++)
        if (has_target(&entries[i]))
            QC_TRY(check_target(text, entries, count, i, error));
    size_t need = qc_pack_content_bytes(entries, count, dims);
    QC_CHECK(need <= capacity, QC_NO_SPACE, "pack: content of the table", 0, capacity, need);
    at += qc_write_vu(at, count);
    for (size_t i = 0; i < count; i++)
        at = write_entry(at, text, dims, &entries[i]);
    return QC_OK;
}

size_t qc_pack_write_head(size_t table_bytes, uint8_t out[QC_PACK_MAX_HEAD_BYTES])
{
    static const uint8_t magic[MAGIC_BYTES] = {'Q', 'P', QC_FORMAT_VERSION, 0};
    memcpy(out, magic, MAGIC_BYTES);
    return MAGIC_BYTES + qc_write_vu(out + MAGIC_BYTES, table_bytes);
}
