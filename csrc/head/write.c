/*
 * Writes a frame around chunks that are already encoded (docs/format.md, sections 2 and 5).
 */
#include "base/ticker.h"
#include "head/layout.h"
#include "head/parameters_write.h"

/* Bytes that are copied, or checked by a CRC, in one of a ticker's steps: at any speed of memory.
 */
#define STEP_BYTES 64

/* ---- planning ---- */

qc_status qc_frame_plan(qc_frame *frame, qc_error *error)
{
    int has_gaps = frame->positions == QC_GAPS || frame->positions == QC_CSR;
    QC_CHECK((unsigned)frame->dtype < QC_DTYPE_COUNT, QC_INVALID, "frame: dtype", 0, frame->dtype,
             QC_DTYPE_COUNT - 1);
    QC_CHECK((unsigned)frame->kind < QC_KIND_COUNT, QC_INVALID, "frame: kind", 0, frame->kind,
             QC_KIND_COUNT - 1);
    QC_CHECK((unsigned)frame->positions < QC_POSITIONS_COUNT, QC_INVALID, "frame: positions form",
             0, frame->positions, QC_POSITIONS_COUNT - 1);
    QC_CHECK(frame->ndim <= QC_MAX_DIMS, QC_INVALID, "frame: number of dimensions", 0, frame->ndim,
             QC_MAX_DIMS);
    QC_CHECK(!has_gaps || (frame->gap_width >= 1 && frame->gap_width <= 16), QC_INVALID,
             "gaps: width", 0, frame->gap_width, 16);
    QC_TRY(qc_layout_elements(frame, error));
    QC_CHECK(frame->chunk_elements == 0 || frame->chunk_elements >= QC_MIN_CHUNK_ELEMENTS,
             QC_INVALID, "frame: elements of a chunk", 0, frame->chunk_elements,
             QC_MIN_CHUNK_ELEMENTS);
    QC_TRY(qc_plan_notes(&frame->notes, error));
    QC_TRY(qc_layout_chunks(frame, QC_INVALID, QC_INVALID, error));
    QC_TRY(qc_layout_values(frame, frame->scales.count > 0, QC_INVALID, error));
    QC_TRY(qc_plan_parameters(frame, error));
    QC_TRY(qc_layout_copies(frame, QC_INVALID, error));
    frame->params_bytes = qc_parameters_size(frame);
    return QC_OK;
}

/* ---- writing ---- */

/* Of the part that is read before any chunk: notes to CRC. */
static size_t shared_bytes(const qc_frame *frame)
{
    size_t bytes = qc_parameters_size(frame) + QC_CRC_BYTES, notes = frame->notes.size;
    if (notes > 0)
        bytes += qc_vu_size(notes) + notes;
    if (frame->chunk_elements > 0)
        bytes += qc_vu_size(frame->chunk_elements) + frame->chunks * QC_DIRECTORY_ENTRY_BYTES;
    return bytes;
}

static size_t body_bytes(const qc_frame *frame, const qc_bytes *chunks)
{
    size_t bytes = shared_bytes(frame);
    if (frame->chunk_elements > 0)
        bytes += qc_vu_size(bytes);
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

static unsigned flags_of(const qc_frame *frame)
{
    return (frame->chunk_elements > 0 ? QC_FLAG_CHUNKED : 0) |
           (unsigned)frame->positions << QC_FLAG_POSITIONS_SHIFT |
           (frame->scales.count > 0 ? QC_FLAG_SCALED : 0) |
           (frame->notes.size > 0 ? QC_FLAG_NOTES : 0);
}

/* Magic to body length. */
static uint8_t *write_fields(uint8_t *out, const qc_frame *frame, uint64_t features,
                             const qc_bytes *chunks)
{
    *out++ = QC_MAGIC_0;
    *out++ = QC_MAGIC_1;
    *out++ = QC_FORMAT_VERSION;
    *out++ = (uint8_t)flags_of(frame);
    out = qc_append_vu(out, features);
    *out++ = (uint8_t)frame->dtype;
    *out++ = (uint8_t)((unsigned)frame->kind << 4 | frame->ndim);
    for (unsigned axis = 0; axis < frame->ndim; axis++)
        out = qc_append_vu(out, frame->dims[axis]);
    return qc_append_vu(out, body_bytes(frame, chunks));
}

/* What comes between the fields and the parameters. */
static uint8_t *write_before_parameters(uint8_t *out, const qc_frame *frame)
{
    if (frame->chunk_elements > 0)
        out = qc_append_vu(out, shared_bytes(frame));
    if (frame->notes.size > 0) {
        out = qc_append_vu(out, frame->notes.size);
        out = qc_append_bytes(out, frame->notes.bytes, frame->notes.size);
    }
    return frame->chunk_elements > 0 ? qc_append_vu(out, frame->chunk_elements) : out;
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
    at = write_before_parameters(at, frame);
    at = qc_write_parameters(at, frame);
    if (frame->chunk_elements > 0) {
        QC_TRY(write_directory(at, frame, chunks, &ticker, error));
        at = write_crc(at + frame->chunks * QC_DIRECTORY_ENTRY_BYTES, start);
    }
    for (size_t i = 0; i < frame->chunks; i++) {
        QC_TICK(&ticker, chunks[i].size / STEP_BYTES);
        if (chunks[i].data != at)
            qc_append_bytes(at, chunks[i].data, chunks[i].size);
        at += chunks[i].size;
    }
    if (frame->chunk_elements == 0)
        write_crc(at, start);
    return QC_OK;
}
