/*
 * Reads a frame's head (docs/format.md, section 2): magic to parameters, and the directory of a
 * chunked frame. The CRC comes before the meaning: fields are read, then what they may mean, so
 * that damage is called damage, and a frame of a later version can be stepped over.
 *
 * Every field is read once into a local or into `frame`, checked there, and never read again: the
 * caller's buffer may change under us.
 */
#include "head/layout.h"
#include "head/parameters_read.h"

/* The fields up to the body length, which stay where they are in every later version: so any reader
   can step over a frame. Their meaning is judged only after the CRC (judge_fields). */
typedef struct head_fields {
    unsigned flags, dtype, kind, ndim;
    uint64_t dims[QC_NDIM_LIMIT];
    size_t features_at, shape_at; /* for errors */
} head_fields;

static qc_status read_magic(qc_reader *reader, qc_error *error)
{
    unsigned magic, version;
    QC_TRY(qc_read_u8(reader, &magic, "frame: magic", error));
    QC_CHECK(magic == QC_MAGIC_0, QC_CORRUPT, "frame: magic, not a qcodec frame", 0, magic,
             QC_MAGIC_0);
    QC_TRY(qc_read_u8(reader, &magic, "frame: magic", error));
    QC_CHECK(magic == QC_MAGIC_1, QC_CORRUPT, "frame: magic, not a qcodec frame", 1, magic,
             QC_MAGIC_1);
    QC_TRY(qc_read_u8(reader, &version, "frame: version", error));
    QC_CHECK(version == QC_FORMAT_VERSION, QC_UNSUPPORTED,
             "frame: version of the format, only candidate 1 of version 1 is read", 2, version,
             QC_FORMAT_VERSION);
    return QC_OK;
}

/* The input is as long as the body length says, or, without QC_WHOLE, shorter. */
static qc_status check_length(qc_reader *reader, unsigned flags, qc_frame *frame, qc_error *error)
{
    uint64_t body;
    QC_TRY(qc_read_vu(reader, &body, "frame: body length", error));
    QC_TRY(qc_to_size(reader->at + body, &frame->frame_bytes, "frame: body length", reader->at,
                      error));
    QC_CHECK(reader->size >= frame->frame_bytes || (flags & QC_WHOLE) == 0, QC_TRUNCATED,
             "frame: its bytes end early, incomplete download?", reader->size, reader->size,
             frame->frame_bytes);
    QC_CHECK(reader->size <= frame->frame_bytes, QC_CORRUPT, "frame: bytes follow its end",
             frame->frame_bytes, reader->size, frame->frame_bytes);
    /* If the fields reach beyond the end, the length was wrong: the input is not too short. */
    if (reader->size == frame->frame_bytes)
        reader->length_known = 1;
    return QC_OK;
}

static qc_status read_fields(qc_reader *reader, unsigned flags, head_fields *fields,
                             qc_frame *frame, qc_error *error)
{
    unsigned kind_ndim;
    QC_TRY(read_magic(reader, error));
    QC_TRY(qc_read_u8(reader, &fields->flags, "frame: flags", error));
    fields->features_at = reader->at;
    QC_TRY(qc_read_vu(reader, &frame->features, "frame: features", error));
    fields->shape_at = reader->at;
    QC_TRY(qc_read_u8(reader, &fields->dtype, "frame: dtype", error));
    QC_TRY(qc_read_u8(reader, &kind_ndim, "frame: kind and number of dimensions", error));
    fields->kind = kind_ndim >> 4;
    fields->ndim = kind_ndim & 15;
    for (unsigned axis = 0; axis < fields->ndim; axis++)
        QC_TRY(qc_read_vu(reader, &fields->dims[axis], "frame: dimension", error));
    return check_length(reader, flags, frame, error);
}

/* ---- the CRC ---- */

static qc_status check_crc(const uint8_t *data, size_t size, const char *what, qc_error *error)
{
    uint32_t crc = qc_crc32c(0, data, size), stored = qc_load32(data + size);
    QC_CHECK(crc == stored, QC_CHECKSUM, what, size, stored, crc);
    return QC_OK;
}

/* Check the CRC, and end the reader before it. An unchunked frame's covers everything, so it needs
   the whole frame; a chunked one's covers what comes before the chunks. */
static qc_status step_to_crc(qc_reader *reader, unsigned flags, int chunked, qc_frame *frame,
                             qc_error *error)
{
    uint64_t shared = frame->frame_bytes - reader->at;
    const uint8_t *bytes;
    if (chunked)
        QC_TRY(qc_read_vu(reader, &shared, "frame: bytes before the chunks", error));
    QC_CHECK(shared >= QC_CRC_BYTES, QC_CORRUPT, "frame: its body is too short for its checksum",
             reader->at, shared, QC_CRC_BYTES);
    QC_CHECK(shared <= frame->frame_bytes - reader->at, QC_CORRUPT,
             "frame: bytes before the chunks", reader->at, shared, frame->frame_bytes - reader->at);
    size_t end = reader->at + (size_t)shared - QC_CRC_BYTES;
    if (chunked) {
        frame->head_bytes = end + QC_CRC_BYTES;
        size_t start = reader->at;
        QC_TRY(qc_read_bytes(reader, shared, &bytes, "frame: what comes before the chunks", error));
        reader->at = start;
        reader->length_known = 1;
    } else if ((flags & QC_WHOLE) == 0) {
        if (reader->size > end)
            reader->size = end;
        return QC_OK;
    }
    reader->size = end;
    if (flags & QC_VERIFY)
        QC_TRY(check_crc(reader->data, end, "frame: checksum", error));
    return QC_OK;
}

