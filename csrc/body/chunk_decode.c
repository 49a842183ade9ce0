/*
 * A chunk, decoded: positions and values pulled in step, into the caller's buffer.
 *
 * There are four ways. If every element is stored, blocks go to the output in order, and past the
 * caches if the output is large. If few elements are stored, they are scattered into zeros or into
 * a copy of the base, or, if one table has the element of every code, looked up by rows of codes
 * (code_row.h). If some are copies, stored elements go to their places, and the copies are made in
 * the output.
 */
#include "body/chunk_decode.h"
#include "head/layout.h"
#include "kernels/kernels.h"

/* The range of a chunk to decode, and its output. */
typedef struct target {
    size_t first, count;
    uint8_t *out; /* NULL: check only */
    size_t size;  /* bytes of an output element */
    int whole;    /* all of the chunk: so everything can be checked */
} target;

/* About the size of an L3: a larger output is no longer in the caches when it is read. */
#define CACHE_BYTES ((size_t)32 << 20)

qc_chunk_decoder *qc_chunk_decoder_of(void *workspace, const void *out, const qc_poll *poll)
{
    size_t block = offsetof(qc_chunk_decoder, values.codes) + QC_VALUE_KEEP;
    qc_chunk_decoder *decoder = qc_workspace_place(workspace, block, out);
    decoder->shared.ticker = qc_ticker_of(poll);
    decoder->crc.parts = 0;
    return decoder;
}

/* ---- opening ---- */

static qc_status compare_crc(const qc_chunk *chunk, uint32_t crc, qc_error *error)
{
    QC_CHECK(crc == chunk->crc, QC_CHECKSUM, "chunk: checksum", 0, chunk->crc, crc);
    return QC_OK;
}

/* The bytes are not trusted because of their CRC: they may change after it was checked. */
static qc_status check_chunk_crc(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                 unsigned flags, qc_error *error)
{
    if (frame->chunk_elements == 0 || (flags & QC_VERIFY) == 0)
        return QC_OK;
    return compare_crc(chunk, qc_crc32c(0, bytes, chunk->bytes), error);
}

static qc_status check_end(const qc_reader *reader, qc_error *error)
{
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "chunk: bytes follow its streams", reader->at,
             reader->size, reader->at);
    return QC_OK;
}

qc_status qc_chunk_open(qc_chunk_decoder *decoder, const qc_frame *frame, const qc_chunk *chunk,
                        const void *bytes, qc_dtype out_dtype, unsigned flags, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    QC_TRY(check_chunk_crc(frame, chunk, bytes, flags, error));
    decoder->shared.router = &decoder->router;
    decoder->stored = chunk->elements;
    if (frame->positions == QC_COPIES) {
        QC_TRY(qc_copies_open(&decoder->copies, frame, chunk, &decoder->shared, &reader, error));
        decoder->stored = decoder->copies.stored;
    } else if (qc_is_sparse(frame)) {
        QC_TRY(
            qc_positions_open(&decoder->positions, frame, chunk, &decoder->shared, &reader, error));
        decoder->stored = decoder->positions.stored;
    }
    QC_TRY(qc_values_open(&decoder->values, frame, chunk->first, decoder->stored, out_dtype,
                          &decoder->shared, &reader, error));
    return check_end(&reader, error);
}

qc_status qc_chunk_finish(qc_chunk_decoder *decoder, qc_error *error)
{
    const qc_frame *frame = decoder->values.frame;
    if (frame->positions == QC_COPIES)
        QC_TRY(qc_copies_finish(&decoder->copies, error));
    else if (qc_is_sparse(frame))
        QC_TRY(qc_positions_finish(&decoder->positions, error));
    return qc_values_finish(&decoder->values, error);
}

/* ---- every element is stored ---- */

/* Elements to keep for later, so that what is written after these begins where a line begins in
   memory: non-temporal stores fill no part of a line. */
static size_t over(const uint8_t *out, size_t count, size_t size)
{
    uintptr_t end = (uintptr_t)out + count * size;
    return end % size == 0 ? end % QC_LINE_BYTES / size : 0;
}

/* Elements to go straight from streams to the output before more of the CRC is taken. */
#define STRAIGHT ((size_t)8192)

static size_t straight_at_once(const qc_chunk_decoder *decoder)
{
    return decoder->crc.parts > 0 ? STRAIGHT : SIZE_MAX;
}

