/*
 * Reads a frame's head (docs/format.md, sections 2 and 5).
 *
 * Every field is read once into a local or into `frame`, checked there, and never read again: the
 * caller's buffer may change under us.
 */
#include "head/layout.h"

static qc_status read_flags(qc_reader *reader, qc_frame *frame, int *chunked, qc_error *error)
{
    unsigned flags;
    QC_TRY(qc_read_u8(reader, &flags, "frame: flags", error));
    unsigned positions = flags >> QC_FLAG_POSITIONS_SHIFT & QC_FLAG_POSITIONS_MASK;
    QC_CHECK((flags & QC_FLAG_RESERVED) == 0, QC_UNSUPPORTED, "frame: reserved flags are set",
             reader->at - 1, flags, 0x1F);
    QC_CHECK(positions <= QC_BITS, QC_UNSUPPORTED, "frame: positions form", reader->at - 1,
             positions, QC_BITS);
    *chunked = (flags & QC_FLAG_CHUNKED) != 0;
    frame->positions = (qc_positions)positions;
    frame->scaled = (flags & QC_FLAG_SCALED) != 0;
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
static qc_status read_head(qc_reader *reader, unsigned flags, qc_frame *frame, int *chunked,
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
    QC_TRY(read_flags(reader, frame, chunked, error));
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
    /* Running into the body's end is now a lie of the length, not a short input. */
    if (reader->size == frame->frame_bytes)
        reader->length_known = 1;
    return QC_OK;
}

static qc_status read_count(qc_reader *reader, size_t *count, const char *what, qc_error *error)
{
    uint64_t value;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &value, what, error));
    QC_CHECK(value >= 1 && value <= SIZE_MAX, QC_CORRUPT, what, at, value, SIZE_MAX);
    *count = (size_t)value;
    return QC_OK;
}

/* ---- coded parameters: their bodies are stepped over ---- */

/* `count` values of `size` bytes, coded: how many they may be follows from the tensor. */
static qc_status check_coded(qc_frame *frame, size_t at, uint64_t count, size_t size,
                             qc_error *error)
{
    size_t most = qc_most_coded(frame);
    QC_CHECK(count <= most, QC_CORRUPT, "parameters: number of coded values", at, count, most);
    frame->undecoded = 1;
    return qc_to_size(frame->coded_bytes + count * size, &frame->coded_bytes,
                      "parameters: coded values are larger than this machine's memory", at, error);
}

static qc_status read_body(qc_reader *reader, qc_coded *coded, const char *what, qc_error *error)
{
    uint64_t size;
    QC_TRY(qc_read_vu(reader, &size, what, error));
    coded->offset = reader->at;
    QC_TRY(qc_read_bytes(reader, size, &coded->body, what, error));
    coded->size = (size_t)size;
    return QC_OK;
}

/* floats(rows, entries), `count` in all: bounded by the bytes that are there, or by the tensor,
   before anything is made of it. */
static qc_status read_floats(qc_reader *reader, qc_frame *frame, uint64_t count, qc_dtype dtype,
                             const uint8_t **floats, qc_coded *coded, const char *what,
                             qc_error *error)
{
    size_t size = qc_dtype_size(dtype);
    QC_TRY(qc_read_u8(reader, &coded->how, what, error));
    QC_CHECK(coded->how <= QC_FLOATS_PERMUTED, QC_UNSUPPORTED, "parameters: how floats are stored",
             reader->at - 1, coded->how, QC_FLOATS_PERMUTED);
    if (coded->how != QC_FLOATS_VERBATIM) {
        /* Permuted ones come with their order, a byte each. */
        size += coded->how == QC_FLOATS_PERMUTED;
        QC_TRY(check_coded(frame, reader->at - 1, count, size, error));
        return read_body(reader, coded, what, error);
    }
    QC_CHECK(count <= UINT64_MAX / size, QC_SHORT(reader), what, reader->at, count,
             reader->size - reader->at);
    return qc_read_bytes(reader, count * size, floats, what, error);
}

