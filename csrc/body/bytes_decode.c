/*
 * Kind bytes, decoded: one stream of the elements' bytes, in order.
 */
#include "body/kinds_decode.h"

static qc_status open_bytes(qc_value_decoder *values, size_t first, size_t count,
                            qc_stream_shared *shared, qc_reader *reader, qc_error *error)
{
    (void)first;
    return qc_value_streams_open(values, values->frame->item_size, count, shared, reader, error);
}

const qc_kind_decoder qc_bytes_kind_decoder = {
    open_bytes,        qc_value_streams_skip, qc_value_streams_pull,
    qc_elements_write, qc_elements_copy,      qc_value_streams_finish,
};
