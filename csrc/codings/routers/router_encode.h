/*
 * Streams whose symbols stand in rows or kernels, encoded by a router: codings 6 and 7.
 */
#ifndef QC_ROUTED_ENCODE_H
#define QC_ROUTED_ENCODE_H

#include "codings/routers/stream_writer.h"

/* The codings of which a chunk may have one stream, and none within another. */
#define QC_ROUTED (QC_CODING_MASK(QC_SPLIT) | QC_CODING_MASK(QC_CONTEXTS))

/* What to encode, and the most bytes that each coding may take; 0: it is not tried. */
typedef struct qc_routed_request {
    qc_split_input input;
    const qc_encoding *encoding;
    size_t contexts_limit, split_limit;
    void *workspace;        /* qc_routed_workspace(&input) bytes, aligned as a uint64_t */
    void *stream_workspace; /* QC_STABLE_WORKSPACE(input.count) bytes */
} qc_routed_request;

size_t qc_routed_workspace(const qc_split_input *input);

/* Write the stream into `out`, header included, in the first of contexts and split that stays
   within its limit; *size is its length, or 0. Codings that occur are added to *features. */
qc_status qc_routed_encode(const qc_routed_request *request, uint8_t *out, size_t *size,
                           uint64_t *features, qc_error *error);

/* The same for classes of rows alone, found fast, with split_limit only: 0 bytes if none promise to
   save anything. */
size_t qc_routed_rows_workspace(const qc_split_input *input);
qc_status qc_routed_encode_rows(const qc_routed_request *request, uint8_t *out, size_t *size,
                                uint64_t *features, qc_error *error);

/* The two codings' bodies. `classes` is the best plan of router classes, or NULL. `limit` is that
   of the stream; a body that grows longer may be left unfinished, with a size beyond it. Scratch
   memory as the functions before them say. */
size_t qc_split_write_workspace(const qc_split_input *input);
qc_status qc_split_write(qc_body_writer *w, const qc_split_plan *classes, void *workspace);
/* Classes of rows alone; nothing is written if there is only one. */
size_t qc_split_write_rows_workspace(const qc_split_input *input);
qc_status qc_split_write_rows(qc_body_writer *w, void *workspace);
size_t qc_contexts_write_workspace(const qc_split_input *input);
qc_status qc_contexts_write(qc_body_writer *w, const qc_split_plan *classes, size_t limit,
                            void *workspace);

#endif /* QC_ROUTED_ENCODE_H */
