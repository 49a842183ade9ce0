/*
 * Any bytes as a pack. Every name of an accepted table must be found again at the same place, every
 * frame must be inside the pack, and the frames must decode or be refused.
 */
#include "decode.h"
#include "harness.h"
#include "repair.h"

enum { MAX_CONTENT = 1 << 16 };

/* The table's frame and the first one after it get their CRCs. */
static void repair_pack(uint8_t *data, size_t size)
{
    size_t offset, bytes;
    if (qc_pack_head(data, size, &offset, &bytes, NULL) != QC_OK || bytes > size - offset)
        return;
    repair_frame(data + offset, bytes);
    repair_frame(data + offset + bytes, size - offset - bytes);
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

/* The entries of a content that was accepted. */
typedef struct accepted {
    const uint8_t *content;
    size_t content_bytes;
    const qc_pack_entry *entries;
    size_t count;
} accepted;

static void check_name(const accepted *found, size_t offset, size_t bytes, size_t number)
{
    PROMISE(bytes <= QC_MAX_NAME_BYTES && offset + bytes <= found->content_bytes);
    const char *name = (const char *)found->content + offset;
    PROMISE(qc_pack_find(found->content, found->entries, found->count, name, bytes) == number);
}

static void check_entry(const accepted *found, const uint8_t *data, size_t size, size_t frames,
                        size_t i)
{
    const qc_pack_entry *entry = &found->entries[i];
    uint64_t dims[QC_MAX_DIMS], elements = 1;
    PROMISE(entry->role <= QC_PACK_ATTACHED);
    check_name(found, entry->name_offset, entry->name_bytes, i);
    if (entry->role == QC_PACK_SAME || entry->role == QC_PACK_ROUNDED)
        check_name(found, entry->target_offset, entry->target_bytes, entry->target);
    else
        PROMISE(entry->target == i && entry->bytes > 0);
    qc_pack_dims(found->content, entry, dims);
    for (size_t axis = 0; axis < entry->ndim; axis++)
        elements *= dims[axis];
    if (entry->role == QC_PACK_FIRST || entry->role == QC_PACK_NEXT)
        PROMISE(elements == entry->elements);
    if (entry->bytes == 0)
        return;
    PROMISE(entry->offset >= frames && entry->offset <= size);
    PROMISE(entry->bytes <= size - entry->offset);
    decode_entry(data, entry);
}

static void check_content(const uint8_t *content, size_t content_bytes, const uint8_t *data,
                          size_t size, size_t frames)
{
    qc_error error;
    size_t count;
    if (refused(qc_pack_count(content, content_bytes, &count, &error), &error))
        return;
    PROMISE(count <= content_bytes / 2);
    qc_pack_entry *entries = (qc_pack_entry *)(void *)buffer_of(count * sizeof *entries, 0xA5);
    qc_status status = qc_pack_read(content, content_bytes, frames, size, entries, count, &error);
    if (!refused(status, &error)) {
        accepted found = {content, content_bytes, entries, count};
        for (size_t i = 0; i < count; i++)
            check_entry(&found, data, size, frames, i);
    }
    free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qc_error error;
    qc_frame table;
    size_t offset, bytes;
    forget(workspace, sizeof workspace);
    if (refused(qc_pack_head(data, size, &offset, &bytes, &error), &error) || bytes > size - offset)
        return 0;
    uint8_t *frame = copy_of(data + offset, bytes);
    if (!refused(qc_frame_read(frame, bytes, QC_VERIFY | QC_WHOLE, &table, &error), &error) &&
        table.dtype == QC_U8 && table.elements <= MAX_CONTENT) {
        uint8_t *content = buffer_of(table.elements, 0xA5);
        qc_status status = qc_decode(frame, bytes, QC_U8, content, table.elements, NULL, 0,
                                     QC_VERIFY, workspace, &error);
        if (!refused(status, &error))
            check_content(content, table.elements, data, size, offset + bytes);
        free(content);
    }
    free(frame);
    return 0;
}
