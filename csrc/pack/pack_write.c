/*
 * The table of a pack, written (docs/format.md, section 8).
 */
#include "base/bytes.h"
#include "pack/pack_names.h"
#include "pack/utf8.h"

#define MAGIC_BYTES 4 /* "QP", version, flags */

size_t qc_pack_table_bytes(const qc_pack_entry *entries, size_t count)
{
    size_t bytes = MAGIC_BYTES + qc_vu_size(count) + 4;
    for (size_t i = 0; i < count; i++) {
        bytes += qc_vu_size(entries[i].name_bytes) + entries[i].name_bytes;
        bytes += entries[i].target == i ? qc_vu_size(entries[i].bytes)
                                        : 1 + qc_vu_size(entries[i].target);
    }
    return bytes;
}

static qc_status check_entry(const uint8_t *names, const qc_pack_entry *entries, size_t number,
                             qc_error *error)
{
    const qc_pack_entry *entry = &entries[number];
    QC_CHECK(entry->name_bytes <= QC_MAX_NAME_BYTES, QC_INVALID, "pack: length of a name", number,
             entry->name_bytes, QC_MAX_NAME_BYTES);
    size_t valid = qc_utf8_valid_bytes(names + entry->name_offset, entry->name_bytes);
    QC_CHECK(valid == entry->name_bytes, QC_INVALID, "pack: name is not UTF-8", number, valid,
             entry->name_bytes);
    if (entry->target == number) {
        QC_CHECK(entry->bytes > 0 && (uint64_t)entry->bytes < QC_VU_LIMIT, QC_INVALID,
                 "pack: length of a frame", number, entry->bytes, QC_VU_LIMIT - 1);
        return QC_OK;
    }
    QC_CHECK(entry->target < number, QC_INVALID, "pack: target of an alias is not an earlier entry",
             number, entry->target, number);
    QC_CHECK(entries[entry->target].target == entry->target, QC_INVALID,
             "pack: target of an alias is an alias", number, entry->target, number);
    return QC_OK;
}

/* Returns the bytes written. */
static size_t write_entry(const uint8_t *names, const qc_pack_entry *entries, size_t number,
                          uint8_t *out)
{
    const qc_pack_entry *entry = &entries[number];
    size_t at = qc_write_vu(out, entry->name_bytes);
    memcpy(out + at, names + entry->name_offset, entry->name_bytes);
    at += entry->name_bytes;
    if (entry->target == number)
        return at + qc_write_vu(out + at, entry->bytes);
    out[at++] = 0;
    return at + qc_write_vu(out + at, entry->target);
}

qc_status qc_pack_write_table(const char *names, qc_pack_entry *entries, size_t count, void *out,
                              size_t capacity, qc_error *error)
{
    static const uint8_t magic[MAGIC_BYTES] = {'Q', 'P', QC_FORMAT_VERSION, 0};
    const uint8_t *text = (const uint8_t *)names;
    uint8_t *bytes = out;
    for (size_t i = 0; i < count; i++)
        QC_TRY(check_entry(text, entries, i, error));
    qc_pack_sort_names(text, entries, count);
    size_t duplicate = qc_pack_duplicate_name(text, entries, count);
    QC_CHECK(duplicate == count, QC_INVALID, "pack: name is there twice", duplicate, duplicate,
             count);
    size_t need = qc_pack_table_bytes(entries, count);
    QC_CHECK(need <= capacity, QC_NO_SPACE, "pack: table", 0, capacity, need);

    memcpy(bytes, magic, MAGIC_BYTES);
    size_t at = MAGIC_BYTES + qc_write_vu(bytes + MAGIC_BYTES, count);
    for (size_t i = 0; i < count; i++)
        at += write_entry(text, entries, i, bytes + at);
    qc_store32(bytes + at, qc_crc32c(0, bytes, at));
    return QC_OK;
}
