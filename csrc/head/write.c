/*
 * Writes a frame around chunks that are already encoded (docs/format.md, sections 2 and 5).
 */
#include "base/ticker.h"
#include "head/layout.h"

/* Bytes that are copied, or checked by a CRC, in one of a ticker's steps: at any speed of memory.
 */
#define STEP_BYTES 64

/* ---- planning ---- */

static qc_status check_affine(const qc_frame *frame, qc_error *error)
{
    QC_CHECK(frame->width >= 1 && frame->width <= 16, QC_INVALID, "affine: width", 0, frame->width,
             16);
    QC_CHECK(frame->zero_mode <= 1 && (frame->zero_mode == 0 || frame->scaled), QC_INVALID,
             "affine: zero points by group need scales", 0, frame->zero_mode, frame->scaled);
    QC_CHECK(frame->zero_point <= UINT16_MAX, QC_INVALID, "affine: zero point", 0,
             frame->zero_point, UINT16_MAX);
    return QC_OK;
}

static qc_status check_codebook(const qc_frame *frame, qc_error *error)
{
    QC_CHECK(frame->entries >= 1 && frame->entries <= 256, QC_INVALID, "codebook: entries", 0,
             frame->entries, 256);
    QC_CHECK(frame->codebook_dtype <= QC_BF16, QC_INVALID, "codebook: dtype", 0,
             frame->codebook_dtype, QC_BF16);
    QC_CHECK(frame->books >= 1 && frame->book_inner >= 1, QC_INVALID, "codebook: books", 0,
             frame->books, frame->book_inner);
    return QC_OK;
}

static qc_status check_scales(const qc_frame *frame, qc_error *error)
{
    QC_CHECK(frame->scale_dtype <= QC_BF16 || frame->scale_dtype == QC_F8E4M3 ||
                 frame->scale_dtype == QC_E8M0,
             QC_INVALID, "scale: dtype", 0, frame->scale_dtype, QC_E8M0);
    QC_CHECK(frame->scale_count >= 1 && frame->scale_inner >= 1, QC_INVALID, "scale: groups", 0,
             frame->scale_count, frame->scale_inner);
    return QC_OK;
}

static qc_status check_delta(const qc_frame *frame, qc_error *error)
{
    QC_CHECK(frame->digest != NULL && frame->base != NULL, QC_INVALID, "delta: the base is missing",
             0, 0, 1);
    QC_CHECK(frame->step < QC_DELTA_STEP_LIMIT, QC_INVALID, "delta: step", 0, frame->step,
             QC_DELTA_STEP_LIMIT - 1);
    QC_CHECK(frame->kernel_width >= 1 && frame->kernel_width <= QC_DELTA_MAX_SIDE &&
                 frame->kernel_height >= 1 && frame->kernel_height <= QC_DELTA_MAX_SIDE,
             QC_INVALID, "delta: sides of a kernel", 0, frame->kernel_width, frame->kernel_height);
    return QC_OK;
}

static size_t floats_size(size_t count, qc_dtype dtype, const qc_coded *coded)
{
    if (coded->how != QC_FLOATS_VERBATIM)
        return 1 + qc_vu_size(coded->size) + coded->size;
    return 1 + count * qc_dtype_size(dtype);
}

static size_t parameter_bytes(const qc_frame *frame)
{
    size_t bytes = 0;
    if (frame->kind == QC_AFFINE)
        bytes += 2 + (frame->zero_mode == 0 ? qc_vu_size(frame->zero_point) : 0);
    if (frame->kind == QC_CODEBOOK)
        bytes += 2 + qc_vu_size(frame->books) +
                 (frame->books > 1 ? qc_vu_size(frame->book_inner) : 0) +
                 floats_size(frame->books * frame->entries, frame->codebook_dtype,
                             &frame->coded_codebook);
    if (frame->kind == QC_DELTA)
        bytes += QC_DELTA_DIGEST_BYTES + qc_vu_size(frame->step) + 2;
    if (frame->positions == QC_GAPS || frame->positions == QC_CSR)
        bytes += 1;
    if (frame->scaled)
        bytes += 1 + qc_vu_size(frame->scale_inner) + qc_vu_size(frame->scale_count) +
                 floats_size(frame->scale_count, frame->scale_dtype, &frame->coded_scales);
    if (frame->kind == QC_AFFINE && frame->zero_mode == QC_ZERO_MODE_GROUP)
        bytes += frame->coded_zero_points.how != 0 ? frame->coded_zero_points.size
                                                   : 2 * frame->scale_count;
    return bytes;
}

