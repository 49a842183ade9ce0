/*
 * The search for a router (docs/format.md, sections 7.4 and 7.6): classes under which the symbols
 * of every target take few bits. Costs are estimates of adaptive coding, in units of 2^-8 bits.
 */
#ifndef QC_ROUTER_SEARCH_H
#define QC_ROUTER_SEARCH_H

#include "base/ticker.h"
#include "codings/routers/routers.h"

#define QC_ROUTER_MAX_SYMBOLS    ((size_t)1 << 24)
#define QC_ROUTER_SIDE_CLASSES   8 /* maximum that is searched for, of rows and of columns */
#define QC_ROUTER_MAX_ROWS_APART 3 /* rows may be like those so many rows before */

/* The places of a stream's symbols. */
typedef struct qc_geometry {
    size_t row_length;                  /* at most QC_ROUTER_MAX_COLUMNS; 0: there are no rows */
    size_t filter_width, filter_height; /* 0: there are no filters */
} qc_geometry;

typedef struct qc_router_input {
    const uint8_t *symbols;
    size_t count; /* below QC_ROUTER_MAX_SYMBOLS */
    unsigned width;
    qc_geometry geometry;
    qc_ticker *ticker; /* if it says stop, results are unspecified */
    unsigned center;   /* rows differ in how far their symbols are from it, as scales do */
} qc_router_input;

/* Classes of rows and columns. */
typedef struct qc_router_plan {
    unsigned targets;
    uint64_t cost;
    unsigned row_classes, column_classes;
    uint8_t *row_map, *column_map; /* in the workspace of the search */
} qc_router_plan;

/* What a target with this histogram is estimated to take, its head included. */
uint64_t qc_router_cost(const uint32_t *histogram, unsigned symbols);

size_t qc_router_find_classes_workspace(const qc_router_input *input);
/* The best classes of rows and columns, of more numbers of them with more effort; the geometry has
   rows. */
void qc_router_find_classes(const qc_router_input *input, unsigned effort, qc_router_plan *plan,
                            void *workspace);

size_t qc_router_find_rows_workspace(const qc_router_input *input);
/* Classes of rows that save something, or one, where each takes `head` bytes beside its symbols;
   the geometry has rows. Fast: symbols are seen twice. */
void qc_router_find_rows(const qc_router_input *input, size_t head, qc_router_plan *plan,
                         void *workspace);

/* The targets of the first `count` symbols. */
void qc_router_route(const qc_router_input *input, size_t count, const qc_router_plan *plan,
                     uint8_t *targets);

/* The number of bytes after which the tables of bytes repeat, or 0; of symbols of 8 bits. */
size_t qc_router_find_period(const uint8_t *symbols, size_t count);

/* Classes of about as many symbols each, in the order of the codes; some may be empty. `counts`:
   how often each symbol occurs in all. */
void qc_router_classify(const qc_router_input *input, const uint64_t *counts, unsigned classes,
                        uint8_t *class_of);

/* What symbols tell about those so many places behind them: the mutual information of their
   classes, which are three, in the first `count` symbols, each of which is seen once. */
uint64_t qc_router_told(const qc_router_input *input, const uint64_t *counts, size_t count,
                        size_t distance);

/* What the neighbour tells that tells the most, of all that are tried. */
uint64_t qc_router_most_told(const qc_router_input *input, size_t count);

/* The tables of the first `count` symbols, by their neighbours in filters. */
void qc_router_contexts(const qc_router_input *input, size_t count, size_t width, size_t height,
                        const uint8_t *class_of, qc_neighbour_tables by, uint8_t *tables);

#endif /* QC_ROUTER_SEARCH_H */
