/*
 * Any bytes as a pack. Every name of an accepted table must be found again at the same place, every
 * frame must be inside the pack, and the frames must decode or be refused.
 */
#include "decode.h"
#include "harness.h"
#include "repair.h"

enum { MAX_ENTRIES = 256 };

/* Step over a table entry; *length is the offset of its frame's length. */
static qc_status step_over_entry(qc_reader *reader, size_t *length, uint64_t *frame_bytes)
{
    uint64_t value;
    const uint8_t *name;
    QC_TRY(qc_read_vu(reader, &value, "name length", NULL));
    QC_TRY(qc_read_bytes(reader, value, &name, "name", NULL));
    *length = reader->at;
    QC_TRY(qc_read_vu(reader, frame_bytes, "frame length", NULL));
    return *frame_bytes > 0 ? QC_OK : qc_read_vu(reader, &value, "target", NULL);
}

/* The last frame gets the rest of the pack, every frame and the table their CRCs. */
static void repair_pack(uint8_t *data, size_t size)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    const uint8_t *bytes;
    uint64_t count, frame_bytes[MAX_ENTRIES], total = 0;
    size_t length = 0;
    if (qc_read_bytes(&reader, 4, &bytes, "magic, version, flags", NULL) != QC_OK ||
        qc_read_vu(&reader, &count, "count", NULL) != QC_OK || count == 0 || count > MAX_ENTRIES)
        return;
    for (size_t i = 0; i < count; i++) {
        if (step_over_entry(&reader, &length, &frame_bytes[i]) != QC_OK)
            return;
        total += frame_bytes[i];
    }
    size_t table = reader.at + 4;
    if (table > size)
        return;
    total -= frame_bytes[count - 1];
    if (frame_bytes[count - 1] > 0 && total < size - table)
        replace_vu(data + length, frame_bytes[count - 1], size - table - total);
    qc_store32(data + reader.at, qc_crc32c(0, data, reader.at));
    for (size_t i = 0, at = table; i < count && frame_bytes[i] <= size - at; i++) {
        repair_frame(data + at, i + 1 < count ? (size_t)frame_bytes[i] : size - at);
        at += (size_t)frame_bytes[i];
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = mutate(data, size, max_size);
    if (seed % 16 != 0)
        repair_pack(data, size);
    return size;
}

static void decode_entry(const uint8_t *data, const qc_pack_entry *entry)
{
    qc_frame frame;
    qc_error error;
    uint8_t *bytes = copy_of(data + entry->offset, entry->bytes);
    qc_status status = qc_frame_read(bytes, entry->bytes, QC_VERIFY, &frame, &error);
    if (!refused(status, &error) && frame.elements <= MAX_ELEMENTS) {
        size_t size = frame.elements * frame.item_size;
        uint8_t *out = buffer_of(size, 0xA5), *memory = buffer_of(frame.coded_bytes, 0xA5);
        status = decode_whole_frame(bytes, entry->bytes, frame.kind, frame.dtype, out, size, memory,
                                    frame.coded_bytes, &error);
        refused(status, &error);
        free(memory);
        free(out);
    }
    free(bytes);
}

static void check_entry(const uint8_t *data, size_t size, size_t table_bytes,
                        const qc_pack_entry *entries, size_t count, size_t i)
{
    const qc_pack_entry *entry = &entries[i];
    PROMISE(entry->offset >= table_bytes && entry->offset <= size);
    PROMISE(entry->bytes > 0 && entry->bytes <= size - entry->offset);
    PROMISE(entry->name_bytes <= QC_MAX_NAME_BYTES);
    PROMISE(entry->name_offset + entry->name_bytes <= table_bytes);
    PROMISE(entry->target <= i && entries[entry->target].offset == entry->offset);
    const char *name = (const char *)data + entry->name_offset;
    PROMISE(qc_pack_find(data, entries, count, name, entry->name_bytes) == i);
    decode_entry(data, entry);
}

/* The table alone is enough to read it, and one byte less is not. */
static void check_table_prefixes(const uint8_t *data, size_t size, size_t table_bytes, size_t count)
{
    qc_error error;
    size_t table, again;
    qc_pack_entry *entries = (qc_pack_entry *)(void *)buffer_of(count * sizeof *entries, 0xA5);
    for (size_t missing = 0; missing < 2; missing++) {
        size_t bytes = table_bytes - missing;
        uint8_t *prefix = copy_of(data, bytes);
        qc_status status = qc_pack_count(prefix, bytes, size, &again, &error);
        if (status == QC_OK)
            status = qc_pack_read(prefix, bytes, size, entries, count, &table, &error);
        PROMISE(status == (missing > 0 ? QC_TRUNCATED : QC_OK));
        PROMISE(missing == 0 || error.allowed > bytes);
        free(prefix);
    }
    free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qc_error error;
    size_t count, table_bytes;
    forget(workspace, sizeof workspace);
    if (refused(qc_pack_count(data, size, size, &count, &error), &error))
        return 0;
    PROMISE(count <= size / 2);
    qc_pack_entry *entries = (qc_pack_entry *)(void *)buffer_of(count * sizeof *entries, 0xA5);
    qc_status status = qc_pack_read(data, size, size, entries, count, &table_bytes, &error);
    if (!refused(status, &error)) {
        check_table_prefixes(data, size, table_bytes, count);
        for (size_t i = 0; i < count; i++)
            check_entry(data, size, table_bytes, entries, count, i);
    }
    free(entries);
    return 0;
}
