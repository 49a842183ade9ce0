/*
 * Chunks and frames, decoded end to end: positions and values pulled in step, into the caller's
 * buffer.
 */
#include "body/code_row.h"
#include "body/positions_decode.h"
#include "body/values_decode.h"
#include "codings/routers/router_decode.h"
#include "head/layout.h"

typedef struct decode_workspace {
    qc_value_decoder values;
    qc_position_decoder positions;
    qc_stream_shared shared;
    qc_router_state router;
    uint32_t block_positions[QC_VALUE_BLOCK];
    uint8_t block[QC_VALUE_STRIDE * QC_MAX_ITEM_BYTES];
    qc_code_row row;
} decode_workspace;

#define WORKSPACE_ALIGNMENT 16
_Static_assert(sizeof(decode_workspace) + WORKSPACE_ALIGNMENT <= QC_WORKSPACE_BYTES,
               "QC_WORKSPACE_BYTES holds a decoder");

/* The range of a chunk that is asked for, and where it goes. */
typedef struct target {
    size_t first, count;
    uint8_t *out; /* NULL: check only */
    size_t size;  /* bytes of an output element */
    int whole;    /* all of the chunk: so everything can be checked */
} target;

/* About the size of an L3: a larger output is no longer in the caches when it is read. */
#define CACHE_BYTES ((size_t)32 << 20)

static decode_workspace *align(void *workspace)
{
    uintptr_t address = (uintptr_t)workspace;
    size_t step = (WORKSPACE_ALIGNMENT - address % WORKSPACE_ALIGNMENT) % WORKSPACE_ALIGNMENT;
    return (decode_workspace *)((uint8_t *)workspace + step);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* What decodes the bytes afterwards trusts none of them for that: they may have changed. */
static qc_status check_chunk_crc(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                 unsigned flags, qc_error *error)
{
    if (frame->chunk_elements == 0 || (flags & QC_VERIFY) == 0)
        return QC_OK;
    uint32_t crc = qc_crc32c(0, bytes, chunk->bytes);
    QC_CHECK(crc == chunk->crc, QC_CHECKSUM, "chunk: checksum", chunk->offset, chunk->crc, crc);
    return QC_OK;
}

static qc_status check_end(const qc_reader *reader, qc_error *error)
{
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "chunk: bytes follow its streams", reader->at,
             reader->size, reader->at);
    return QC_OK;
}

/* Elements to keep for later, so that what is written after these begins where a whole number of
   vectors begins in memory: non-temporal stores fill no part of a line. */
static size_t over(const uint8_t *out, size_t count, size_t size)
{
    uintptr_t end = (uintptr_t)out + count * size;
    return end % size == 0 ? end % (QC_VALUE_KEEP * size) / size : 0;
}

/* All of a chunk, every element of which is stored, past the caches. */
static qc_status decode_past_cache(decode_workspace *work, const qc_chunk *chunk,
                                   const target *target, qc_error *error)
{
    uint8_t *out = target->out;
    size_t keep = 0, written = 0;
    for (size_t at = 0; at < chunk->elements;) {
        size_t pulled = smaller(QC_VALUE_BLOCK, chunk->elements - at), count = keep + pulled;
        QC_TRY(qc_values_pull(&work->values, pulled, keep, error));
        at += pulled;
        keep = at < chunk->elements ? smaller(over(out, count, target->size), pulled) : 0;
        count -= keep;
        qc_values_write(&work->values, 0, count, chunk->first + written, NULL, out);
        out += count * target->size;
        written += count;
    }
    return QC_OK;
}

/* Every element is stored. Blocks begin at multiples of QC_STREAM_BLOCK, the range need not. */
static qc_status decode_dense(decode_workspace *work, const qc_chunk *chunk, const target *target,
                              qc_error *error)
{
    size_t at = target->first - target->first % QC_STREAM_BLOCK;
    size_t end = target->first + target->count;
    QC_TRY(qc_values_skip(&work->values, at, error));
    while (at < end) {
        size_t pulled = smaller(QC_VALUE_BLOCK, chunk->elements - at);
        size_t from = at < target->first ? target->first - at : 0;
        size_t count = smaller(pulled, end - at) - from;
        QC_TRY(qc_values_pull(&work->values, pulled, 0, error));
        if (target->out != NULL) {
            uint8_t *out = target->out + (at + from - target->first) * target->size;
            qc_values_write(&work->values, from, count, chunk->first + at + from, NULL, out);
        }
        at += pulled;
    }
    return QC_OK;
}

/* Put a block of stored elements where they belong. */
static void scatter(const decode_workspace *work, size_t count, const target *target)
{
    size_t size = target->size;
    for (size_t i = 0; i < count; i++) {
        size_t index = work->block_positions[i] - target->first; /* before: wraps to a huge one */
        if (index < target->count)
            memcpy(target->out + index * size, work->block + i * size, size);
    }
}

