/*
 * UTF-8, for the names in packs.
 */
#ifndef QC_UTF8_H
#define QC_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The number of leading bytes of `text` that are whole, shortest-form UTF-8 characters (no
   surrogates, nothing above U+10FFFF): `size` if all of it is valid. */
size_t qc_utf8_valid_bytes(const uint8_t *text, size_t size);

#endif /* QC_UTF8_H */
