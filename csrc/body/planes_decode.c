/*
 * Kind planes, decoded: one stream per byte of an element, the most significant one first.
 * float_planes_decode.c has that of floats.
 */
#include "body/kinds_decode.h"

static qc_status open_planes(qc_value_decoder *values, size_t first, size_t count,
                             qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    (void)first;
    return qc_value_streams_open(values, 1, count, shared, reader, error);
}

const qc_kind_decoder qc_planes_kind_decoder = {
    open_planes,       qc_value_streams_skip, qc_value_streams_pull,
    qc_elements_write, qc_elements_merge,     qc_value_streams_finish,
};
