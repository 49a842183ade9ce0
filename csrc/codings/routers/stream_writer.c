/*
 * Parts of the body of a routed stream: maps, sub-streams, and the header before it all.
 */
#include "codings/routers/stream_writer.h"
#include "codings/stream_encode.h"

qc_status qc_body_stream(qc_body_writer *w, const uint8_t *symbols, size_t count, unsigned width)
{
    size_t size;
    QC_TRY(qc_stream_encode_stable(w->input->ticker, symbols, count, width, w->codings, w->profile,
                                   w->body + w->size, qc_stream_bound(count, width), &size,
                                   w->stream_workspace, w->error));
    w->features |= QC_CODING_MASK(w->body[w->size]);
    w->size += size;
    return QC_OK;
}

/* Nothing if there is one class. */
static qc_status write_map(qc_body_writer *w, const uint8_t *map, size_t count, unsigned classes)
{
    return classes > 1 ? qc_body_stream(w, map, count, qc_router_map_width(classes)) : QC_OK;
}

qc_status qc_body_classes(qc_body_writer *w, const qc_router_plan *plan)
{
    const qc_router_input *input = w->input;
    size_t length = input->geometry.row_length;
    qc_body_vu(w, length);
    qc_body_byte(w, (plan->row_classes - 1) | (plan->column_classes - 1) << 4);
    QC_TRY(write_map(w, plan->column_map, length, plan->column_classes));
    return write_map(w, plan->row_map, qc_router_rows(input->count, length), plan->row_classes);
}

size_t qc_body_finish(const qc_body_writer *w, qc_coding coding, size_t limit, uint8_t *out)
{
    if (1 + qc_vu_size(w->size) + w->size > limit)
        return 0;
    out[0] = (uint8_t)coding;
    size_t header = 1 + qc_write_vu(out + 1, w->size);
    memcpy(out + header, w->body, w->size);
    return header + w->size;
}
