/*
 * Routed streams (docs/format.md, sections 7.4 and 7.6): what their two sides share. A router names
 * the target of each symbol: a table of contexts, or a sub-stream.
 */
#ifndef QC_ROUTERS_H
#define QC_ROUTERS_H

#include "base/bytes.h"

#define QC_ROUTER_MAX_WIDTH        8
#define QC_ROUTER_MAX_SUB_STREAMS  16
#define QC_ROUTER_MAX_COLUMNS      ((size_t)1 << 14) /* of a row, where columns have classes */
#define QC_ROUTER_MAX_CLASSES      15                /* of symbols, for neighbours */
#define QC_ROUTER_MAX_SIDE         ((size_t)1 << 22) /* of a filter */
#define QC_ROUTER_MAX_FILTER_WIDTH ((size_t)1 << 16)

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
