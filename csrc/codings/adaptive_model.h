/*
 * What the two sides of coding 3 share (docs/format.md, section 7.4): contexts, how they learn,
 * and which of them a symbol's bits use.
 *
 * A context that has seen c bits moves by 1 / (c + 1.5) of the distance to the next bit. Its
 * probability is then the mean of the bits seen, as if a quarter of a 0 and a quarter of a 1 had
 * been seen before: few bits suffice for a good guess. From 254 bits on the rate stays the same,
 * so contexts forget, and follow changes in a tensor. All is in whole numbers: both sides compute
 * the same everywhere.
 */
#ifndef QC_ADAPTIVE_MODEL_H
#define QC_ADAPTIVE_MODEL_H

#include "base/bytes.h"

#define QC_ADAPTIVE_TREE           0u
#define QC_ADAPTIVE_EXPONENT       1u
#define QC_ADAPTIVE_TREE_MAX_WIDTH 8
#define QC_ADAPTIVE_MAX_COUNT      254
#define QC_ADAPTIVE_CONTEXTS       256
#define QC_ADAPTIVE_NORMAL_RANGE   ((uint32_t)1 << 24)

typedef struct qc_context {
    uint16_t p;     /* probability of a 0 in units of 2^-16, never 0 */
    uint16_t count; /* bits seen, at most QC_ADAPTIVE_MAX_COUNT */
} qc_context;

typedef struct qc_adaptive_model {
    qc_context contexts[QC_ADAPTIVE_CONTEXTS];
    uint16_t rates[QC_ADAPTIVE_MAX_COUNT + 1]; /* by count, in units of 2^-16 */
} qc_adaptive_model;

static inline void qc_adaptive_model_start(qc_adaptive_model *model)
{
    for (unsigned i = 0; i < QC_ADAPTIVE_CONTEXTS; i++)
        model->contexts[i] = (qc_context){32768, 0};
    for (unsigned count = 0; count <= QC_ADAPTIVE_MAX_COUNT; count++)
        model->rates[count] = (uint16_t)((1u << 17) / (2 * count + 3));
}

/* Move a context towards the bit (0 or 1) that was seen. */
static inline void qc_context_learn(qc_context *context, unsigned bit, const uint16_t *rates)
{
    uint32_t p = context->p, rate = rates[context->count];
    uint32_t up = ((65536 - p) * rate) >> 16, down = (p * rate) >> 16;
    context->p = (uint16_t)(bit ? p - down : p + up);
    context->count += context->count < QC_ADAPTIVE_MAX_COUNT;
}

/* Model exponent: the contexts of the unary exponent come first, then four for each exponent, of
   which 1 is for the first bit under the leading one, 2 and 3 for the second. */
static inline unsigned qc_adaptive_mantissa_base(unsigned exponent) { return 16 + 4 * exponent; }

#endif /* QC_ADAPTIVE_MODEL_H */