/* A whole chunk, past the caches. */
static qc_status decode_past_cache(qc_chunk_decoder *decoder, const qc_chunk *chunk,
                                   const target *target, qc_error *error)
{
    uint8_t *out = target->out;
    size_t keep = 0;
    for (size_t at = 0; at < chunk->elements;) {
        size_t pulled = qc_smaller(QC_VALUE_BLOCK, chunk->elements - at), count = keep + pulled;
        size_t first = chunk->first + at - keep;
        qc_streams_crc_take(&decoder->crc, at + pulled, chunk->elements);
        QC_TRY(qc_values_pull(&decoder->values, pulled, keep, error));
        at += pulled;
        keep = at < chunk->elements ? qc_smaller(over(out, count, target->size), pulled) : 0;
        count -= keep;
        qc_values_write(&decoder->values, 0, count, first, NULL, out);
        out += count * target->size;
        size_t straight;
        do {
            size_t most = qc_smaller(straight_at_once(decoder), chunk->elements - at);
            qc_streams_crc_take(&decoder->crc, at + most, chunk->elements);
            QC_TRY(qc_values_write_straight(&decoder->values, most, &keep, &out, &straight, error));
            at += straight;
        } while (straight > 0);
    }
    return QC_OK;
}

/* Every element is stored. Blocks begin at multiples of QC_STREAM_BLOCK, the range need not. */
static qc_status decode_dense(qc_chunk_decoder *decoder, const qc_chunk *chunk,
                              const target *target, qc_error *error)
{
    size_t at = target->first - target->first % QC_STREAM_BLOCK;
    size_t end = target->first + target->count;
    QC_TRY(qc_values_skip(&decoder->values, at, error));
    while (at < end) {
        size_t keep = 0, straight = 0;
        uint8_t *out = NULL;
        if (target->out != NULL && at >= target->first) {
            out = target->out + (at - target->first) * target->size;
            QC_TRY(qc_values_write_straight(&decoder->values, end - at, &keep, &out, &straight,
                                            error));
            at += straight;
        }
        size_t pulled = qc_smaller(QC_VALUE_BLOCK, chunk->elements - at);
        size_t from = at < target->first ? target->first - at : 0;
        size_t count = qc_smaller(pulled, end - at) - from;
        QC_TRY(qc_values_pull(&decoder->values, pulled, 0, error));
        if (target->out != NULL) {
            out = target->out + (at + from - target->first) * target->size;
            qc_values_write(&decoder->values, from, count, chunk->first + at + from, NULL, out);
        }
        at += pulled;
    }
    return QC_OK;
}

/* ---- some elements are stored ---- */

/* Put a block of stored elements where they belong. */
static void scatter(const qc_chunk_decoder *decoder, size_t count, const target *target)
{
    size_t size = target->size;
    for (size_t i = 0; i < count; i++) {
        size_t index =
            decoder->block_positions[i] - target->first; /* before: wraps to a huge one */
        if (index < target->count)
            memcpy(target->out + index * size, decoder->block + i * size, size);
    }
}

/* Stored elements behind the first `drop` of the pulled block. */
static void write_sparse(qc_chunk_decoder *decoder, const qc_chunk *chunk, size_t drop,
                         size_t count, const target *target, int by_row)
{
    if (by_row) {
        qc_code_row_put(&decoder->row, decoder->block_positions, decoder->values.blocks[0] + drop,
                        count);
        return;
    }
    if (target->out == NULL)
        return;
    qc_values_write(&decoder->values, drop, count, chunk->first, decoder->block_positions,
                    decoder->block);
    scatter(decoder, count, target);
}

static qc_status pull_sparse(qc_chunk_decoder *decoder, const qc_chunk *chunk, const target *target,
                             int by_row, qc_error *error)
{
    qc_position_decoder *positions = &decoder->positions;
    size_t before, end = target->first + target->count;
    QC_TRY(qc_positions_seek(positions, target->count > 0 ? target->first : 0, &before, error));
    size_t drop =
        before % QC_STREAM_BLOCK; /* stored elements of the first block that come before */
    QC_TRY(qc_values_skip(&decoder->values, before - drop, error));
    while (positions->left > 0) {
        size_t count = qc_smaller(QC_VALUE_BLOCK - drop, positions->left);
        QC_TRY(qc_positions_next(positions, decoder->block_positions, count, error));
        if (qc_has_changes(decoder->values.frame))
            qc_delta_take_base(&decoder->values, chunk, decoder->block_positions, count);
        QC_TRY(qc_values_pull(&decoder->values, drop + count, 0, error));
        write_sparse(decoder, chunk, drop, count, target, by_row);
        if (!target->whole && decoder->block_positions[count - 1] >= end)
            return QC_OK;
        drop = 0;
    }
    return QC_OK;
}

