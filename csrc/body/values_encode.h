/*
 * Values, encoded: one row of functions per kind, each kind in a file of its own (bytes_encode.c,
 * planes_encode.c, ...).
 */
#ifndef QC_VALUES_ENCODE_H
#define QC_VALUES_ENCODE_H

#include "body/chunk_encode.h"

/* One kind; NULL: nothing to do, or no bytes. */
typedef struct qc_kind_encoder {
    /* An upper bound of what `write` writes for this many stored elements, and its scratch memory.
     */
    size_t (*bound)(const qc_frame *frame, size_t stored);
    size_t (*workspace)(const qc_frame *frame, size_t stored);
    /* Check the values of the input, a copy that nobody changes. */
    qc_status (*check)(const qc_frame *frame, const qc_chunk_input *input, qc_error *error);
    /* Write the encoder's values; they may be overwritten. */
    qc_status (*write)(qc_chunk_encoder *encoder);
    /* As qc_chunk_least; NULL: not known. */
    size_t (*least)(const qc_frame *frame, const qc_chunk_input *input,
                    const qc_encoding *encoding);
    int by_byte; /* the longest stream has a symbol per byte; else per stored element */
} qc_kind_encoder;

extern const qc_kind_encoder qc_bytes_kind_encoder, qc_planes_kind_encoder, qc_affine_kind_encoder,
    qc_codebook_kind_encoder, qc_delta_kind_encoder, qc_float_planes_kind_encoder;

/* The row of a frame's kind. */
const qc_kind_encoder *qc_kind_encoder_of(const qc_frame *frame);

/* ---- elements_encode.c ---- */

/* Make the encoder's values little-endian, and keep the codings that suit them. */
void qc_prepare_elements(qc_chunk_encoder *encoder);
/* The codings of the streams of `stored` floats. */
uint64_t qc_float_codings(const qc_frame *frame, uint64_t codings, size_t stored);
/* How the exponents of this many floats are encoded, once the elements are prepared. */
qc_encoding qc_encoding_of_exponents(const qc_chunk_encoder *encoder, size_t stored);
/* Byte `plane` (0: the most significant) of every element, rotated left by one if it is a float. */
void qc_take_plane(const qc_frame *frame, const uint8_t *elements, size_t count, unsigned plane,
                   uint8_t *out);
/* Write planes `from` and later, each as a stream; `symbols` has room for one. */
qc_status qc_write_planes(qc_chunk_encoder *encoder, unsigned from, uint8_t *symbols);

#endif /* QC_VALUES_ENCODE_H */
