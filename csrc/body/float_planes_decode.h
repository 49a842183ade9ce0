/*
 * Kind planes of floats (docs/format.md, section 4), decoded: the state of its decoder.
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
    int in_block; /* escapes may be among the symbols of the block */
    qc_stream escapes;
} qc_exponent_decoder;

#endif /* QC_FLOAT_PLANES_DECODE_H */