/* ---- the meaning of the fields ---- */

static qc_status judge_features(const qc_frame *frame, size_t at, qc_error *error)
{
    uint64_t unknown = frame->features >> QC_CODING_COUNT;
    /* The lowest coding that this reader does not know is named. */
    unsigned coding = QC_CODING_COUNT;
    while (unknown != 0 && (unknown & 1) == 0) {
        unknown >>= 1;
        coding++;
    }
    QC_CHECK(unknown == 0, QC_UNSUPPORTED, "frame: needs a coding of a later version", at, coding,
             QC_CODING_COUNT - 1);
    return QC_OK;
}

static qc_status judge_fields(const head_fields *fields, qc_frame *frame, qc_error *error)
{
    unsigned positions = fields->flags >> QC_FLAG_POSITIONS_SHIFT & QC_FLAG_POSITIONS_MASK;
    QC_CHECK((fields->flags & QC_FLAG_RESERVED) == 0, QC_UNSUPPORTED, "frame: reserved flags", 3,
             fields->flags, 0xFF ^ QC_FLAG_RESERVED);
    QC_CHECK(positions < QC_POSITIONS_COUNT, QC_UNSUPPORTED, "frame: positions form", 3, positions,
             QC_POSITIONS_COUNT - 1);
    QC_TRY(judge_features(frame, fields->features_at, error));
    QC_CHECK(fields->dtype < QC_DTYPE_COUNT, QC_UNSUPPORTED, "frame: dtype", fields->shape_at,
             fields->dtype, QC_DTYPE_COUNT - 1);
    QC_CHECK(fields->kind < QC_KIND_COUNT, QC_UNSUPPORTED, "frame: kind", fields->shape_at + 1,
             fields->kind, QC_KIND_COUNT - 1);
    QC_CHECK(fields->ndim <= QC_MAX_DIMS, QC_UNSUPPORTED, "frame: number of dimensions",
             fields->shape_at + 1, fields->ndim, QC_MAX_DIMS);
    frame->positions = (qc_positions)positions;
    frame->dtype = (qc_dtype)fields->dtype;
    frame->kind = (qc_kind)fields->kind;
    frame->ndim = fields->ndim;
    memcpy(frame->dims, fields->dims, sizeof frame->dims);
    return qc_layout_elements(frame, error);
}

/* ---- the rest of the head ---- */

static qc_status read_chunk_elements(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    size_t at = reader->at;
    QC_TRY(qc_read_count(reader, &frame->chunk_elements, "frame: elements of a chunk", error));
    QC_CHECK(frame->chunk_elements >= QC_MIN_CHUNK_ELEMENTS, QC_CORRUPT,
             "frame: elements of a chunk", at, frame->chunk_elements, QC_MIN_CHUNK_ELEMENTS);
    return QC_OK;
}

/* The directory ends where the CRC begins; the lengths of the chunks fill the rest of the frame
   exactly. */
static qc_status read_directory(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    size_t at = reader->at;
    uint64_t bytes = QC_DIRECTORY_ENTRY_BYTES * (uint64_t)frame->chunks, sum = 0;
    const uint8_t *directory;
    QC_TRY(qc_read_bytes(reader, bytes, &directory, "frame: directory of chunks", error));
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "frame: bytes follow the directory",
             reader->at, reader->size, reader->at);
    frame->directory_offset = at;
    size_t rest = frame->frame_bytes - frame->head_bytes;
    for (size_t i = 0; i < frame->chunks; i++)
        sum += qc_load32(directory + i * QC_DIRECTORY_ENTRY_BYTES);
    QC_CHECK(sum == rest, QC_CORRUPT, "frame: chunk lengths do not fill the frame", at, sum, rest);
    return QC_OK;
}

qc_status qc_frame_read(const void *data, size_t size, unsigned flags, qc_frame *frame,
                        qc_error *error)
{
    qc_reader reader = qc_reader_of(data, size, 0);
    head_fields fields;
    memset(frame, 0, sizeof *frame);
    memset(&fields, 0, sizeof fields);
    QC_TRY(read_fields(&reader, flags, &fields, frame, error));
    int chunked = (fields.flags & QC_FLAG_CHUNKED) != 0;
    int scaled = (fields.flags & QC_FLAG_SCALED) != 0;
    QC_TRY(step_to_crc(&reader, flags, chunked, frame, error));
    QC_TRY(judge_fields(&fields, frame, error));
    if (fields.flags & QC_FLAG_NOTES)
        QC_TRY(qc_read_notes(&reader, &frame->notes, error));
    if (chunked)
        QC_TRY(read_chunk_elements(&reader, frame, error));
    QC_TRY(qc_layout_chunks(frame, QC_CORRUPT, QC_UNSUPPORTED, error));
    QC_TRY(qc_layout_values(frame, scaled, QC_CORRUPT, error));
    QC_TRY(qc_read_parameters(&reader, frame, scaled, error));
    QC_TRY(qc_layout_copies(frame, QC_UNSUPPORTED, error));
    if (chunked)
        return read_directory(&reader, frame, error);
    frame->head_bytes = reader.at;
    return QC_OK;
}
