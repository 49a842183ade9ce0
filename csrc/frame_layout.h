/*
 * What follows from a frame's head by arithmetic: shared by its reader and its writer.
 */
#ifndef QC_FRAME_LAYOUT_H
#define QC_FRAME_LAYOUT_H

#include "bytes.h"

#define QC_MAGIC_0 0x51 /* "QC" */
#define QC_MAGIC_1 0x43

#define QC_FLAG_CHUNKED         1u
#define QC_FLAG_POSITIONS_SHIFT 1
#define QC_FLAG_POSITIONS_MASK  7u
#define QC_FLAG_SCALED          16u
#define QC_FLAG_RESERVED        0xE0u

#define QC_CRC_BYTES             4
#define QC_DIRECTORY_ENTRY_BYTES 8 /* u32 length, u32 crc32c */
#define QC_FLOATS_VERBATIM       0

/* Whether a kind that is known keeps the bits of elements. */
static inline int qc_kind_is_bytes(qc_kind kind)
{
    return kind == QC_RAW || kind == QC_PLANES || kind == QC_FIELDS;
}

/* Whether this number is a kind's. */
static inline int qc_kind_is_known(unsigned kind)
{
    return kind <= QC_CODEBOOK || kind == QC_FIELDS;
}

/* item_size, elements and row_elements from dtype and dims. QC_LIMIT if the tensor is too large. */
qc_status qc_layout_elements(qc_frame *frame, qc_error *error);
/* chunks, from elements and chunk_elements; `status` for what breaks a rule: Corrupt when reading,
   Invalid when writing. */
qc_status qc_layout_chunks(qc_frame *frame, qc_status status, qc_error *error);
/* value_streams, and the width of raw and planes. */
qc_status qc_layout_values(qc_frame *frame, qc_status status, qc_error *error);
/* Bits of a code of a codebook of this many entries. */
unsigned qc_codebook_width(unsigned entries);
/* Bits of a row count: docs/format.md, section 6, csr. */
unsigned qc_row_count_width(size_t row_elements);

#endif /* QC_FRAME_LAYOUT_H */
