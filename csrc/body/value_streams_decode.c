/*
 * The value streams of a chunk, pulled in step. A block is copied only where it has to be: most
 * codings can show where their symbols are in the frame, byte for byte.
 */
#include "body/kinds_decode.h"

qc_status qc_value_streams_open(qc_value_decoder *values, size_t symbols, size_t count,
                                qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    const qc_frame *frame = values->frame;
    values->symbols = symbols;
    values->step = symbols * qc_symbol_size(frame->width);
    for (unsigned i = 0; i < frame->value_streams; i++)
        QC_TRY(qc_stream_open(&values->streams[i], reader, count * symbols, frame->width,
                              frame->features, shared, error));
    return QC_OK;
}

qc_status qc_value_streams_skip_from(qc_value_decoder *values, unsigned from, size_t count,
                                     qc_error *error)
{
    for (unsigned i = from; i < values->frame->value_streams; i++)
        QC_TRY(qc_stream_skip(&values->streams[i], count * values->symbols, error));
    return QC_OK;
}

qc_status qc_value_stream_pull(qc_value_decoder *values, unsigned i, size_t count, size_t keep,
                               int copied, qc_error *error)
{
    size_t symbols = count * values->symbols, step = values->step;
    size_t kept_bytes = keep * step, pulled_bytes = values->pulled * step;
    uint8_t *pulled = values->codes + QC_VALUE_KEEP * step + i * QC_VALUE_STRIDE;
    const uint8_t *view = copied ? NULL : qc_stream_view(&values->streams[i], symbols);
    values->blocks[i] = (view != NULL ? view : pulled) - kept_bytes;
    if (view != NULL)
        return QC_OK;
    memmove(pulled - kept_bytes, pulled + pulled_bytes - kept_bytes, kept_bytes);
    return qc_stream_next(&values->streams[i], pulled, symbols, error);
}

qc_status qc_value_streams_skip(qc_value_decoder *values, size_t count, qc_error *error)
{
    return qc_value_streams_skip_from(values, 0, count, error);
}

qc_status qc_value_streams_pull(qc_value_decoder *values, size_t count, size_t keep,
                                qc_error *error)
{
    for (unsigned i = 0; i < values->frame->value_streams; i++)
        QC_TRY(qc_value_stream_pull(values, i, count, keep, 0, error));
    return QC_OK;
}

qc_status qc_value_streams_finish(qc_value_decoder *values, qc_error *error)
{
    for (unsigned i = 0; i < values->frame->value_streams; i++)
        QC_TRY(qc_stream_finish(&values->streams[i], error));
    return QC_OK;
}
