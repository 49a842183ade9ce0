/*
 * The search for a router (docs/format.md, section 7.6): classes under which every sub-stream takes
 * few bits. Costs are estimates of adaptive coding, in units of 2^-8 bits.
 */
#ifndef QC_SPLIT_SEARCH_H
#define QC_SPLIT_SEARCH_H

#include "base/ticker.h"
#include "codings/routers/routers.h"

#define QC_SPLIT_SIDE_CLASSES 8 /* the most that are looked for, of rows and of columns */
#define QC_SPLIT_TRY_CLASSES  8 /* of symbols */

/* Where a stream's symbols stand. */
typedef struct qc_geometry {
    size_t row_length;                    /* at most QC_SPLIT_MAX_COLUMNS; 0: there are no rows */
    unsigned kernel_width, kernel_height; /* 0: there are no kernels */
} qc_geometry;

typedef struct qc_split_input {
    const uint8_t *symbols;
    size_t count; /* below 2^24 */
    unsigned width;
    qc_geometry geometry;
    qc_ticker *ticker; /* if it says stop, what is found and written is of no use */
} qc_split_input;

typedef struct qc_split_plan {
    qc_router router;
    unsigned parts;
    uint64_t cost;
    unsigned row_classes, column_classes;
    uint8_t *row_map, *column_map; /* in the workspace of qc_split_find_classes */
    unsigned classes;              /* of symbols */
    uint8_t class_of[1 << QC_SPLIT_MAX_WIDTH];
    uint8_t part_of[QC_SPLIT_MAX_CONTEXTS];
} qc_split_plan;

/* What a sub-stream with this histogram is estimated to take, its head included. */
uint64_t qc_split_cost(const uint32_t *histogram, unsigned symbols);

size_t qc_split_classes_workspace(const qc_split_input *input);
/* The best classes of rows and columns, of more numbers of them with more effort; the geometry has
   rows. */
void qc_split_find_classes(const qc_split_input *input, unsigned effort, qc_split_plan *plan,
                           void *workspace);

size_t qc_split_rows_workspace(const qc_split_input *input);
/* Classes of rows that save something, or one, where each takes `head` bytes beside its symbols;
   the geometry has rows. Fast: symbols are seen twice. */
void qc_split_find_rows(const qc_split_input *input, size_t head, qc_split_plan *plan,
                        void *workspace);

size_t qc_split_neighbours_workspace(const qc_split_input *input);
/* The best classes of symbols and the sub-streams of their contexts; the geometry has kernels. */
void qc_split_find_neighbours(const qc_split_input *input, qc_split_plan *plan, void *workspace);

/* Classes of about as many symbols each, in the order of the codes; some may be empty. */
void qc_split_classify(const qc_split_input *input, unsigned classes, uint8_t *class_of);

/* The contexts of neighbours: a number below (classes + 1)^2 for every symbol. */
void qc_split_contexts(const qc_split_input *input, const uint8_t *class_of, unsigned classes,
                       uint8_t *contexts);

/* The sub-stream of every symbol. */
void qc_split_route(const qc_split_input *input, const qc_split_plan *plan, uint8_t *parts);

#endif /* QC_SPLIT_SEARCH_H */
