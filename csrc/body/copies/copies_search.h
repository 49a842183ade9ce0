/*
 * The search for copies in the elements of a chunk.
 */
#ifndef QC_COPIES_SEARCH_H
#define QC_COPIES_SEARCH_H

#include "base/ticker.h"
#include "body/copies/copies.h"

/* What elements of a copy and of its source have in common. */
typedef enum qc_copy_rule {
    QC_COPY_EXACT = 0,
    QC_COPY_SIGNS = 1, /* all but their top bits */
    QC_COPY_STEPS = 2  /* their difference is the same for all elements of the copy */
} qc_copy_rule;

typedef struct qc_copies_input {
    const uint8_t *values; /* in the machine's order */
    size_t count;
    size_t item_size; /* 1, 2, 4 or 8 */
    qc_ticker *ticker;
} qc_copies_input;

typedef struct qc_copies {
    qc_copy *copies;
    size_t count;
    size_t stored; /* elements that are no copies */
    uint64_t cost; /* an estimate of all bits, those of the stored elements too, in units of 2^-8 */
    qc_copy_rule rule;
} qc_copies;

/* The number of the distance of a copy whose first element is number `at`. */
static inline uint32_t qc_number_of_distance(const qc_copy_memory *memory, size_t at,
                                             const qc_copy *copy)
{
    qc_copy_memory with = *memory;
    qc_remember_copy(&with, at, copy);
    int repeats = copy->mirrored ? with.axis == memory->axis : with.distance == memory->distance;
    return repeats ? 0 : copy->distance;
}

/* At most so many copies are found. */
static inline size_t qc_copies_max(size_t count) { return count / 4 + 1; }

/* Scratch memory of qc_copies_search. */
size_t qc_copies_workspace(size_t count);
/* Find the copies by a rule; `found->copies` has room for qc_copies_max. */
void qc_copies_search(const qc_copies_input *input, qc_copy_rule rule, qc_copies *found,
                      void *workspace);

#endif /* QC_COPIES_SEARCH_H */
