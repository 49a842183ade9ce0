/*
 * Routed streams, encoded: symbols that have places in rows or filters, in split or contexts.
 */
#ifndef QC_ROUTER_ENCODE_H
#define QC_ROUTER_ENCODE_H

#include "codings/routers/stream_writer.h"

/* What to encode, and the maximal bytes of each coding; 0: it is not tried. */
typedef struct qc_router_request {
    qc_router_input input;
    const qc_encoding *encoding;
    size_t contexts_limit, split_limit;
    void *workspace;        /* qc_router_workspace(&input) bytes, aligned as a uint64_t */
    void *stream_workspace; /* QC_STABLE_WORKSPACE(input.count) bytes */
} qc_router_request;

size_t qc_router_workspace(const qc_router_input *input);

/* Whether a router may stay within the limits, by a sample: much faster than to encode. */
int qc_router_promises(const qc_router_request *request);

/* Write the stream into `out`, header included, in the first of contexts and split that stays
   within its limit; *size is its length, or 0. Codings that occur are added to *features. */
qc_status qc_router_encode(const qc_router_request *request, uint8_t *out, size_t *size,
                           uint64_t *features, qc_error *error);

/* The same for classes of rows alone, found fast, with split_limit only: 0 bytes if none promise to
   save anything. */
size_t qc_router_rows_workspace(const qc_router_input *input);
qc_status qc_router_encode_rows(const qc_router_request *request, uint8_t *out, size_t *size,
                                uint64_t *features, qc_error *error);

/* The two codings' bodies. `limit` is that of the stream; a body that grows longer may be left
   unfinished, with a size beyond it. Scratch memory as the functions before them say. */
size_t qc_split_write_workspace(const qc_router_input *input);
qc_status qc_split_write(qc_body_writer *w, const qc_router_plan *plan, void *workspace);
/* Classes of rows alone; nothing is written if there is only one. */
size_t qc_split_write_rows_workspace(const qc_router_input *input);
qc_status qc_split_write_rows(qc_body_writer *w, void *workspace);
/* `classes` is the best plan of model classes, or NULL. */
size_t qc_contexts_write_workspace(const qc_router_input *input);
qc_status qc_contexts_write(qc_body_writer *w, const qc_router_plan *classes, size_t limit,
                            void *workspace);

#endif /* QC_ROUTER_ENCODE_H */
