/*
 * The best partition of sorted, weighted points into clusters: the heart of exact k-means, and of
 * fast k-means on the bins of a histogram.
 */
#ifndef QC_KMEANS_PARTITION_H
#define QC_KMEANS_PARTITION_H

#include "base/ticker.h"

/* Running sums before a place: the difference of two describes the values between them. All values
   are taken less the same centre. */
typedef struct qc_point {
    double weight; /* number of values before */
    double sum;
    double squares;
} qc_point;

/* Squared error of the values between two places about their mean. */
static inline double qc_error_between(const qc_point *first, const qc_point *last)
{
    double sum = last->sum - first->sum;
    double error = last->squares - first->squares - sum * sum / (last->weight - first->weight);
    return error > 0 ? error : 0;
}

typedef struct qc_partition {
    const qc_point *points; /* [count + 1] */
    size_t count;
    size_t k;
    double *best;        /* [count + 1]: cost of the cheapest partition of the points before */
    uint32_t *previous;  /* [count + 1]: where its last cluster begins */
    uint32_t *candidate; /* [count + 1]: queue of beginnings ... */
    uint32_t *from;      /* [count + 1]: ... and the end from which each is the best */
    uint32_t *many;      /* [count + 1]: cuts of a cheapest partition of more than k clusters */
    uint32_t *few;       /* [k + 1]: of at most k clusters; in the end of the best partition */
    size_t many_clusters, few_clusters;
    qc_ticker *ticker;
} qc_partition;

/* Bytes of qc_partition_find's workspace, which is aligned for double. */
size_t qc_partition_workspace(size_t count, size_t k);

/* Find the partition of `count` points (at least 1) into k clusters, or into `count` if that is
   less, of the least squared error up to rounding: cluster j is [few[j], few[j + 1]), for j below
   few_clusters. `points` has count + 1 elements, and weights that grow. *guess (1 if nothing is
   known) is where the search for a price begins, and becomes a good guess for similar points; it
   changes the time that this takes. QC_INTERRUPTED if the ticker says stop. */
typedef qc_status qc_partition_method(qc_partition *run, const qc_point *points, size_t count,
                                      size_t k, double *guess, qc_ticker *ticker, void *workspace,
                                      qc_error *error);
qc_partition_method qc_partition_find;

/* The same for a partition that is near the best one: its cuts are first found on a grid, then
   moved (kmeans_near.c). Of few points, the best. The workspace has to be that of qc_partition_find
   as well. */
size_t qc_partition_near_workspace(size_t k);
qc_partition_method qc_partition_find_near;

#endif /* QC_KMEANS_PARTITION_H */
