/*
 * The body of a routed stream that is being written: fields, maps and streams.
 */
#ifndef QC_STREAM_WRITER_H
#define QC_STREAM_WRITER_H

#include "codings/routers/router_search.h"

typedef struct qc_body_writer {
    const qc_router_input *input;
    uint64_t codings;  /* of the streams inside */
    uint64_t features; /* those that occur */
    qc_profile profile;
    unsigned effort;
    uint8_t *body;
    size_t size;
    void *stream_workspace; /* QC_STABLE_WORKSPACE(input->count) bytes */
    qc_error *error;
} qc_body_writer;

static inline void qc_body_byte(qc_body_writer *w, unsigned value)
{
    w->body[w->size++] = (uint8_t)value;
}

static inline void qc_body_vu(qc_body_writer *w, uint64_t value)
{
    w->size += qc_write_vu(w->body + w->size, value);
}

qc_status qc_body_stream(qc_body_writer *w, const uint8_t *symbols, size_t count, unsigned width);
/* The fields of classes of rows and columns. */
qc_status qc_body_classes(qc_body_writer *w, const qc_router_plan *plan);

/* Put the coding and the length before the body, into `out`. Returns the bytes of the stream, or 0
   if they are more than `limit`. */
size_t qc_body_finish(const qc_body_writer *w, qc_coding coding, size_t limit, uint8_t *out);

#endif /* QC_STREAM_WRITER_H */
