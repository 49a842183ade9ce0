/*
 * Packs, read: the head, and the content of the table (docs/format.md, section 8).
 *
 * The content is what a frame decoded to: the caller's own memory, which does not change.
 */
#include "base/bytes.h"
#include "pack/pack_names.h"
#include "pack/utf8.h"

#define MIN_ENTRY_BYTES 2 /* an empty name, and a role */

/* The part of the pack that is being read: what frames and parts take their places from. */
typedef struct place {
    size_t frames; /* bytes of the frames so far */
    size_t frame;  /* number of the entry that names the frame before; SIZE_MAX: there is none */
    int has_parts; /* and whether that has parts */
} place;

/* ---- the head ---- */

qc_status qc_pack_head(const void *data, size_t size, size_t *table_offset, size_t *table_bytes,
                       qc_error *error)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    unsigned byte;
    uint64_t bytes;
    for (size_t i = 0; i < 2; i++) {
        QC_TRY(qc_read_u8(&reader, &byte, "pack: magic", error));
        unsigned expected = i == 0 ? 'Q' : 'P';
        QC_CHECK(byte == expected, QC_CORRUPT, "pack: magic is not QP", i, byte, expected);
    }
    QC_TRY(qc_read_u8(&reader, &byte, "pack: version", error));
    QC_CHECK(byte == QC_FORMAT_VERSION, QC_UNSUPPORTED,
             "pack: version of the format, only candidate 1 of version 1 is read", 2, byte,
             QC_FORMAT_VERSION);
    QC_TRY(qc_read_u8(&reader, &byte, "pack: flags", error));
    QC_CHECK(byte == 0, QC_UNSUPPORTED, "pack: flags", 3, byte, 0);
    QC_TRY(qc_read_vu(&reader, &bytes, "pack: length of the table", error));
    *table_offset = reader.at;
    return qc_to_size(bytes, table_bytes, "pack: length of the table", reader.at, error);
}

/* ---- the fields of entries ---- */

static qc_status read_name(qc_reader *reader, size_t *offset, size_t *size, qc_error *error)
{
    const uint8_t *name;
    uint64_t bytes;
    QC_TRY(qc_read_vu(reader, &bytes, "pack: length of a name", error));
    QC_CHECK(bytes <= QC_MAX_NAME_BYTES, QC_CORRUPT, "pack: length of a name", reader->at, bytes,
             QC_MAX_NAME_BYTES);
    *offset = reader->at;
    *size = (size_t)bytes;
    QC_TRY(qc_read_bytes(reader, bytes, &name, "pack: name", error));
    size_t valid = qc_utf8_valid_bytes(name, *size);
    QC_CHECK(valid == *size, QC_CORRUPT, "pack: name is not UTF-8", *offset + valid, name[valid],
             0x7F);
    return QC_OK;
}

static qc_status read_frame(qc_reader *reader, qc_pack_entry *entry, size_t number, place *place,
                            qc_error *error)
{
    uint64_t bytes;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &bytes, "pack: length of a frame", error));
    QC_CHECK(bytes > 0, QC_CORRUPT, "pack: length of a frame", at, bytes, 1);
    QC_TRY(qc_to_size(bytes, &entry->bytes, "pack: length of a frame", at, error));
    entry->offset = place->frames;
    /* A sum that does not fit a size_t is longer than the pack, which is checked at the end. */
    if (qc_add_overflows(place->frames, entry->bytes, &place->frames))
        place->frames = SIZE_MAX;
    place->frame = number;
    place->has_parts = entry->role == QC_PACK_FIRST;
    return QC_OK;
}

/* The dims of a part, and its number of elements. */
static qc_status read_dims(qc_reader *reader, qc_pack_entry *entry, qc_error *error)
{
    unsigned ndim;
    uint64_t dim, elements = 1, size = 1;
    QC_TRY(qc_read_u8(reader, &ndim, "pack: number of dimensions", error));
    QC_CHECK(ndim <= QC_MAX_DIMS, QC_UNSUPPORTED, "pack: number of dimensions", reader->at - 1,
             ndim, QC_MAX_DIMS);
    entry->ndim = ndim;
    entry->dims_offset = reader->at;
    for (unsigned axis = 0; axis < ndim; axis++) {
        QC_TRY(qc_read_vu(reader, &dim, "pack: dimension", error));
        /* Zeros count as ones here, so that no other product of dims can overflow later. */
        uint64_t factor = dim != 0 ? dim : 1;
        QC_CHECK(size < QC_VU_LIMIT / factor + (QC_VU_LIMIT % factor != 0), QC_LIMIT,
                 "pack: the dimensions' product", reader->at, dim, QC_VU_LIMIT);
        size *= factor;
        elements *= dim;
    }
    return qc_to_size(elements, &entry->elements, "pack: elements of a part", reader->at, error);
}

/* A part of the frame that `frame` names. */
static qc_status read_part(qc_reader *reader, qc_pack_entry *entries, size_t number, size_t frame,
                           qc_error *error)
{
    qc_pack_entry *entry = &entries[number], *before = &entries[number > 0 ? number - 1 : 0];
    QC_TRY(read_dims(reader, entry, error));
    if (number == frame)
        return QC_OK;
    entry->offset = entries[frame].offset;
    entry->bytes = entries[frame].bytes;
    QC_CHECK(!qc_add_overflows(before->first, before->elements, &entry->first) &&
                 (uint64_t)entry->first < QC_VU_LIMIT,
             QC_LIMIT, "pack: elements of a frame's parts", reader->at, before->elements,
             QC_VU_LIMIT - 1);
    return QC_OK;
}