/* The zero points at the end, one a scale. */
static qc_status read_zero_points(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    qc_coded *coded = &frame->coded_zero_points, body = {0};
    size_t at = reader->at;
    unsigned coding;
    if (coded->how == QC_ZERO_MODE_CODED) {
        QC_TRY(check_coded(frame, at, frame->scale_count, 2, error));
        QC_TRY(qc_read_u8(reader, &coding, "affine: zero points", error));
        QC_TRY(read_body(reader, &body, "affine: zero points", error));
        coded->body = reader->data + at;
        coded->size = reader->at - at;
        coded->offset = at;
        return QC_OK;
    }
    return qc_read_bytes(reader, 2 * (uint64_t)frame->scale_count, &frame->zero_points,
                         "affine: zero points", error);
}

/* ---- parameters ---- */

static qc_status read_affine(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    uint64_t zero_point;
    QC_TRY(qc_read_u8(reader, &frame->width, "affine: width", error));
    QC_CHECK(frame->width >= 1 && frame->width <= 16, QC_CORRUPT, "affine: width", reader->at - 1,
             frame->width, 16);
    unsigned mode;
    QC_TRY(qc_read_u8(reader, &mode, "affine: zero mode", error));
    QC_CHECK(mode <= QC_ZERO_MODE_CODED, QC_UNSUPPORTED, "affine: zero mode", reader->at - 1, mode,
             QC_ZERO_MODE_CODED);
    QC_CHECK(mode == QC_ZERO_MODE_ONE || frame->scaled, QC_CORRUPT,
             "affine: zero points by group need scales", reader->at - 1, mode, 0);
    frame->zero_mode = mode != QC_ZERO_MODE_ONE ? QC_ZERO_MODE_GROUP : QC_ZERO_MODE_ONE;
    frame->coded_zero_points.how = mode == QC_ZERO_MODE_CODED ? QC_ZERO_MODE_CODED : 0;
    if (mode != QC_ZERO_MODE_ONE)
        return QC_OK;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &zero_point, "affine: zero point", error));
    QC_CHECK(zero_point <= UINT16_MAX, QC_CORRUPT, "affine: zero point", at, zero_point,
             UINT16_MAX);
    frame->zero_point = (uint32_t)zero_point;
    return QC_OK;
}

static qc_status read_codebook(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    unsigned last, dtype;
    QC_TRY(qc_read_u8(reader, &last, "codebook: entries", error));
    QC_TRY(qc_read_u8(reader, &dtype, "codebook: dtype", error));
    QC_CHECK(dtype <= QC_BF16, QC_UNSUPPORTED, "codebook: dtype", reader->at - 1, dtype, QC_BF16);
    frame->entries = last + 1;
    frame->width = qc_codebook_width(frame->entries);
    frame->codebook_dtype = (qc_dtype)dtype;
    QC_TRY(read_count(reader, &frame->books, "codebook: number of books", error));
    frame->book_inner = 1;
    if (frame->books > 1)
        QC_TRY(
            read_count(reader, &frame->book_inner, "codebook: elements that share a book", error));
    return read_floats(reader, frame, (uint64_t)frame->books * frame->entries,
                       frame->codebook_dtype, &frame->codebook, &frame->coded_codebook,
                       "codebook: entries", error);
}

static qc_status read_side(qc_reader *reader, unsigned *side, qc_error *error)
{
    QC_TRY(qc_read_u8(reader, side, "delta: side of a kernel", error));
    QC_CHECK(*side >= 1, QC_CORRUPT, "delta: side of a kernel", reader->at - 1, 0, 1);
    return QC_OK;
}

static qc_status read_delta(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    uint64_t step;
    QC_TRY(qc_read_bytes(reader, QC_DELTA_DIGEST_BYTES, &frame->digest, "delta: digest of the base",
                         error));
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &step, "delta: step", error));
    QC_CHECK(step < QC_DELTA_STEP_LIMIT, QC_CORRUPT, "delta: step", at, step,
             QC_DELTA_STEP_LIMIT - 1);
    frame->step = (unsigned)step;
    QC_TRY(read_side(reader, &frame->kernel_width, error));
    return read_side(reader, &frame->kernel_height, error);
}

