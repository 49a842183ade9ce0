/*
 * Reads a frame's head (docs/format.md, section 2): magic to parameters, and the directory of a
 * chunked frame.
 *
 * Every field is read once into a local or into `frame`, checked there, and never read again: the
 * caller's buffer may change under us.
 */
#include "head/layout.h"
#include "head/parameters_read.h"

/* What the flags say of the rest of the head. */
typedef struct head_flags {
    int chunked, scaled;
} head_flags;

static qc_status read_flags(qc_reader *reader, qc_frame *frame, head_flags *is, qc_error *error)
{
    unsigned flags;
    QC_TRY(qc_read_u8(reader, &flags, "frame: flags", error));
    unsigned positions = flags >> QC_FLAG_POSITIONS_SHIFT & QC_FLAG_POSITIONS_MASK;
    QC_CHECK((flags & QC_FLAG_RESERVED) == 0, QC_UNSUPPORTED, "frame: reserved flags are set",
             reader->at - 1, flags, 0x1F);
    QC_CHECK(positions < QC_POSITIONS_COUNT, QC_UNSUPPORTED, "frame: positions form",
             reader->at - 1, positions, QC_POSITIONS_COUNT - 1);
    is->chunked = (flags & QC_FLAG_CHUNKED) != 0;
    is->scaled = (flags & QC_FLAG_SCALED) != 0;
    frame->positions = (qc_positions)positions;
    return QC_OK;
}

static qc_status read_features(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &frame->features, "frame: features", error));
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

static qc_status read_shape(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    unsigned dtype, kind_ndim;
    QC_TRY(qc_read_u8(reader, &dtype, "frame: dtype", error));
    QC_CHECK(dtype < QC_DTYPE_COUNT, QC_UNSUPPORTED, "frame: dtype", reader->at - 1, dtype,
             QC_DTYPE_COUNT - 1);
    QC_TRY(qc_read_u8(reader, &kind_ndim, "frame: kind and number of dimensions", error));
    QC_CHECK(kind_ndim >> 4 < QC_KIND_COUNT, QC_UNSUPPORTED, "frame: kind", reader->at - 1,
             kind_ndim >> 4, QC_KIND_COUNT - 1);
    QC_CHECK((kind_ndim & 15) <= QC_MAX_DIMS, QC_CORRUPT, "frame: number of dimensions",
             reader->at - 1, kind_ndim & 15, QC_MAX_DIMS);
    frame->dtype = (qc_dtype)dtype;
    frame->kind = (qc_kind)(kind_ndim >> 4);
    frame->ndim = kind_ndim & 15;
    for (unsigned axis = 0; axis < frame->ndim; axis++)
        QC_TRY(qc_read_vu(reader, &frame->dims[axis], "frame: dimension", error));
    return qc_layout_elements(frame, error);
}

/* Magic to body length; the reader then ends where the body does. */
static qc_status read_head(qc_reader *reader, unsigned flags, qc_frame *frame, head_flags *is,
                           qc_error *error)
{
    unsigned magic, version;
    uint64_t body;
    QC_TRY(qc_read_u8(reader, &magic, "frame: magic", error));
    QC_CHECK(magic == QC_MAGIC_0, QC_CORRUPT, "frame: magic, not a qcodec frame", 0, magic,
             QC_MAGIC_0);
    QC_TRY(qc_read_u8(reader, &magic, "frame: magic", error));
    QC_CHECK(magic == QC_MAGIC_1, QC_CORRUPT, "frame: magic, not a qcodec frame", 1, magic,
             QC_MAGIC_1);
    QC_TRY(qc_read_u8(reader, &version, "frame: version", error));
    QC_CHECK(version == QC_FORMAT_VERSION, QC_UNSUPPORTED, "frame: format version", 2, version,
             QC_FORMAT_VERSION);
    QC_TRY(read_flags(reader, frame, is, error));
    QC_TRY(read_features(reader, frame, error));
    QC_TRY(read_shape(reader, frame, error));
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

static qc_status check_crc(const uint8_t *data, size_t size, uint32_t stored, const char *what,
                           qc_error *error)
{
    uint32_t crc = qc_crc32c(0, data, size);
    QC_CHECK(crc == stored, QC_CHECKSUM, what, size, stored, crc);
    return QC_OK;
}

/* Directory and CRC; the lengths of the chunks fill the rest of the frame exactly. */
static qc_status read_directory(qc_reader *reader, unsigned flags, qc_frame *frame, qc_error *error)
{
    size_t at = reader->at;
    uint64_t bytes = QC_DIRECTORY_ENTRY_BYTES * (uint64_t)frame->chunks, sum = 0;
    const uint8_t *directory, *crc;
    QC_TRY(qc_read_bytes(reader, bytes, &directory, "frame: directory of chunks", error));
    QC_TRY(qc_read_bytes(reader, QC_CRC_BYTES, &crc, "frame: head checksum", error));
    if (flags & QC_VERIFY)
        QC_TRY(check_crc(reader->data, reader->at - QC_CRC_BYTES, qc_load32(crc),
                         "frame: head checksum", error));
    frame->directory_offset = at;
    frame->head_bytes = reader->at;
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
    head_flags is;
    memset(frame, 0, sizeof *frame);
    QC_TRY(read_head(&reader, flags, frame, &is, error));
    if (is.chunked) {
        QC_TRY(qc_read_count(&reader, &frame->chunk_elements, "frame: elements of a chunk", error));
    } else {
        QC_CHECK(frame->frame_bytes - reader.at >= QC_CRC_BYTES, QC_CORRUPT,
                 "frame: body is too short for its checksum", reader.at,
                 frame->frame_bytes - reader.at, QC_CRC_BYTES);
        /* Parameters and chunk end before the CRC. */
        if (reader.size == frame->frame_bytes)
            reader.size -= QC_CRC_BYTES;
    }
    QC_TRY(qc_layout_chunks(frame, QC_CORRUPT, error));
    QC_TRY(qc_layout_values(frame, is.scaled, QC_CORRUPT, error));
    QC_TRY(qc_read_parameters(&reader, frame, is.scaled, error));
    QC_TRY(qc_layout_copies(frame, QC_UNSUPPORTED, error));
    if (is.chunked)
        return read_directory(&reader, flags, frame, error);
    frame->head_bytes = reader.at;
    if ((flags & QC_VERIFY) && (flags & QC_WHOLE))
        return check_crc(reader.data, reader.size, qc_load32(reader.data + reader.size),
                         "frame: checksum", error);
    return QC_OK;
}
