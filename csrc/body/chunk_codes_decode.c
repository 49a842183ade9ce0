/*
 * A chunk as integers, before any arithmetic: positions and codes.
 */
#include "body/chunk_decode.h"

qc_status qc_chunk_stored(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                          size_t *stored, qc_error *error)
{
    qc_reader reader = qc_reader_of(bytes, chunk->bytes, 1);
    uint64_t count = chunk->elements;
    if (frame->positions != QC_DENSE)
        QC_TRY(qc_read_vu(&reader, &count, "positions: stored elements", error));
    QC_CHECK(count <= chunk->elements, QC_CORRUPT, "positions: stored elements", 0, count,
             chunk->elements);
    *stored = (size_t)count;
    return QC_OK;
}

qc_status qc_chunk_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                         size_t *codes, qc_error *error)
{
    QC_TRY(qc_chunk_stored(frame, chunk, bytes, codes, error));
    if (frame->positions == QC_COPIES)
        *codes = chunk->elements;
    return QC_OK;
}

static qc_status decode_stored(qc_chunk_decoder *decoder, const qc_chunk *chunk,
                               uint32_t *positions, uint8_t *out, qc_error *error)
{
    const qc_frame *frame = decoder->values.frame;
    for (size_t at = 0; at < decoder->stored;) {
        size_t count = qc_smaller(QC_VALUE_BLOCK, decoder->stored - at);
        if (qc_is_sparse(frame))
            QC_TRY(qc_positions_next(&decoder->positions, positions + at, count, error));
        if (qc_has_changes(frame))
            qc_delta_take_base(&decoder->values, chunk, positions + at, count);
        QC_TRY(qc_values_pull(&decoder->values, count, 0, error));
        qc_values_write_codes(&decoder->values, count, out + at * qc_stored_size(frame));
        at += count;
    }
    return QC_OK;
}

qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                size_t count, uint32_t *positions, void *codes, unsigned flags,
                                void *workspace, qc_error *error)
{
    qc_chunk_decoder *decoder = qc_chunk_decoder_of(workspace, codes, frame->poll);
    int has_copies = frame->positions == QC_COPIES;
    QC_TRY(qc_chunk_open(decoder, frame, chunk, bytes, frame->dtype, flags, error));
    /* The caller's buffers were sized by an earlier read of the same field. */
    size_t needed = has_copies ? chunk->elements : decoder->stored;
    QC_CHECK(needed == count, QC_INVALID, "decode: number of codes", 0, needed, count);
    if (has_copies)
        QC_TRY(qc_chunk_decode_copies(decoder, chunk, 1, qc_stored_size(frame), codes, error));
    else
        QC_TRY(decode_stored(decoder, chunk, positions, codes, error));
    return qc_chunk_finish(decoder, error);
}
