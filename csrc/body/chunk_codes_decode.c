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

qc_status qc_chunk_decode_codes(const qc_frame *frame, const qc_chunk *chunk, const void *bytes,
                                size_t stored, uint32_t *positions, void *codes, unsigned flags,
                                void *workspace, qc_error *error)
{
    qc_chunk_decoder *decoder = qc_chunk_decoder_of(workspace, frame->poll);
    int sparse = frame->positions != QC_DENSE;
    size_t size = qc_stored_size(frame);
    uint8_t *out = (uint8_t *)codes;
    QC_TRY(qc_chunk_open(decoder, frame, chunk, bytes, frame->dtype, flags, error));
    /* The caller's buffers were sized by an earlier read of the same field. */
    QC_CHECK(decoder->stored == stored, QC_INVALID, "decode: number of stored elements", 0,
             decoder->stored, stored);
    for (size_t at = 0; at < stored;) {
        size_t count = qc_smaller(QC_VALUE_BLOCK, stored - at);
        QC_TRY(qc_values_pull(&decoder->values, count, 0, error));
        if (sparse)
            QC_TRY(qc_positions_next(&decoder->positions, positions + at, count, error));
        qc_values_write_codes(&decoder->values, count, out + at * size);
        at += count;
    }
    return qc_chunk_finish(decoder, error);
}
