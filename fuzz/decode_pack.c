/*
 * Any bytes as a pack: every name of an accepted table is found again at the same place, every
 * frame lies inside, and the frames decode or are refused.
 */
#include "harness.h"
#include "repair.h"

enum { MAX_ENTRIES = 256 };

static uint8_t workspace[QC_WORKSPACE_BYTES];

/* Step over a table entry; *length is where its frame's length stands. */
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
    qc_reader reader = qc_reader_of(data, size, QC_TRUNCATED);
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
    size = LLVMFuzzerMutate(data, size, max_size);
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
        uint8_t *out = buffer_of(size, 0xA5);
        status =
            qc_decode(bytes, entry->bytes, frame.dtype, out, size, QC_VERIFY, workspace, &error);
        refused(status, &error);
        free(out);
    }
    free(bytes);
}

static void check_entry(const uint8_t *data, const qc_pack *pack, const qc_pack_entry *entry)
{
    qc_pack_entry found;
    qc_error error;
    PROMISE(entry->offset >= pack->table_bytes && entry->offset <= pack->pack_bytes);
    PROMISE(entry->bytes <= pack->pack_bytes - entry->offset);
    PROMISE(entry->name_bytes <= QC_MAX_NAME_BYTES);
    PROMISE(qc_pack_find(pack, data, entry->name, entry->name_bytes, &found, &error) == QC_OK);
    PROMISE(found.offset == entry->offset && found.bytes == entry->bytes);
    PROMISE(found.target == entry->target);
    decode_entry(data, entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qc_pack pack;
    qc_error error;
    if (refused(qc_pack_read(data, size, &pack, &error), &error) || pack.count > MAX_ENTRIES)
        return 0;
    qc_pack_entry *entries = (qc_pack_entry *)(void *)buffer_of(pack.count * sizeof *entries, 0xA5);
    if (!refused(qc_pack_entries(&pack, data, entries, &error), &error) &&
        pack.pack_bytes <= size) {
        for (size_t i = 0; i < pack.count; i++)
            check_entry(data, &pack, &entries[i]);
    }
    free(entries);
    return 0;
}
