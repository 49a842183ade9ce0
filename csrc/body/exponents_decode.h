/*
 * Kind fields (docs/format.md, section 4), decoded: symbols and the rest become the two upper
 * planes of rotated elements.
 */
#ifndef QC_FIELDS_DECODE_H
#define QC_FIELDS_DECODE_H

#include "body/exponents.h"
#include "codings/stream.h"

typedef struct qc_field_decoder {
    qc_fields by;
    size_t used, filled; /* of the block */
    union {              /* escapes, as wide as an exponent */
        uint8_t narrow[QC_STREAM_BLOCK];
        uint16_t wide[QC_STREAM_BLOCK];
    } block;
    qc_stream escapes;
} qc_field_decoder;

/* Read a chunk's head of `count` elements, and start the escapes. */
qc_status qc_fields_open(qc_field_decoder *fields, const qc_frame *frame, size_t count,
                         qc_stream_shared *shared, qc_reader *reader, qc_error *error);
/* Planes 0 and 1 of the next `count` elements, from their symbols and the rest. */
qc_status qc_fields_join(qc_field_decoder *fields, const uint8_t *symbols, const uint8_t *rest,
                         size_t count, uint8_t *upper, uint8_t *lower, qc_error *error);
/* Go behind the escapes among `count` symbols. */
qc_status qc_fields_skip(qc_field_decoder *fields, const uint8_t *symbols, size_t count,
                         qc_error *error);
qc_status qc_fields_finish(qc_field_decoder *fields, qc_error *error);

#endif /* QC_FIELDS_DECODE_H */
