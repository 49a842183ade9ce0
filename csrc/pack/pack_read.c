/*
 * The table of a pack, read (docs/format.md, section 8).
 *
 * Lengths, offsets and targets are read once, into the caller's entries, and checked there. Names
 * stay in the buffer and are read again to be sorted and compared. If they change meanwhile, the
 * order is wrong, but every place is inside the table.
 */
#include "base/bytes.h"
#include "pack/pack_names.h"
#include "pack/utf8.h"

#define MIN_ENTRY_BYTES 2 /* an empty name of a frame: two lengths */

static size_t clamp_to_size(uint64_t value) { return value < SIZE_MAX ? (size_t)value : SIZE_MAX; }

/* Read everything up to the first entry. As qc_pack_count. */
static qc_status read_head(qc_reader *reader, size_t pack_bytes, size_t *count, qc_error *error)
{
    unsigned byte;
    uint64_t found;
    for (size_t i = 0; i < 2; i++) {
        QC_TRY(qc_read_u8(reader, &byte, "pack: magic", error));
        unsigned expected = i == 0 ? 'Q' : 'P';
        QC_CHECK(byte == expected, QC_CORRUPT, "pack: magic is not QP", i, byte, expected);
    }
    QC_TRY(qc_read_u8(reader, &byte, "pack: version", error));
    QC_CHECK(byte == QC_FORMAT_VERSION, QC_UNSUPPORTED, "pack: version", 2, byte,
             QC_FORMAT_VERSION);
    QC_TRY(qc_read_u8(reader, &byte, "pack: flags", error));
    QC_CHECK(byte == 0, QC_UNSUPPORTED, "pack: flags", 3, byte, 0);
    QC_TRY(qc_read_vu(reader, &found, "pack: number of entries", error));
    size_t max = pack_bytes > reader->at ? (pack_bytes - reader->at) / MIN_ENTRY_BYTES : 0;
    QC_CHECK(found <= max, QC_TRUNCATED, "pack: too short for its number of entries", reader->at,
             pack_bytes, reader->at + found * MIN_ENTRY_BYTES);
    *count = (size_t)found;
    return QC_OK;
}

static qc_status read_name(qc_reader *reader, qc_pack_entry *entry, qc_error *error)
{
    const uint8_t *name;
    uint64_t bytes;
    QC_TRY(qc_read_vu(reader, &bytes, "pack: length of a name", error));
    QC_CHECK(bytes <= QC_MAX_NAME_BYTES, QC_CORRUPT, "pack: length of a name", reader->at, bytes,
             QC_MAX_NAME_BYTES);
    entry->name_offset = reader->at;
    entry->name_bytes = (size_t)bytes;
    QC_TRY(qc_read_bytes(reader, entry->name_bytes, &name, "pack: name", error));
    size_t valid = qc_utf8_valid_bytes(name, entry->name_bytes);
    QC_CHECK(valid == entry->name_bytes, QC_CORRUPT, "pack: name is not UTF-8",
             entry->name_offset + valid, name[valid], 0x7F);
    return QC_OK;
}

/* Read entry `number`. Until the length of the table is known, its frame's offset counts from the
   first frame; `*frames_bytes` are the bytes of the frames before it. */
static qc_status read_entry(qc_reader *reader, qc_pack_entry *entries, size_t number,
                            size_t *frames_bytes, qc_error *error)
{
    qc_pack_entry *entry = &entries[number];
    uint64_t bytes, target;
    QC_TRY(read_name(reader, entry, error));
    QC_TRY(qc_read_vu(reader, &bytes, "pack: length of a frame", error));
    if (bytes > 0) {
        entry->target = number;
        entry->offset = *frames_bytes;
        entry->bytes = clamp_to_size(bytes);
        /* A sum that does not fit a size_t is longer than the input, which is checked after the
         * CRC. */
        if (qc_add_overflows(*frames_bytes, entry->bytes, frames_bytes))
            *frames_bytes = SIZE_MAX;
        return QC_OK;
    }
    QC_TRY(qc_read_vu(reader, &target, "pack: target of an alias", error));
    QC_CHECK(target < number, QC_CORRUPT, "pack: target of an alias is not an earlier entry",
             reader->at, target, number);
    QC_CHECK(entries[target].target == target, QC_CORRUPT, "pack: target of an alias is an alias",
             reader->at, target, number);
    entry->target = (size_t)target;
    entry->offset = entries[target].offset;
    entry->bytes = entries[target].bytes;
    return QC_OK;
}

/* The CRC that ends the table. */
static qc_status read_checksum(qc_reader *reader, qc_error *error)
{
    const uint8_t *stored;
    size_t covered = reader->at;
    QC_TRY(qc_read_bytes(reader, 4, &stored, "pack: CRC of the table", error));
    uint32_t found = qc_load32(stored), computed = qc_crc32c(0, reader->data, covered);
    QC_CHECK(found == computed, QC_CHECKSUM, "pack: CRC of the table", covered, found, computed);
    return QC_OK;
}

qc_status qc_pack_count(const void *data, size_t size, size_t pack_bytes, size_t *count,
                        qc_error *error)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    return read_head(&reader, pack_bytes, count, error);
}

qc_status qc_pack_read(const void *data, size_t size, size_t pack_bytes, qc_pack_entry *entries,
                       size_t count, size_t *table_bytes, qc_error *error)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    size_t found, frames_bytes = 0;
    QC_TRY(read_head(&reader, pack_bytes, &found, error));
    QC_CHECK(found == count, QC_INVALID, "pack: room for another number of entries", reader.at,
             count, found);
    for (size_t i = 0; i < count; i++)
        QC_TRY(read_entry(&reader, entries, i, &frames_bytes, error));
    QC_TRY(read_checksum(&reader, error));

    qc_pack_sort_names(data, entries, count);
    size_t duplicate = qc_pack_duplicate_name(data, entries, count);
    QC_CHECK(duplicate == count, QC_CORRUPT, "pack: name is there twice",
             entries[duplicate].name_offset, duplicate, count);

    size_t need;
    if (qc_add_overflows(reader.at, frames_bytes, &need))
        need = SIZE_MAX;
    QC_CHECK(need <= pack_bytes, QC_TRUNCATED, "pack: frames", reader.at, pack_bytes, need);
    QC_CHECK(need == pack_bytes, QC_CORRUPT, "pack: bytes after the last frame", need, pack_bytes,
             need);
    for (size_t i = 0; i < count; i++)
        entries[i].offset += reader.at;
    *table_bytes = reader.at;
    return QC_OK;
}