qc_status qc_frame_plan(qc_frame *frame, qc_error *error)
{
    int has_gaps = frame->positions == QC_GAPS || frame->positions == QC_CSR;
    QC_CHECK((unsigned)frame->dtype < QC_DTYPE_COUNT, QC_INVALID, "frame: dtype", 0, frame->dtype,
             QC_DTYPE_COUNT - 1);
    QC_CHECK((unsigned)frame->kind < QC_KIND_COUNT, QC_INVALID, "frame: kind", 0, frame->kind,
             QC_KIND_COUNT - 1);
    QC_CHECK((unsigned)frame->positions <= QC_BITS, QC_INVALID, "frame: positions form", 0,
             frame->positions, QC_BITS);
    QC_CHECK(frame->ndim <= QC_MAX_DIMS, QC_INVALID, "frame: number of dimensions", 0, frame->ndim,
             QC_MAX_DIMS);
    QC_CHECK(!has_gaps || (frame->gap_width >= 1 && frame->gap_width <= 16), QC_INVALID,
             "gaps: width", 0, frame->gap_width, 16);
    QC_TRY(qc_layout_elements(frame, error));
    QC_TRY(qc_layout_chunks(frame, QC_INVALID, error));
    QC_TRY(qc_layout_values(frame, QC_INVALID, error));
    if (frame->kind == QC_AFFINE)
        QC_TRY(check_affine(frame, error));
    if (frame->kind == QC_CODEBOOK) {
        QC_TRY(check_codebook(frame, error));
        frame->width = qc_codebook_width(frame->entries);
    }
    if (frame->kind == QC_DELTA)
        QC_TRY(check_delta(frame, error));
    if (frame->scaled)
        QC_TRY(check_scales(frame, error));
    frame->coded_codebook.how = frame->coded_scales.how = frame->coded_zero_points.how = 0;
    frame->params_bytes = parameter_bytes(frame);
    return QC_OK;
}

/* ---- writing ---- */

static size_t body_bytes(const qc_frame *frame, const qc_bytes *chunks)
{
    size_t bytes = parameter_bytes(frame) + QC_CRC_BYTES;
    if (frame->chunk_elements > 0)
        bytes += qc_vu_size(frame->chunk_elements) + frame->chunks * QC_DIRECTORY_ENTRY_BYTES;
    for (size_t i = 0; i < frame->chunks; i++)
        bytes += chunks[i].size;
    return bytes;
}

size_t qc_frame_size(const qc_frame *frame, uint64_t features, const qc_bytes *chunks)
{
    size_t body = body_bytes(frame, chunks);
    size_t bytes = 4 + qc_vu_size(features) + 2 + qc_vu_size(body) + body;
    for (unsigned axis = 0; axis < frame->ndim; axis++)
        bytes += qc_vu_size(frame->dims[axis]);
    return bytes;
}

static uint8_t *write_bytes(uint8_t *out, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(out, bytes, size);
    return out + size;
}

static uint8_t *write_vu(uint8_t *out, uint64_t value) { return out + qc_write_vu(out, value); }

static uint8_t *write_floats(uint8_t *out, const uint8_t *floats, size_t count, qc_dtype dtype,
                             const qc_coded *coded)
{
    *out++ = (uint8_t)coded->how;
    if (coded->how != QC_FLOATS_VERBATIM)
        return write_bytes(write_vu(out, coded->size), coded->body, coded->size);
    return write_bytes(out, floats, count * qc_dtype_size(dtype));
}

static uint8_t *write_fields(uint8_t *out, const qc_frame *frame, uint64_t features,
                             const qc_bytes *chunks)
{
    *out++ = QC_MAGIC_0;
    *out++ = QC_MAGIC_1;
    *out++ = QC_FORMAT_VERSION;
    *out++ = (uint8_t)((frame->chunk_elements > 0 ? QC_FLAG_CHUNKED : 0) |
                       (unsigned)frame->positions << QC_FLAG_POSITIONS_SHIFT |
                       (frame->scaled ? QC_FLAG_SCALED : 0));
    out = write_vu(out, features);
    *out++ = (uint8_t)frame->dtype;
    *out++ = (uint8_t)((unsigned)frame->kind << 4 | frame->ndim);
    for (unsigned axis = 0; axis < frame->ndim; axis++)
        out = write_vu(out, frame->dims[axis]);
    out = write_vu(out, body_bytes(frame, chunks));
    return frame->chunk_elements > 0 ? write_vu(out, frame->chunk_elements) : out;
}

