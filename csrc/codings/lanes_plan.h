/*
 * Which code of codings 4 and 5 suits a stream: from its histogram, before anything is written.
 */
#ifndef QC_LANES_PLAN_H
#define QC_LANES_PLAN_H

#include "kernels/lanes.h"

typedef struct qc_lanes_plan {
    qc_lanes_code code;
    size_t bytes; /* what the body will take, about; SIZE_MAX: the coding does not suit */
    size_t price; /* that, and what it costs in speed: of several codes the cheapest is the best */
} qc_lanes_plan;

/* The best plan for symbols with these counts, `total` of them, below 2^width; deterministic.
   `smallest`: speed has no price. */
void qc_lanes_plan_huffman(const uint64_t counts[256], uint64_t total, unsigned width, int smallest,
                           qc_lanes_plan *plan);
void qc_lanes_plan_tans(const uint64_t counts[256], uint64_t total, unsigned width, int smallest,
                        qc_lanes_plan *plan);

#endif /* QC_LANES_PLAN_H */
