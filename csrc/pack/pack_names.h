/*
 * The order of a pack's names, by which a name is found quickly, and a name that occurs twice too.
 */
#ifndef QC_PACK_NAMES_H
#define QC_PACK_NAMES_H

#include "base/bytes.h"

/* Fill every entry's by_name: the numbers of the entries in the order of their names, by bytes. It
   takes no memory, and no input is slow. */
void qc_pack_sort_names(const uint8_t *names, qc_pack_entry *entries, size_t count);

/* After sorting: the number of an entry that has the same name as another one, or `count`. */
size_t qc_pack_duplicate_name(const uint8_t *names, const qc_pack_entry *entries, size_t count);

#endif /* QC_PACK_NAMES_H */
