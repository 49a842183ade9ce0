/*
 * The facts of each kind: the table.
 */
#include "head/kinds.h"

const qc_kind_facts qc_kinds[QC_KIND_ROWS] = {
    [QC_BYTES] = {.stores_elements = 1, .any_dtype = 1, .value_streams = 1},
    [QC_PLANES] = {.stores_elements = 1, .any_dtype = 1},
    [QC_AFFINE] = {.has_zero_points = 1, .value_streams = 1},
    [QC_CODEBOOK] = {.has_codebook = 1, .value_streams = 1},
    /* Symbols, low bits, escapes; the bytes of low bits and the number of escapes. */
    [QC_DELTA] = {.stores_elements = 1, .value_streams = 3, .head_numbers = 2},
    [QC_FLOAT_PLANES] = {.stores_elements = 1, .any_dtype = 1, .has_fields = 1},
};
