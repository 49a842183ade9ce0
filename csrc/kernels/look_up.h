/*
 * Codes of one byte to the items of a table: a codebook in the output's type.
 */
#ifndef QC_LOOK_UP_H
#define QC_LOOK_UP_H

#include "base/bytes.h"

#define QC_MAX_ENTRIES    256
#define QC_MAX_ITEM_BYTES 8
#define QC_NO_PLANES      16 /* up to this many entries there are no planes */
#define QC_LINE_BYTES     64 /* of a cache; non-temporal stores fill them */

/* `items` one after the other; and if they are many, of 2 or 4 bytes, also byte b of all of them in
   planes[b], because byte permutations look up each plane by itself. */
typedef struct qc_look_up_table {
    size_t entries;
    size_t item_size;
    uint8_t items[QC_MAX_ENTRIES * QC_MAX_ITEM_BYTES];
    uint8_t planes[4][QC_MAX_ENTRIES];
} qc_look_up_table;

/* Items to write one after the other, straight from where their codes are made: those of the last
   `keep` codes before, and then those of the next codes but as many at the end. */
typedef struct qc_item_run {
    const qc_look_up_table *table; /* of up to QC_NO_PLANES items, of 2 or 4 bytes */
    uint8_t *out;
    size_t keep;   /* at most QC_MAX_KEPT */
    uint8_t *kept; /* the last QC_KEPT_CODES before; set to those before the next run */
    int past_cache;
} qc_item_run;

#define QC_KEPT_CODES 64
#define QC_MAX_KEPT   31

/* Fill the planes from `entries`, `item_size` and `items`. */
void qc_look_up_prepare(qc_look_up_table *table);
/* Write the item of each code to `out`, at any alignment. Every code is below table->entries.
   `past_cache`: the output is not read again soon, so stores may bypass the caches if it begins
   with a cache line; qc_look_up_fence must then follow before another thread reads it. */
void qc_look_up(const qc_look_up_table *table, const uint8_t *codes, size_t count, uint8_t *out,
                int past_cache);
/* Order the stores of qc_look_up before all that follow. */
void qc_look_up_fence(void);

#endif /* QC_LOOK_UP_H */
