/*
 * What coding and decoding of parameters share (docs/format.md, section 5).
 */
#ifndef QC_PARAMETERS_H
#define QC_PARAMETERS_H

#include "head/layout.h"
#include "kernels/look_up.h"

#define QC_MAX_PARAMETER_BYTES 4 /* of a value */

/* Values in mode planes are elements of a frame of their own, of kind planes. */
static inline qc_frame qc_planes_frame(qc_dtype dtype, size_t count, uint64_t features)
{
    qc_frame frame = {.dtype = dtype,
                      .kind = QC_PLANES,
                      .features = features,
                      .item_size = qc_dtype_size(dtype),
                      .elements = count};
    qc_layout_values(&frame, 0, QC_INVALID, NULL); /* kind planes is for any dtype */
    return frame;
}

/* Bits of the bit length of a delta between keys of `size` bytes. */
static inline unsigned qc_delta_width(size_t size) { return qc_bit_length(8 * size); }

static inline uint32_t qc_sign_of(size_t size) { return (uint32_t)1 << (8 * size - 1); }

/* A value's bits as a number that has the order of values, and back. */
static inline uint32_t qc_key_of(uint32_t bits, size_t size)
{
    uint32_t sign = qc_sign_of(size);
    return bits & sign ? ~bits & (sign | (sign - 1)) : bits | sign;
}

static inline uint32_t qc_bits_of_key(uint32_t key, size_t size)
{
    uint32_t sign = qc_sign_of(size);
    return key & sign ? key & (sign - 1) : ~key & (sign | (sign - 1));
}

static inline uint32_t qc_load_value(const uint8_t *value, size_t size)
{
    uint32_t bits = 0;
    for (size_t byte = 0; byte < size; byte++)
        bits |= (uint32_t)value[byte] << 8 * byte;
    return bits;
}

static inline void qc_store_value(uint8_t *value, uint32_t bits, size_t size)
{
    for (size_t byte = 0; byte < size; byte++)
        value[byte] = (uint8_t)(bits >> 8 * byte);
}

#endif /* QC_PARAMETERS_H */