static qc_status read_scales(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    unsigned dtype;
    QC_TRY(qc_read_u8(reader, &dtype, "scale: dtype", error));
    QC_CHECK(dtype <= QC_BF16 || dtype == QC_F8E4M3 || dtype == QC_E8M0, QC_UNSUPPORTED,
             "scale: dtype", reader->at - 1, dtype, QC_E8M0);
    frame->scale_dtype = (qc_dtype)dtype;
    QC_TRY(read_count(reader, &frame->scale_inner, "scale: elements that share one", error));
    QC_TRY(read_count(reader, &frame->scale_count, "scale: number of groups", error));
    return read_floats(reader, frame, frame->scale_count, frame->scale_dtype, &frame->scales,
                       &frame->coded_scales, "scale: values", error);
}

static qc_status read_parameters(qc_reader *reader, qc_frame *frame, qc_error *error)
{
    frame->params_offset = reader->at;
    if (frame->kind == QC_AFFINE)
        QC_TRY(read_affine(reader, frame, error));
    if (frame->kind == QC_CODEBOOK)
        QC_TRY(read_codebook(reader, frame, error));
    if (frame->kind == QC_DELTA)
        QC_TRY(read_delta(reader, frame, error));
    if (frame->positions == QC_GAPS || frame->positions == QC_CSR) {
        QC_TRY(qc_read_u8(reader, &frame->gap_width, "gaps: width", error));
        QC_CHECK(frame->gap_width >= 1 && frame->gap_width <= 16, QC_CORRUPT, "gaps: width",
                 reader->at - 1, frame->gap_width, 16);
    }
    if (frame->scaled)
        QC_TRY(read_scales(reader, frame, error));
    if (frame->kind == QC_AFFINE && frame->zero_mode == QC_ZERO_MODE_GROUP)
        QC_TRY(read_zero_points(reader, frame, error));
    frame->params_bytes = reader->at - frame->params_offset;
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
    int chunked;
    memset(frame, 0, sizeof *frame);
    QC_TRY(read_head(&reader, flags, frame, &chunked, error));
    if (chunked) {
        QC_TRY(read_count(&reader, &frame->chunk_elements, "frame: elements of a chunk", error));
    } else {
        QC_CHECK(frame->frame_bytes - reader.at >= QC_CRC_BYTES, QC_CORRUPT,
                 "frame: body is too short for its checksum", reader.at,
                 frame->frame_bytes - reader.at, QC_CRC_BYTES);
        /* Parameters and chunk end before the CRC. */
        if (reader.size == frame->frame_bytes)
            reader.size -= QC_CRC_BYTES;
    }
    QC_TRY(qc_layout_chunks(frame, QC_CORRUPT, error));
    QC_TRY(qc_layout_values(frame, QC_CORRUPT, error));
    QC_TRY(read_parameters(&reader, frame, error));
    if (chunked)
        return read_directory(&reader, flags, frame, error);
    frame->head_bytes = reader.at;
    if ((flags & QC_VERIFY) && (flags & QC_WHOLE))
        return check_crc(reader.data, reader.size, qc_load32(reader.data + reader.size),
                         "frame: checksum", error);
    return QC_OK;
}

qc_status qc_chunk_next(const qc_frame *frame, const void *head, const qc_chunk *previous,
                        qc_chunk *chunk, qc_error *error)
{
    size_t index = previous != NULL ? previous->index + 1 : 0;
    size_t offset = previous != NULL ? previous->offset + previous->bytes : frame->head_bytes;
    size_t first = index * frame->chunk_elements;
    QC_CHECK(index < frame->chunks, QC_INVALID, "frame: no more chunks", offset, index,
             frame->chunks);
    chunk->index = index;
    chunk->offset = offset;
    chunk->first = first;
    if (frame->chunk_elements == 0) {
        chunk->bytes = frame->frame_bytes - QC_CRC_BYTES - offset;
        chunk->crc = 0;
        chunk->elements = frame->elements;
        return QC_OK;
    }
    /* The directory is read here again, after qc_frame_read has added up its lengths: so they are
       checked again. */
    const uint8_t *entry =
        (const uint8_t *)head + frame->directory_offset + index * QC_DIRECTORY_ENTRY_BYTES;
    chunk->bytes = qc_load32(entry);
    chunk->crc = qc_load32(entry + 4);
    chunk->elements = frame->elements - first < frame->chunk_elements ? frame->elements - first
                                                                      : frame->chunk_elements;
    QC_CHECK(chunk->bytes <= frame->frame_bytes - offset, QC_CORRUPT,
             "frame: chunk lengths exceed the frame", offset, chunk->bytes,
             frame->frame_bytes - offset);
    return QC_OK;
}