static qc_status decode_sparse(qc_chunk_decoder *decoder, const qc_chunk *chunk,
                               const target *target, qc_error *error)
{
    qc_value_decoder *values = &decoder->values;
    int by_row = target->out != NULL && values->has_table && qc_code_row_suits(&values->table);
    if (target->count == 0 && !target->whole)
        return QC_OK;
    if (by_row)
        qc_code_row_open(&decoder->row, &values->table, target->first, target->count, target->out,
                         values->past_cache);
    else if (target->out != NULL && target->count > 0 && qc_has_changes(values->frame))
        qc_delta_copy_base(values, chunk, target->out);
    else if (target->out != NULL && target->count > 0)
        memset(target->out, 0, target->count * target->size);
    QC_TRY(pull_sparse(decoder, chunk, target, by_row, error));
    if (by_row)
        qc_code_row_close(&decoder->row);
    return QC_OK;
}

/* ---- some elements are copies of others ---- */

/* What is being written. */
typedef struct output {
    int as_codes;
    size_t size; /* bytes of an item */
    uint8_t *at; /* NULL: check only */
    size_t first;
    size_t left;         /* stored elements not yet pulled */
    size_t pulled, used; /* of the block */
} output;

/* Turn the block that was pulled into items. */
static void write_block(qc_chunk_decoder *decoder, const output *out, uint8_t *to)
{
    if (out->as_codes)
        qc_values_write_codes(&decoder->values, out->pulled, to);
    else /* all elements share their groups, so their numbers do not matter */
        qc_values_write(&decoder->values, 0, out->pulled, out->first, NULL, to);
}

/* The next `count` stored elements. A block goes straight to the output if all of it belongs there.
 */
static qc_status put_stored(qc_chunk_decoder *decoder, output *out, size_t count, qc_error *error)
{
    while (count > 0) {
        int fresh = out->used == out->pulled;
        if (fresh) {
            out->pulled = qc_smaller(QC_VALUE_BLOCK, out->left);
            out->used = 0;
            out->left -= out->pulled;
            QC_TRY(qc_values_pull(&decoder->values, out->pulled, 0, error));
        }
        size_t taken = qc_smaller(count, out->pulled - out->used);
        if (out->at != NULL && fresh)
            write_block(decoder, out, taken == out->pulled ? out->at : decoder->block);
        if (out->at != NULL && taken < out->pulled)
            memcpy(out->at, decoder->block + out->used * out->size, taken * out->size);
        if (out->at != NULL)
            out->at += taken * out->size;
        out->used += taken;
        count -= taken;
    }
    return QC_OK;
}

qc_status qc_chunk_decode_copies(qc_chunk_decoder *decoder, const qc_chunk *chunk, int as_codes,
                                 size_t size, uint8_t *out, qc_error *error)
{
    output output = {as_codes, size, out, chunk->first, decoder->stored, 0, 0};
    qc_copy copy;
    do {
        QC_TRY(qc_copies_next(&decoder->copies, &copy, error));
        QC_TRY(put_stored(decoder, &output, copy.run, error));
        if (out != NULL && copy.length > 0) {
            qc_copies_put(&copy, output.at, size);
            output.at += copy.length * size;
        }
    } while (copy.length > 0);
    return qc_copies_flip(&decoder->copies, out, size, error);
}

/* ---- a range of a chunk ---- */

static int is_past_cache(const qc_frame *frame, const target *target)
{
    return target->whole && target->out != NULL && frame->elements >= CACHE_BYTES / target->size;
}

