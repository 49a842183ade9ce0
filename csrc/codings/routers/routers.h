/*
 * Routed streams (docs/format.md, sections 7.4 and 7.6): what their two sides share. A router names
 * the target of each symbol: a table of contexts, or a sub-stream.
 */
#ifndef QC_ROUTERS_H
#define QC_ROUTERS_H

#include "base/bytes.h"

#define QC_ROUTER_MAX_WIDTH       8
#define QC_ROUTER_MAX_SUB_STREAMS 16
#define QC_ROUTER_MAX_COLUMNS     ((size_t)1 << 14) /* of a row, where columns have classes */

/* ---- neighbours ---- */

#define QC_FILTER_MAX_SIDE     ((size_t)1 << 22)
#define QC_FILTER_MAX_WIDTH    ((size_t)1 << 16)
#define QC_NEIGHBOURS_SHIFT    6  /* in a byte, above the classes of symbols */
#define QC_MAX_CLASSES_OF_BOTH 15 /* of symbols */
#define QC_MAX_CLASSES_OF_ONE  63

/* Whose classes name the table. */
typedef enum qc_neighbours { QC_LEFT_AND_UP = 0, QC_LEFT = 1, QC_UP = 2 } qc_neighbours;

/* The table is number left * by_left + up * by_up. */
typedef struct qc_neighbour_tables {
    unsigned count, by_left, by_up;
} qc_neighbour_tables;

static inline qc_neighbour_tables qc_tables_of_neighbours(qc_neighbours which, unsigned classes)
{
    if (which == QC_LEFT_AND_UP)
        return (qc_neighbour_tables){(classes + 1) * (classes + 1), classes + 1, 1};
    return (qc_neighbour_tables){classes + 1, which == QC_LEFT, which == QC_UP};
}

/* ---- classes of rows and columns ---- */

/* Bits of a class below `classes`. */
static inline unsigned qc_router_map_width(unsigned classes)
{
    return classes > 2 ? qc_bit_length(classes - 1) : 1;
}

/* Symbols of a row map: rows, the last of which may be shorter. */
static inline size_t qc_router_rows(size_t count, size_t row_length)
{
    return count / row_length + (count % row_length != 0);
}

#endif /* QC_ROUTERS_H */