qc_status qc_frame_chunks(const qc_frame *frame, const void *head, qc_chunk *chunks,
                          qc_error *error)
{
    for (size_t i = 0; i < frame->chunks; i++)
        QC_TRY(qc_chunk_next(frame, head, i > 0 ? &chunks[i - 1] : NULL, &chunks[i], error));
    return QC_OK;
}

static qc_status read_stream_info(qc_reader *reader, unsigned role, qc_stream_info *info,
                                  qc_error *error)
{
    size_t at = reader->at;
    uint64_t body;
    const uint8_t *bytes;
    QC_TRY(qc_read_u8(reader, &info->coding, "stream: coding", error));
    QC_CHECK(info->coding < QC_CODING_COUNT, QC_UNSUPPORTED, "stream: coding", at, info->coding,
             QC_CODING_COUNT - 1);
    QC_TRY(qc_read_vu(reader, &body, "stream: body length", error));
    QC_TRY(qc_read_bytes(reader, body, &bytes, "stream: body", error));
    info->role = role;
    info->bytes = reader->at - at;
    return QC_OK;
}

static qc_status skip_fields_head(qc_reader *reader, qc_error *error)
{
    unsigned mantissa_bits;
    uint64_t number;
    QC_TRY(qc_read_u8(reader, &mantissa_bits, "fields: mantissa bits", error));
    QC_TRY(qc_read_vu(reader, &number, "fields: base exponent", error));
    return qc_read_vu(reader, &number, "fields: escapes", error);
}

qc_status qc_chunk_streams(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           qc_stream_info *infos, size_t *count, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    uint64_t entries;
    size_t n = 0;
    if (frame->positions != QC_DENSE)
        QC_TRY(qc_read_vu(&reader, &entries, "positions: entries", error));
    if (frame->kind == QC_DELTA) {
        QC_TRY(qc_read_vu(&reader, &entries, "delta: bytes of low bits", error));
        QC_TRY(qc_read_vu(&reader, &entries, "delta: escapes", error));
    }
    if (qc_mask_width(frame->positions) > 0)
        QC_TRY(read_stream_info(&reader, QC_ROLE_MASK, &infos[n++], error));
    if (frame->positions == QC_CSR)
        QC_TRY(read_stream_info(&reader, QC_ROLE_ROW_COUNTS, &infos[n++], error));
    if (frame->positions == QC_CSR || frame->positions == QC_GAPS)
        QC_TRY(read_stream_info(&reader, QC_ROLE_GAPS, &infos[n++], error));
    if (frame->kind == QC_FIELDS) {
        QC_TRY(skip_fields_head(&reader, error));
        QC_TRY(
            read_stream_info(&reader, QC_ROLE_VALUES + frame->value_streams, &infos[n++], error));
    }
    for (unsigned plane = 0; plane < frame->value_streams; plane++)
        QC_TRY(read_stream_info(&reader, QC_ROLE_VALUES + plane, &infos[n++], error));
    *count = n;
    return QC_OK;
}

qc_status qc_coded_streams(const qc_coded *coded, qc_dtype dtype, qc_stream_info *infos,
                           size_t *count, qc_error *error)
{
    qc_reader reader = qc_reader_of(coded->body, coded->size, 1);
    size_t streams = 1; /* of zero points, and of deltas */
    if (coded->how == QC_FLOATS_PLANES)
        streams = qc_dtype_size(dtype);
    else if (coded->how == QC_FLOATS_PERMUTED)
        streams = 2;
    for (unsigned i = 0; i < streams; i++)
        QC_TRY(read_stream_info(&reader, QC_ROLE_VALUES + i, &infos[i], error));
    *count = streams;
    return QC_OK;
}
