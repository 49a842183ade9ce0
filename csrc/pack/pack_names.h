/*
 * The order of a pack's names: what makes them quick to find, and the same name twice quick to
 * notice, however many there are.
 */
#ifndef QC_PACK_NAMES_H
#define QC_PACK_NAMES_H

#include "base/bytes.h"

/* Fill every entry's by_name: the numbers of the entries in the order of their names, by bytes. A
   heapsort: no memory but the entries, and no input is slow. */
void qc_pack_sort_names(const uint8_t *names, qc_pack_entry *entries, size_t count);

/* Once sorted: the number of an entry whose name another one has too, or `count`. */
size_t qc_pack_duplicate_name(const uint8_t *names, const qc_pack_entry *entries, size_t count);

#endif /* QC_PACK_NAMES_H */
