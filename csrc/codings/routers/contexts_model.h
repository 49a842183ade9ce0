/*
 * What the two sides of coding 7 share (docs/format.md, section 7.7): tables of contexts.
 *
 * A router names one specific table for every symbol, for example that of its row's class. A
 * specific table predicts better than a shared one once it has learnt, but with many tables each
 * learns from few symbols. So there is also one shared table that learns from all symbols, and a
 * bit's probability is a mean of both: the specific context's weight is n / (n + prior) after it
 * has seen n bits. This is the estimate of a Bayesian whose prior belief, worth `prior` bits of
 * evidence, is the shared table. A table costs nothing until it is used, and starts from what all
 * others have learnt.
 */
#ifndef QC_CONTEXTS_MODEL_H
#define QC_CONTEXTS_MODEL_H

#include "base/bytes.h"

#define QC_CONTEXTS_MAX_WIDTH   8
#define QC_CONTEXTS_MAX_CLASSES 15                /* of symbols, for router neighbours */
#define QC_CONTEXTS_MAX_NODES   ((size_t)1 << 14) /* tables times 2^width */
#define QC_CONTEXTS_MIN_MEMORY  4                 /* a context counts up to 2^memory - 2 bits */
#define QC_CONTEXTS_MAX_MEMORY  10

/* The probability of a 0 in units of 2^-22, never 0 and below 2^22; then, in the lowest 10 bits,
   how many bits were seen. Finer than the contexts of 7.4, for the zeros of a mask: one in a
   thousand may be a 1. */
typedef uint32_t qc_fine_context;

#define QC_FINE_COUNT_BITS 10
#define QC_FINE_ONE        ((uint32_t)1 << 22)
#define QC_FINE_START      (QC_FINE_ONE / 2 << QC_FINE_COUNT_BITS)

typedef struct qc_contexts_model {
    uint32_t max_count;                            /* bits that a context counts */
    uint16_t rates[1 << QC_CONTEXTS_MAX_MEMORY];   /* by count, in units of 2^-16 */
    uint16_t weights[1 << QC_CONTEXTS_MAX_MEMORY]; /* of a specific table, the same */
    qc_fine_context shared[1 << QC_CONTEXTS_MAX_WIDTH];
    qc_fine_context specific[QC_CONTEXTS_MAX_NODES]; /* one table of 2^width after the other */
} qc_contexts_model;

/* `prior` is at least 1: what the shared table counts for, in bits seen. */
static inline void qc_contexts_model_start(qc_contexts_model *model, size_t nodes, unsigned width,
                                           unsigned prior, unsigned memory)
{
    model->max_count = (1u << memory) - 2;
    for (uint32_t count = 0; count <= model->max_count; count++) {
        model->rates[count] = (uint16_t)((1u << 17) / (2 * count + 3));
        model->weights[count] = (uint16_t)((count << 16) / (count + prior));
    }
    for (size_t i = 0; i < (size_t)1 << width; i++)
        model->shared[i] = QC_FINE_START;
    for (size_t i = 0; i < nodes; i++)
        model->specific[i] = QC_FINE_START;
}

/* The probability of a 0 by both, in units of 2^-16: 1 to 65535. */
static inline uint32_t qc_contexts_blend(const qc_contexts_model *model, qc_fine_context shared,
                                         qc_fine_context specific)
{
    uint64_t weight = model->weights[specific & ((1u << QC_FINE_COUNT_BITS) - 1)];
    uint64_t sum = (shared >> QC_FINE_COUNT_BITS) * (65536 - weight) +
                   (specific >> QC_FINE_COUNT_BITS) * weight;
    uint32_t p = (uint32_t)(sum >> 22);
    return p > 0 ? p : 1;
}

/* The context once it has seen the bit (0 or 1). */
static inline qc_fine_context qc_contexts_learn(const qc_contexts_model *model,
                                                qc_fine_context context, unsigned bit)
{
    uint32_t p = context >> QC_FINE_COUNT_BITS, count = context & ((1u << QC_FINE_COUNT_BITS) - 1);
    uint64_t rate = model->rates[count];
    uint32_t up = (uint32_t)((QC_FINE_ONE - p) * rate >> 16), down = (uint32_t)(p * rate >> 16);
    p = bit ? p - down : p + up;
    return p << QC_FINE_COUNT_BITS | (count + (count < model->max_count));
}

#endif /* QC_CONTEXTS_MODEL_H */