static uint8_t *write_parameters(uint8_t *out, const qc_frame *frame)
{
    if (frame->kind == QC_AFFINE) {
        *out++ = (uint8_t)frame->width;
        *out++ = (uint8_t)(frame->coded_zero_points.how != 0 ? frame->coded_zero_points.how
                                                             : frame->zero_mode);
        if (frame->zero_mode == QC_ZERO_MODE_ONE)
            out = write_vu(out, frame->zero_point);
    }
    if (frame->kind == QC_CODEBOOK) {
        *out++ = (uint8_t)(frame->entries - 1);
        *out++ = (uint8_t)frame->codebook_dtype;
        out = write_vu(out, frame->books);
        if (frame->books > 1)
            out = write_vu(out, frame->book_inner);
        out = write_floats(out, frame->codebook, frame->books * frame->entries,
                           frame->codebook_dtype, &frame->coded_codebook);
    }
    if (frame->kind == QC_DELTA) {
        out = write_bytes(out, frame->digest, QC_DELTA_DIGEST_BYTES);
        out = write_vu(out, frame->step);
        *out++ = (uint8_t)frame->kernel_width;
        *out++ = (uint8_t)frame->kernel_height;
    }
    if (frame->positions == QC_GAPS || frame->positions == QC_CSR)
        *out++ = (uint8_t)frame->gap_width;
    if (frame->scaled) {
        *out++ = (uint8_t)frame->scale_dtype;
        out = write_vu(out, frame->scale_inner);
        out = write_vu(out, frame->scale_count);
        out = write_floats(out, frame->scales, frame->scale_count, frame->scale_dtype,
                           &frame->coded_scales);
    }
    if (frame->kind != QC_AFFINE || frame->zero_mode != QC_ZERO_MODE_GROUP)
        return out;
    if (frame->coded_zero_points.how != 0)
        return write_bytes(out, frame->coded_zero_points.body, frame->coded_zero_points.size);
    return write_bytes(out, frame->zero_points, 2 * frame->scale_count);
}

static qc_status write_directory(uint8_t *out, const qc_frame *frame, const qc_bytes *chunks,
                                 qc_ticker *ticker, qc_error *error)
{
    for (size_t i = 0; i < frame->chunks; i++, out += QC_DIRECTORY_ENTRY_BYTES) {
        QC_TICK(ticker, chunks[i].size / STEP_BYTES);
        qc_store32(out, (uint32_t)chunks[i].size);
        qc_store32(out + 4, qc_crc32c(0, chunks[i].data, chunks[i].size));
    }
    return QC_OK;
}

static uint8_t *write_crc(uint8_t *out, const uint8_t *frame_start)
{
    qc_store32(out, qc_crc32c(0, frame_start, (size_t)(out - frame_start)));
    return out + QC_CRC_BYTES;
}

qc_status qc_frame_write(const qc_frame *frame, uint64_t features, const qc_bytes *chunks,
                         void *out, size_t capacity, qc_error *error)
{
    size_t size = qc_frame_size(frame, features, chunks);
    uint8_t *start = out;
    qc_ticker ticker = qc_ticker_of(frame->poll);
    QC_CHECK(capacity >= size, QC_NO_SPACE, "frame: output", 0, capacity, size);
    for (size_t i = 0; i < frame->chunks; i++)
        QC_CHECK(chunks[i].size <= UINT32_MAX, QC_INVALID, "frame: chunk is too large", i,
                 chunks[i].size, UINT32_MAX);
    uint8_t *at = write_fields(start, frame, features, chunks);
    at = write_parameters(at, frame);
    if (frame->chunk_elements > 0) {
        QC_TRY(write_directory(at, frame, chunks, &ticker, error));
        at = write_crc(at + frame->chunks * QC_DIRECTORY_ENTRY_BYTES, start);
    }
    for (size_t i = 0; i < frame->chunks; i++) {
        QC_TICK(&ticker, chunks[i].size / STEP_BYTES);
        at = write_bytes(at, chunks[i].data, chunks[i].size);
    }
    if (frame->chunk_elements == 0)
        write_crc(at, start);
    return QC_OK;
}