static qc_status decode_range(qc_chunk_decoder *decoder, const qc_chunk *chunk,
                              const target *target, qc_error *error)
{
    const qc_frame *frame = decoder->values.frame;
    if (frame->positions == QC_COPIES) {
        QC_TRY(qc_chunk_decode_copies(decoder, chunk, 0, target->size, target->out, error));
        return qc_chunk_finish(decoder, error);
    }
    int past_cache = is_past_cache(frame, target);
    decoder->values.past_cache = past_cache;
    QC_TRY(frame->positions != QC_DENSE ? decode_sparse(decoder, chunk, target, error)
           : past_cache                 ? decode_past_cache(decoder, chunk, target, error)
                                        : decode_dense(decoder, chunk, target, error));
    if (past_cache)
        qc_look_up_fence();
    return target->whole ? qc_chunk_finish(decoder, error) : QC_OK;
}

/* ---- the CRC ---- */

/* Of a smaller chunk, a pass of its own takes no longer. */
#define MIN_ALONG ((size_t)32 << 10)

/* Whether the CRC may be taken while the chunk is decoded, past the caches. */
static int may_take_along(const qc_frame *frame, const qc_chunk *chunk, const target *target,
                          unsigned flags)
{
    return frame->chunk_elements > 0 && (flags & QC_VERIFY) != 0 && chunk->bytes >= MIN_ALONG &&
           frame->positions == QC_DENSE && is_past_cache(frame, target);
}

/* Damage is reported as such, whatever else it looks like: the CRC is checked after an error too.
 */
static qc_status decode_along(qc_chunk_decoder *decoder, const qc_frame *frame,
                              const qc_chunk *chunk, const void *bytes, const target *target,
                              qc_dtype out_dtype, unsigned flags, qc_error *error)
{
    qc_status status =
        qc_chunk_open(decoder, frame, chunk, bytes, out_dtype, flags & ~QC_VERIFY, error);
    int along =
        status == QC_OK && qc_streams_crc_open(&decoder->crc, bytes, chunk->bytes,
                                               decoder->values.streams, frame->value_streams);
    if (!along)
        QC_TRY(check_chunk_crc(frame, chunk, bytes, flags, error));
    if (status == QC_OK)
        status = decode_range(decoder, chunk, target, error);
    if (along && status != QC_INTERRUPTED)
        QC_TRY(compare_crc(chunk, qc_streams_crc_close(&decoder->crc), error));
    decoder->crc.parts = 0;
    return status;
}

/* The same numbers whatever mode the calling thread is in. */
static qc_status open_and_decode(qc_chunk_decoder *decoder, const qc_frame *frame,
                                 const qc_chunk *chunk, const void *bytes, const target *target,
                                 qc_dtype out_dtype, unsigned flags, qc_error *error)
{
    uint32_t mode = qc_float_mode_enter();
    qc_status status;
    if (may_take_along(frame, chunk, target, flags)) {
        status = decode_along(decoder, frame, chunk, bytes, target, out_dtype, flags, error);
    } else {
        status = qc_chunk_open(decoder, frame, chunk, bytes, out_dtype, flags, error);
        if (status == QC_OK)
            status = decode_range(decoder, chunk, target, error);
    }
    qc_float_mode_leave(mode);
    return status;
}

qc_status qc_chunk_decode_with(qc_chunk_decoder *decoder, const qc_frame *frame,
                               const qc_chunk *chunk, const void *bytes, size_t first, size_t count,
                               qc_dtype out_dtype, void *out, unsigned flags, qc_error *error)
{
    target target = {first, count, out, qc_dtype_size(out_dtype), count == chunk->elements};
    QC_CHECK(first <= chunk->elements && count <= chunk->elements - first, QC_INVALID,
             "decode: the range is beyond the chunk", 0, count, chunk->elements);
    QC_CHECK(target.whole || !qc_is_whole_only(frame), QC_INVALID,
             "decode: a chunk of copies or changes is decoded as a whole", 0, count,
             chunk->elements);
    QC_CHECK(out == NULL || qc_parameters_are_decoded(frame), QC_INVALID,
             "decode: the parameters are not decoded yet", 0, 0, 0);
    return open_and_decode(decoder, frame, chunk, bytes, &target, out_dtype, flags, error);
}

qc_status qc_chunk_decode(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t first, size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                          void *workspace, qc_error *error)
{
    qc_chunk_decoder *decoder = qc_chunk_decoder_of(workspace, out, frame->poll);
    return qc_chunk_decode_with(decoder, frame, chunk, bytes, first, count, out_dtype, out, flags,
                                error);
}
