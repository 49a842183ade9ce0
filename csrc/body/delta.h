/*
 * Kind delta (docs/format.md, section 4): what its decoder and its encoder share.
 */
#ifndef QC_DELTA_H
#define QC_DELTA_H

#include "head/layout.h"

#define QC_DELTA_ESCAPE         255
#define QC_DELTA_MAX_DIFFERENCE 127 /* magnitude of a difference that has a symbol */
#define QC_DELTA_MAX_UP         8
/* Elements before an element that its prediction may need. */
#define QC_DELTA_HISTORY (QC_DELTA_MAX_SIDE + 1)

/* The fields of a float type. */
typedef struct qc_delta_type {
    unsigned bits, mantissa_bits;
    uint64_t exponents; /* all ones */
} qc_delta_type;

static inline qc_delta_type qc_delta_type_of(qc_dtype dtype)
{
    switch (dtype) {
    case QC_F16: return (qc_delta_type){16, 10, 0x1F};
    case QC_BF16: return (qc_delta_type){16, 7, 0xFF};
    case QC_F64: return (qc_delta_type){64, 52, 0x7FF};
    default: return (qc_delta_type){32, 23, 0xFF};
    }
}

/* An element in the machine's order, at any address. */
static inline uint64_t qc_delta_load(const uint8_t *element, unsigned bits)
{
    uint16_t narrow;
    uint32_t word;
    uint64_t wide;
    switch (bits) {
    case 16: memcpy(&narrow, element, 2); return narrow;
    case 32: memcpy(&word, element, 4); return word;
    default: memcpy(&wide, element, 8); return wide;
    }
}

/* Bits as a number that is ordered as the floats are, modulo 2^bits; its own inverse. */
static inline uint64_t qc_delta_order(uint64_t element, unsigned bits)
{
    uint64_t negative = element >> (bits - 1) & 1;
    return element ^ ((0 - negative) & (((uint64_t)1 << (bits - 1)) - 1));
}

/* The scale of an element, by the exponent of its base: the low bits that are stored apart (down),
   or the doublings of the frame's step that a difference counts (up). */
typedef struct qc_delta_scale {
    unsigned down, up;
} qc_delta_scale;

static inline qc_delta_scale qc_delta_scale_of(uint64_t base, unsigned step, qc_delta_type type)
{
    int exponent = (int)(base >> type.mantissa_bits & type.exponents);
    int down = (int)step - (exponent > 1 ? exponent : 1), up = -down, max = (int)type.bits - 8;
    /* Exponents cannot be predicted, so no branch depends on them. */
    down = down < max ? down : max;
    up = up < QC_DELTA_MAX_UP ? up : QC_DELTA_MAX_UP;
    return (qc_delta_scale){(unsigned)(down > 0 ? down : 0), (unsigned)(up > 0 ? up : 0)};
}

/* Rounded down, for negative numbers too. */
static inline int32_t qc_delta_shift_down(int32_t value, unsigned bits)
{
    int32_t sign = -(value < 0);
    return ((value ^ sign) >> bits) ^ sign;
}

/* A difference in steps, from which the next elements are predicted. */
static inline int32_t qc_delta_steps(int32_t quotient, unsigned up)
{
    int32_t steps = quotient * (1 << up);
    return steps < INT16_MIN ? INT16_MIN : steps > INT16_MAX ? INT16_MAX : steps;
}

/* The steps of an element as its neighbours in the filter predict them. `at` is the element's own
   place, and a row of the filter has `width` elements. */
static inline int32_t qc_delta_predict(const int32_t *at, unsigned x, unsigned y, unsigned width)
{
    if (x == 0 && y == 0)
        return 0;
    if (y == 0)
        return qc_delta_shift_down(3 * at[-1], 2);
    const int32_t *above = at - width;
    if (x == 0)
        return qc_delta_shift_down(3 * *above, 2);
    return qc_delta_shift_down(5 * (at[-1] + *above) - 2 * above[-1], 3);
}

/* The place of an element in a filter. */
typedef struct qc_delta_place {
    unsigned x, y;
} qc_delta_place;

static inline void qc_delta_advance(qc_delta_place *place, const qc_delta *delta)
{
    if (++place->x < delta->filter_width)
        return;
    place->x = 0;
    if (++place->y == delta->filter_height)
        place->y = 0;
}

static inline int qc_delta_is_predicted(const qc_delta *delta)
{
    return delta->filter_width > 1 || delta->filter_height > 1;
}

#endif /* QC_DELTA_H */
