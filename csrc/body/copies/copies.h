/*
 * Positions form copies: what its decoder and its encoder share (docs/format.md, section 6).
 */
#ifndef QC_COPIES_H
#define QC_COPIES_H

#include "head/layout.h"

/* Elements that a symbol of signs covers. */
#define QC_COPIES_SIGN_WIDTH 8u

/* A number is a symbol of 8 bits and, from QC_NUMBER_DIRECT on, low bits. */
#define QC_NUMBER_DIRECT  64u
#define QC_NUMBER_SYMBOLS 200u
#define QC_NUMBER_LOW     19u /* low bits, at most */
#define QC_NUMBER_LIMIT   ((uint32_t)1 << 23)

/* Low bits of a copy, at most: run, length, distance, step. */
#define QC_COPY_LOW (4 * QC_NUMBER_LOW)

static inline unsigned qc_number_low_bits(unsigned symbol)
{
    return symbol < QC_NUMBER_DIRECT ? 0 : (symbol - QC_NUMBER_DIRECT) / 8 + 3;
}

/* The number of a symbol whose low bits are 0. */
static inline uint32_t qc_number_base(unsigned symbol)
{
    return symbol < QC_NUMBER_DIRECT ? symbol : (8 + symbol % 8) << qc_number_low_bits(symbol);
}

/* The symbol of a number below QC_NUMBER_LIMIT. */
static inline unsigned qc_number_symbol(uint32_t number)
{
    if (number < QC_NUMBER_DIRECT)
        return number;
    unsigned low = qc_bit_length(number) - 4;
    return QC_NUMBER_DIRECT + 8 * (low - 3) + (number >> low & 7);
}

/* Signed numbers: 0, -1, 1, -2, ... */
static inline uint32_t qc_number_of_step(int32_t step)
{
    return (uint32_t)step << 1 ^ (uint32_t)(step < 0 ? -1 : 0);
}

static inline int32_t qc_step_of_number(uint32_t number)
{
    return (int32_t)(number >> 1) ^ -(int32_t)(number & 1);
}

/* Elements that are those `distance` places before them, or, mirrored, those from there backward.
 */
typedef struct qc_copy {
    uint32_t run; /* stored elements before them */
    uint32_t length;
    uint32_t distance;
    int32_t step; /* what is added */
    uint32_t mirrored;
} qc_copy;

/* What a number of 0 stands for in a distance. */
typedef struct qc_copy_memory {
    uint32_t distance; /* of the last copy that is not mirrored; 0: none yet */
    uint32_t axis;     /* of the last mirrored copy: the sum of the places of an element and of its
                          source; 0: none yet */
} qc_copy_memory;

static inline void qc_remember_copy(qc_copy_memory *memory, size_t at, const qc_copy *copy)
{
    if (copy->mirrored)
        memory->axis = (uint32_t)(2 * at) - copy->distance;
    else
        memory->distance = copy->distance;
}

#endif /* QC_COPIES_H */
