/*
 * What the search for copies asks of elements: whether they are copies of others, by a rule.
 *
 * Size and rule are arguments of their own, so that they are constants where a caller has them so.
 */
#ifndef QC_COPIES_ELEMENTS_H
#define QC_COPIES_ELEMENTS_H

#include "body/copies/copies_search.h"

typedef struct qc_copy_elements {
    const uint8_t *values; /* in the machine's order */
    size_t count, item_size;
    qc_copy_rule rule;
} qc_copy_elements;

#define QC_COPY_NONE UINT32_MAX /* no element */

/* Element number `i` as an integer. */
static inline uint64_t qc_copy_load(const qc_copy_elements *elements, size_t i, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1: memcpy(&u8, elements->values + i, 1); return u8;
    case 2: memcpy(&u16, elements->values + 2 * i, 2); return u16;
    case 4: memcpy(&u32, elements->values + 4 * i, 4); return u32;
    default: memcpy(&u64, elements->values + 8 * i, 8); return u64;
    }
}

/* a - b as a signed number of the element's size. */
static inline int64_t qc_copy_difference(uint64_t a, uint64_t b, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)((a - b) << unused) >> unused;
}

/* What a copy adds to an element, or 0. */
static inline int64_t qc_copy_step(const qc_copy_elements *elements, size_t to, size_t from,
                                   size_t size, qc_copy_rule rule)
{
    return rule == QC_COPY_STEPS ? qc_copy_difference(qc_copy_load(elements, to, size),
                                                      qc_copy_load(elements, from, size), size)
                                 : 0;
}

/* Whether an element is a copy of another one, by the rule. */
static inline int qc_is_copy(const qc_copy_elements *elements, size_t to, size_t from, int64_t step,
                             size_t size, qc_copy_rule rule)
{
    uint64_t a = qc_copy_load(elements, to, size), b = qc_copy_load(elements, from, size);
    if (rule == QC_COPY_SIGNS)
        return ((a ^ b) << (65 - 8 * size)) == 0;
    return rule == QC_COPY_STEPS ? qc_copy_difference(a, b, size) == step : a == b;
}

/* A number whose upper bits depend on all bits of x. */
static inline uint64_t qc_copy_mix(uint64_t x)
{
    x *= UINT64_C(0x9E3779B97F4A7C15);
    return x ^ x >> 29;
}

/* The size of a difference. */
static inline uint64_t qc_copy_magnitude(int64_t difference)
{
    return difference < 0 ? 0 - (uint64_t)difference : (uint64_t)difference;
}

#endif /* QC_COPIES_ELEMENTS_H */
