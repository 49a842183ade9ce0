/*
 * What the two sides of coding 3 share (docs/format.md, section 7.4): contexts, how they learn,
 * and how two of them predict a bit.
 *
 * A context that has seen c bits moves by 1 / (c + 1.5) of the distance to the next bit. Its
 * probability is then the mean of the bits seen, as if a quarter of a 0 and a quarter of a 1 had
 * been seen before: few bits suffice for a good guess. Once it has seen 2^memory - 2 bits the rate
 * stays the same, so contexts forget, and follow changes in a tensor. All is in whole numbers:
 * both sides compute the same everywhere.
 *
 * Models tree and exponent have one table of contexts. Models classes and neighbours have many: a
 * router names a *specific* table for every symbol, for example that of its row's class. A specific
 * table predicts better than a *shared* one once it has learnt, but with many tables each learns
 * from few symbols. So the shared table learns from all symbols, and a bit's probability is a mean
 * of both: the specific context's weight is n / (n + prior) after it has seen n bits. This is the
 * estimate of a Bayesian whose prior belief, worth `prior` bits of evidence, is the shared table. A
 * table costs nothing until it is used, and starts from what all others have learnt.
 */
#ifndef QC_CONTEXTS_MODEL_H
#define QC_CONTEXTS_MODEL_H

#include "base/bytes.h"

typedef enum qc_contexts_model {
    QC_MODEL_TREE = 0,
    QC_MODEL_EXPONENT = 1,
    QC_MODEL_CLASSES = 2,
    QC_MODEL_NEIGHBOURS = 3
} qc_contexts_model;

#define QC_CONTEXTS_MAX_WIDTH    8 /* but for model exponent */
#define QC_CONTEXTS_PLAIN_MEMORY 8 /* of models tree and exponent */
#define QC_CONTEXTS_MIN_MEMORY   4
#define QC_CONTEXTS_MAX_MEMORY   10
#define QC_CONTEXTS_MAX_NODES    ((size_t)1 << 14) /* tables times 2^width */
#define QC_CONTEXTS_TABLE        ((size_t)1 << QC_CONTEXTS_MAX_WIDTH)

#define QC_RANGE_NORMAL     ((uint32_t)1 << 24) /* the least range between two bits */
#define QC_RANGE_MAX_BEYOND 8                   /* bytes that a decoder reads beyond the body */

/* The probability of a 0 in units of 2^-22, never 0 and below 2^22; then, in the lowest 10 bits,
   how many bits were seen. So fine because of the zeros of a mask: one in a thousand may be a 1. */
typedef uint32_t qc_context;

#define QC_CONTEXT_COUNT_BITS 10
#define QC_CONTEXT_COUNT_MASK (((uint32_t)1 << QC_CONTEXT_COUNT_BITS) - 1)
#define QC_CONTEXT_ONE        ((uint32_t)1 << 22)
#define QC_CONTEXT_START      (QC_CONTEXT_ONE / 2 << QC_CONTEXT_COUNT_BITS)

/* The shared table, and how all contexts learn. */
typedef struct qc_contexts {
    uint32_t max_count;                          /* bits that a context counts */
    uint16_t rates[1 << QC_CONTEXTS_MAX_MEMORY]; /* by count, in units of 2^-16 */
    qc_context shared[QC_CONTEXTS_TABLE];
} qc_contexts;

typedef struct qc_routed_contexts {
    qc_contexts common;
    uint16_t weights[1 << QC_CONTEXTS_MAX_MEMORY]; /* of a specific context, by its count: 2^-16 */
    qc_context specific[QC_CONTEXTS_MAX_NODES];    /* one table of 2^width after the other */
} qc_routed_contexts;

static inline void qc_contexts_start(qc_contexts *contexts, unsigned memory)
{
    contexts->max_count = (1u << memory) - 2;
    for (uint32_t count = 0; count <= contexts->max_count; count++)
        contexts->rates[count] = (uint16_t)((1u << 17) / (2 * count + 3));
    for (size_t i = 0; i < QC_CONTEXTS_TABLE; i++)
        contexts->shared[i] = QC_CONTEXT_START;
}

/* `prior` is at least 1: what the shared table counts for, in bits seen. */
static inline void qc_routed_contexts_start(qc_routed_contexts *contexts, size_t nodes,
                                            unsigned prior, unsigned memory)
{
    qc_contexts_start(&contexts->common, memory);
    for (uint32_t count = 0; count <= contexts->common.max_count; count++)
        contexts->weights[count] = (uint16_t)((count << 16) / (count + prior));
    for (size_t i = 0; i < nodes; i++)
        contexts->specific[i] = QC_CONTEXT_START;
}

/* The probability of a 0 by one context, in units of 2^-16: 1 to 65535. It is never 0 here: no
   context of memory 7 or more gets below 2^6. */
static inline uint32_t qc_context_chance(qc_context context)
{
    return context >> (QC_CONTEXT_COUNT_BITS + 6);
}

/* The same by two. */
static inline uint32_t qc_context_blend(const qc_routed_contexts *contexts, qc_context shared,
                                        qc_context specific)
{
    uint64_t weight = contexts->weights[specific & QC_CONTEXT_COUNT_MASK];
    uint64_t one = shared >> QC_CONTEXT_COUNT_BITS, other = specific >> QC_CONTEXT_COUNT_BITS;
    uint64_t sum = (one << 16) + (other - one) * weight; /* one, and a part of the way to other */
    uint32_t p = (uint32_t)(sum >> 22);
    return p > 0 ? p : 1;
}

/* The context once it has seen the bit (0 or 1). Decoders get the bit last. */
static inline qc_context qc_context_learn(const qc_contexts *contexts, qc_context context,
                                          unsigned bit)
{
    uint32_t p = context >> QC_CONTEXT_COUNT_BITS, count = context & QC_CONTEXT_COUNT_MASK;
    uint64_t rate = contexts->rates[count];
    uint32_t up = (uint32_t)((QC_CONTEXT_ONE - p) * rate >> 16), down = (uint32_t)(p * rate >> 16);
    p = bit ? p - down : p + up;
    return p << QC_CONTEXT_COUNT_BITS | (count + (count < contexts->max_count));
}

/* The same for encoders, which know the bit first: with one product, and without a branch on a bit
   that nobody can predict. */
static inline qc_context qc_context_learn_known(const qc_contexts *contexts, qc_context context,
                                                unsigned bit)
{
    uint32_t p = context >> QC_CONTEXT_COUNT_BITS, count = context & QC_CONTEXT_COUNT_MASK;
    uint32_t is_one = 0u - bit, is_zero = ~is_one;
    uint64_t distance = ((p ^ is_zero) - is_zero) + (QC_CONTEXT_ONE & is_zero);
    uint32_t step = (uint32_t)(distance * contexts->rates[count] >> 16);
    uint32_t change = ((step ^ is_one) - is_one) << QC_CONTEXT_COUNT_BITS;
    return context + change + (count < contexts->max_count);
}

/* Model exponent: the contexts of the unary exponent come first in the shared table, then four for
   each exponent, of which 1 is for the first bit under the leading one, 2 and 3 for the second. */
static inline unsigned qc_contexts_mantissa_base(unsigned exponent) { return 16 + 4 * exponent; }

#endif /* QC_CONTEXTS_MODEL_H */
