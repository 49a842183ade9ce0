/*
 * Frames, decoded: chunk after chunk, with one workspace.
 */
#include "body/chunk_decode.h"
#include "head/layout.h"

/* Elements [first, first + count) of a chunk. Errors are where they are in the frame. */
static qc_status decode_chunk(qc_chunk_decoder *decoder, const qc_frame *frame,
                              const qc_chunk *chunk, const uint8_t *bytes, size_t first,
                              size_t count, qc_dtype out_dtype, void *out, unsigned flags,
                              qc_error *error)
{
    qc_status status = qc_chunk_decode_with(decoder, frame, chunk, bytes, first, count, out_dtype,
                                            out, flags, error);
    if (status != QC_OK && error != NULL)
        error->offset += chunk->offset;
    return status;
}

qc_status qc_frame_decode(const qc_frame *frame, const qc_chunk *chunks, const void *data,
                          size_t offset, size_t first, size_t count, qc_dtype out_dtype, void *out,
                          unsigned flags, void *workspace, qc_error *error)
{
    qc_chunk_decoder *decoder = qc_chunk_decoder_of(workspace, out, frame->poll);
    size_t item = qc_dtype_size(out_dtype), end = first + count;
    QC_CHECK(first <= frame->elements && count <= frame->elements - first, QC_INVALID,
             "decode: the range is beyond the tensor", 0, count, frame->elements);
    if (count == 0 && frame->elements > 0)
        return QC_OK;
    /* An empty tensor that is one chunk has that to be checked. */
    size_t index = frame->chunk_elements > 0 ? first / frame->chunk_elements : 0;
    for (; index < frame->chunks; index++) {
        const qc_chunk *chunk = &chunks[index];
        if (chunk->first >= end && frame->elements > 0)
            break;
        size_t begin = chunk->first < first ? first : chunk->first;
        size_t stop = qc_smaller(chunk->first + chunk->elements, end);
        const uint8_t *bytes = (const uint8_t *)data + (chunk->offset - offset);
        uint8_t *to = out != NULL ? (uint8_t *)out + (begin - first) * item : NULL;
        QC_TRY(decode_chunk(decoder, frame, chunk, bytes, begin - chunk->first, stop - begin,
                            out_dtype, to, flags, error));
    }
    return QC_OK;
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
    if (!qc_parameters_are_decoded(&frame))
        QC_TRY(qc_parameters_decode(&frame, out != NULL ? memory : NULL, workspace, error));
    qc_chunk_decoder *decoder = qc_chunk_decoder_of(workspace, out, frame.poll);
    for (size_t i = 0; i < frame.chunks; i++) {
        QC_TRY(qc_chunk_next(&frame, data, i > 0 ? &chunk : NULL, &chunk, error));
        const uint8_t *bytes = (const uint8_t *)data + chunk.offset;
        uint8_t *to = out != NULL ? (uint8_t *)out + chunk.first * item : NULL;
        QC_TRY(decode_chunk(decoder, &frame, &chunk, bytes, 0, chunk.elements, out_dtype, to, flags,
                            error));
    }
    return QC_OK;
}
