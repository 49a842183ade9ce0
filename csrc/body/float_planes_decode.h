/*
 * Kind planes of floats (docs/format.md, section 4), decoded: the state of its decoder, and the
 * step that kernels do.
 */
#ifndef QC_FLOAT_PLANES_DECODE_H
#define QC_FLOAT_PLANES_DECODE_H

#include "body/float_planes.h"
#include "codings/stream.h"

typedef struct qc_exponent_decoder {
    qc_exponents fields;
    size_t used, filled; /* of the block */
    union {              /* escapes, as wide as an exponent */
        uint8_t narrow[QC_STREAM_BLOCK];
        uint16_t wide[QC_STREAM_BLOCK];
    } block;
    int has_escapes;
    qc_stream escapes;
} qc_exponent_decoder;

/* Planes 0 and 1 of the next `count` elements, from their symbols and the rest. */
qc_status qc_exponents_join(qc_exponent_decoder *exponents, const uint8_t *symbols,
                            const uint8_t *rest, size_t count, uint8_t *upper, uint8_t *lower,
                            qc_error *error);

#endif /* QC_FLOAT_PLANES_DECODE_H */