static qc_status read_other(qc_reader *reader, qc_pack_entry *entry, qc_error *error)
{
    unsigned dtype = 0;
    if (entry->role == QC_PACK_ROUNDED) {
        QC_TRY(qc_read_u8(reader, &dtype, "pack: dtype of a rounded tensor", error));
        QC_CHECK(dtype <= QC_BF16, QC_UNSUPPORTED, "pack: dtype of a rounded tensor",
                 reader->at - 1, dtype, QC_BF16);
    }
    entry->dtype = dtype;
    return read_name(reader, &entry->target_offset, &entry->target_bytes, error);
}

static qc_status read_entry(qc_reader *reader, qc_pack_entry *entries, size_t number, place *place,
                            qc_error *error)
{
    qc_pack_entry *entry = &entries[number];
    unsigned role;
    memset(entry, 0, sizeof *entry);
    entry->target = number;
    QC_TRY(read_name(reader, &entry->name_offset, &entry->name_bytes, error));
    QC_TRY(qc_read_u8(reader, &role, "pack: role", error));
    QC_CHECK(role <= QC_PACK_ATTACHED, QC_UNSUPPORTED, "pack: role", reader->at - 1, role,
             QC_PACK_ATTACHED);
    entry->role = role;
    if (role == QC_PACK_SAME || role == QC_PACK_ROUNDED) {
        /* So that parts of a frame follow each other. */
        place->has_parts = 0;
        return read_other(reader, entry, error);
    }
    if (role == QC_PACK_NEXT)
        QC_CHECK(place->has_parts, QC_CORRUPT, "pack: a next part without the one before",
                 reader->at - 1, role, QC_PACK_FIRST);
    else
        QC_TRY(read_frame(reader, entry, number, place, error));
    if (role == QC_PACK_FIRST || role == QC_PACK_NEXT)
        return read_part(reader, entries, number, place->frame, error);
    return QC_OK;
}

/* ---- the rules between entries ---- */

/* Find the tensor that a name stands for: in this pack it is a frame or a part of one. */
static qc_status find_target(const void *content, qc_pack_entry *entries, size_t count,
                             qc_pack_entry *entry, qc_error *error)
{
    const char *name = (const char *)content + entry->target_offset;
    size_t target = qc_pack_find(content, entries, count, name, entry->target_bytes);
    entry->target = target;
    if (target == count)
        return QC_OK;
    QC_CHECK(entries[target].role <= QC_PACK_NEXT, QC_CORRUPT,
             "pack: a name that stands for another name, or for no tensor", entry->target_offset,
             entries[target].role, QC_PACK_NEXT);
    entry->offset = entries[target].offset;
    entry->bytes = entries[target].bytes;
    return QC_OK;
}

/* The frames fill the rest of the pack; only now their places are known. */
static qc_status place_frames(qc_pack_entry *entries, size_t count, size_t frames,
                              size_t frames_offset, size_t pack_bytes, qc_error *error)
{
    size_t need;
    if (qc_add_overflows(frames_offset, frames, &need))
        need = SIZE_MAX;
    QC_CHECK(need <= pack_bytes, QC_TRUNCATED, "pack: frames", frames_offset, pack_bytes, need);
    QC_CHECK(need == pack_bytes, QC_CORRUPT, "pack: bytes after the last frame", need, pack_bytes,
             need);
    for (size_t i = 0; i < count; i++)
        if (entries[i].bytes > 0)
            entries[i].offset += frames_offset;
    return QC_OK;
}

qc_status qc_pack_count(const void *content, size_t size, size_t *count, qc_error *error)
{
    qc_reader reader = qc_reader_of(content, size, 1);
    uint64_t found;
    QC_TRY(qc_read_vu(&reader, &found, "pack: number of entries", error));
    size_t max = (size - reader.at) / MIN_ENTRY_BYTES;
    QC_CHECK(found <= max, QC_CORRUPT, "pack: number of entries", 0, found, max);
    *count = (size_t)found;
    return QC_OK;
}

qc_status qc_pack_read(const void *content, size_t size, size_t frames_offset, size_t pack_bytes,
                       qc_pack_entry *entries, size_t count, qc_error *error)
{
    qc_reader reader = qc_reader_of(content, size, 1);
    place place = {0, SIZE_MAX, 0};
    uint64_t found;
    QC_TRY(qc_read_vu(&reader, &found, "pack: number of entries", error));
    QC_CHECK(found == count, QC_INVALID, "pack: room for another number of entries", reader.at,
             count, found);
    for (size_t i = 0; i < count; i++)
        QC_TRY(read_entry(&reader, entries, i, &place, error));
    QC_CHECK(reader.at == size, QC_CORRUPT, "pack: bytes follow the entries", reader.at, size,
             reader.at);
    qc_pack_sort_names(content, entries, count);
    size_t duplicate = qc_pack_duplicate_name(content, entries, count);
    QC_CHECK(duplicate == count, QC_CORRUPT, "pack: name is there twice",
             entries[duplicate].name_offset, duplicate, count);
    for (size_t i = 0; i < count; i++)
        if (entries[i].role == QC_PACK_SAME || entries[i].role == QC_PACK_ROUNDED)
            QC_TRY(find_target(content, entries, count, &entries[i], error));
    return place_frames(entries, count, place.frames, frames_offset, pack_bytes, error);
}

void qc_pack_dims(const void *content, const qc_pack_entry *entry, uint64_t dims[QC_MAX_DIMS])
{
    qc_reader reader = qc_reader_of(content, SIZE_MAX, 1);
    reader.at = entry->dims_offset;
    for (size_t axis = 0; axis < entry->ndim && axis < QC_MAX_DIMS; axis++)
        (void)qc_read_vu(&reader, &dims[axis], "pack: dimension", NULL);
}