/* Stored elements behind the first `drop` of the pulled block. */
static void write_sparse(decode_workspace *work, const qc_chunk *chunk, size_t drop, size_t count,
                         const target *target, int by_row)
{
    if (by_row) {
        qc_code_row_put(&work->row, work->block_positions, work->values.blocks[0] + drop, count);
        return;
    }
    if (target->out == NULL)
        return;
    qc_values_write(&work->values, drop, count, chunk->first, work->block_positions, work->block);
    scatter(work, count, target);
}

static qc_status pull_sparse(decode_workspace *work, const qc_chunk *chunk, const target *target,
                             int by_row, qc_error *error)
{
    qc_position_decoder *positions = &work->positions;
    size_t before, end = target->first + target->count;
    QC_TRY(qc_positions_seek(positions, target->count > 0 ? target->first : 0, &before, error));
    size_t drop =
        before % QC_STREAM_BLOCK; /* stored elements of the first block that come before */
    QC_TRY(qc_values_skip(&work->values, before - drop, error));
    while (positions->left > 0) {
        size_t count = smaller(QC_VALUE_BLOCK - drop, positions->left);
        QC_TRY(qc_values_pull(&work->values, drop + count, 0, error));
        QC_TRY(qc_positions_next(positions, work->block_positions, count, error));
        write_sparse(work, chunk, drop, count, target, by_row);
        if (!target->whole && work->block_positions[count - 1] >= end)
            return QC_OK;
        drop = 0;
    }
    return QC_OK;
}

static qc_status decode_sparse(decode_workspace *work, const qc_chunk *chunk, const target *target,
                               qc_error *error)
{
    qc_value_decoder *values = &work->values;
    int by_row = target->out != NULL && values->has_table && qc_code_row_suits(&values->table);
    if (target->count == 0 && !target->whole)
        return QC_OK;
    if (by_row)
        qc_code_row_open(&work->row, &values->table, target->first, target->count, target->out,
                         values->past_cache);
    else if (target->out != NULL && target->count > 0)
        memset(target->out, 0, target->count * target->size);
    QC_TRY(pull_sparse(work, chunk, target, by_row, error));
    if (by_row)
        qc_code_row_close(&work->row);
    return QC_OK;
}

/* As qc_chunk_decode; the workspace has its ticker already. */
static qc_status decode_elements(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                 size_t first, size_t count, qc_dtype out_dtype, void *out,
                                 unsigned flags, decode_workspace *work, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    int sparse = frame->positions != QC_DENSE;
    QC_CHECK(first <= chunk->elements && count <= chunk->elements - first, QC_INVALID,
             "decode: the range is beyond the chunk", 0, count, chunk->elements);
    QC_CHECK(out == NULL || !frame->undecoded, QC_INVALID,
             "decode: the parameters are not decoded yet", 0, 0, 0);
    QC_TRY(check_chunk_crc(frame, chunk, bytes, flags, error));
    target target = {first, count, out, qc_dtype_size(out_dtype), count == chunk->elements};
    size_t stored = chunk->elements;
    work->shared.router = &work->router;
    if (sparse) {
        QC_TRY(qc_positions_open(&work->positions, frame, chunk, &work->shared, &reader, error));
        stored = work->positions.entries;
    }
    QC_TRY(qc_values_open(&work->values, frame, chunk->first, stored, out_dtype, &work->shared,
                          &reader, error));
    QC_TRY(check_end(&reader, error));
    int past_cache = target.whole && out != NULL && frame->elements >= CACHE_BYTES / target.size;
    work->values.past_cache = past_cache;
    QC_TRY(sparse       ? decode_sparse(work, chunk, &target, error)
           : past_cache ? decode_past_cache(work, chunk, &target, error)
                        : decode_dense(work, chunk, &target, error));
    if (past_cache)
        qc_look_up_fence();
    if (!target.whole)
        return QC_OK;
    if (sparse)
        QC_TRY(qc_positions_finish(&work->positions, error));
    return qc_values_finish(&work->values, error);
}

/* The same numbers whatever mode the calling thread is in. */
static qc_status decode_chunk(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                              size_t first, size_t count, qc_dtype out_dtype, void *out,
                              unsigned flags, decode_workspace *work, qc_error *error)
{
    uint32_t mode = qc_float_mode_enter();
    qc_status status =
        decode_elements(frame, chunk, bytes, first, count, out_dtype, out, flags, work, error);
    qc_float_mode_leave(mode);
    return status;
}

qc_status qc_chunk_decode(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error)
{
    decode_workspace *work = align(workspace);
    work->shared.ticker = qc_ticker_of(frame->poll);
    return decode_chunk(frame, chunk, bytes, first, count, out_dtype, out, flags, work, error);
}

