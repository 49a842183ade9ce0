/*
 * Kind fields (docs/format.md, section 4), encoded: how a chunk's floats are taken apart, and the
 * symbols that this makes.
 */
#ifndef QC_FIELDS_ENCODE_H
#define QC_FIELDS_ENCODE_H

#include "body/exponents.h"

/* The uppermost 16 bits of `count` elements of a float type, little-endian, rotated left by one. */
void qc_upper_words(const uint8_t *elements, size_t count, size_t item_size, uint16_t *words);

/* Scratch memory for qc_fields_plan, aligned as a uint64_t; `stream_workspace` has
   QC_STABLE_WORKSPACE(0) bytes. */
size_t qc_fields_plan_workspace(qc_dtype dtype);
/* The mantissa bits and the base that promise the fewest bytes under the profile. */
void qc_fields_plan(const uint16_t *words, size_t count, qc_dtype dtype, uint64_t codings,
                    qc_profile profile, qc_fields *plan, void *workspace, void *stream_workspace);

/* Symbols, and the rest bits, of every word. Returns the number of escapes. */
size_t qc_fields_take_apart(const qc_fields *fields, const uint16_t *words, size_t count,
                            uint8_t *symbols, uint8_t *rest);
/* The exponents of those words that are escapes by their symbols: uint8_t, or uint16_t if they have
   more than 8 bits. */
void qc_fields_escapes(const qc_fields *fields, const uint16_t *words, const uint8_t *symbols,
                       size_t count, void *escapes);

#endif /* QC_FIELDS_ENCODE_H */