qc_status qc_frame_decode(const qc_frame *frame, const qc_chunk *chunks, const void *data,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error)
{
    decode_workspace *work = align(workspace);
    size_t item = qc_dtype_size(out_dtype), end = first + count;
    QC_CHECK(first <= frame->elements && count <= frame->elements - first, QC_INVALID,
             "decode: the range is beyond the tensor", 0, count, frame->elements);
    work->shared.ticker = qc_ticker_of(frame->poll);
    /* An empty tensor that is one chunk has that to be checked. */
    size_t index = frame->chunk_elements > 0 ? first / frame->chunk_elements : 0;
    for (; index < frame->chunks; index++) {
        const qc_chunk *chunk = &chunks[index];
        if (chunk->first >= end && frame->elements > 0)
            break;
        size_t begin = chunk->first < first ? first : chunk->first;
        size_t stop = smaller(chunk->first + chunk->elements, end);
        uint8_t *to = out != NULL ? (uint8_t *)out + (begin - first) * item : NULL;
        QC_TRY(decode_chunk(frame, chunk, (const uint8_t *)data + chunk->offset,
                            begin - chunk->first, stop - begin, out_dtype, to, flags, work, error));
    }
    return QC_OK;
}

qc_status qc_chunk_entries(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                           size_t *entries, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    uint64_t stored = chunk->elements;
    if (frame->positions != QC_DENSE)
        QC_TRY(qc_read_vu(&reader, &stored, "positions: entries", error));
    QC_CHECK(stored <= chunk->elements, QC_CORRUPT, "positions: entries", 0, stored,
             chunk->elements);
    *entries = (size_t)stored;
    return QC_OK;
}

qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                size_t entries, uint32_t *positions, void *codes, unsigned flags,
                                void *workspace, qc_error *error)
{
    decode_workspace *work = align(workspace);
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    int sparse = frame->positions != QC_DENSE, bytewise = qc_is_bytes(frame);
    size_t size = bytewise ? frame->item_size : qc_symbol_size(frame->width);
    uint8_t *out = (uint8_t *)codes;
    QC_TRY(check_chunk_crc(frame, chunk, bytes, flags, error));
    work->shared.ticker = qc_ticker_of(frame->poll);
    work->shared.router = &work->router;
    if (sparse)
        QC_TRY(qc_positions_open(&work->positions, frame, chunk, &work->shared, &reader, error));
    /* The caller's buffers were sized by an earlier read of the same field. */
    size_t stored = sparse ? work->positions.entries : chunk->elements;
    QC_CHECK(stored == entries, QC_INVALID, "decode: number of stored elements", 0, stored,
             entries);
    QC_TRY(qc_values_open(&work->values, frame, chunk->first, stored, frame->dtype, &work->shared,
                          &reader, error));
    QC_TRY(check_end(&reader, error));
    for (size_t at = 0; at < stored;) {
        size_t count = smaller(QC_VALUE_BLOCK, stored - at);
        QC_TRY(qc_values_pull(&work->values, count, 0, error));
        if (sparse)
            QC_TRY(qc_positions_next(&work->positions, positions + at, count, error));
        qc_values_write_codes(&work->values, count, out + at * size);
        at += count;
    }
    if (sparse)
        QC_TRY(qc_positions_finish(&work->positions, error));
    return qc_values_finish(&work->values, error);
}

qc_status qc_decode(const void *data, size_t size, qc_dtype out_dtype, void *out, size_t out_bytes,
                    void *memory, size_t memory_bytes, unsigned flags, void *workspace,
                    qc_error *error)
{
    qc_frame frame;
    qc_chunk chunk;
    size_t item = qc_dtype_size(out_dtype);
    QC_TRY(qc_frame_read(data, size, flags | QC_WHOLE, &frame, error));
    QC_CHECK(item != 0 && out_bytes / item == frame.elements && out_bytes % item == 0, QC_INVALID,
             "decode: bytes of the output", 0, out_bytes, frame.elements * item);
    QC_CHECK(out == NULL || memory_bytes >= frame.coded_bytes, QC_NO_SPACE,
             "decode: memory for the parameters", 0, memory_bytes, frame.coded_bytes);
    if (frame.undecoded)
        QC_TRY(qc_parameters_decode(&frame, out != NULL ? memory : NULL, workspace, error));
    for (size_t i = 0; i < frame.chunks; i++) {
        QC_TRY(qc_chunk_next(&frame, data, i > 0 ? &chunk : NULL, &chunk, error));
        const uint8_t *bytes = (const uint8_t *)data + chunk.offset;
        uint8_t *to = out != NULL ? (uint8_t *)out + chunk.first * item : NULL;
        QC_TRY(qc_chunk_decode(&frame, &chunk, bytes, 0, chunk.elements, out_dtype, to, flags,
                               workspace, error));
    }
    return QC_OK;
}
