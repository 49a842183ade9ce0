/*
 * The layout of a frame: what its reader and its writer derive from the head by arithmetic.
 */
#ifndef QC_FRAME_LAYOUT_H
#define QC_FRAME_LAYOUT_H

#include "head/kinds.h"

#define QC_MAGIC_0 0x51 /* "QC" */
#define QC_MAGIC_1 0x43

#define QC_FLAG_CHUNKED         1u
#define QC_FLAG_POSITIONS_SHIFT 1
#define QC_FLAG_POSITIONS_MASK  7u
#define QC_FLAG_SCALED          16u
#define QC_FLAG_RESERVED        0xE0u

#define QC_CRC_BYTES             4
#define QC_DIRECTORY_ENTRY_BYTES 8 /* u32 length, u32 crc32c */

#define QC_ZERO_MODE_ONE   0
#define QC_ZERO_MODE_GROUP 1 /* one u16 per group */

#define QC_SCALE_SECOND                                                                            \
    64u /* beside the dtype of the scales: an f32 that multiplies each follows */

#define QC_DELTA_STEP_LIMIT 4096 /* steps are below it: more than the exponents of f64 */
#define QC_DELTA_MAX_SIDE   255  /* of a filter */

/* item_size, elements and row_elements from dtype and dims. QC_LIMIT if the tensor is too large. */
qc_status qc_layout_elements(qc_frame *frame, qc_error *error);
/* chunks, from elements and chunk_elements; `status` for what breaks a rule: Corrupt when reading,
   Invalid when writing. */
qc_status qc_layout_chunks(qc_frame *frame, qc_status status, qc_error *error);
/* value_streams, and the width of kinds that store elements. `scaled`: whether there are scales. */
qc_status qc_layout_values(qc_frame *frame, int scaled, qc_status status, qc_error *error);
/* Whether the frame's groups have their values: coded ones have them once they are decoded. */
int qc_parameters_are_decoded(const qc_frame *frame);
/* Bits of a code of a codebook of this many entries. */
unsigned qc_codebook_width(unsigned entries);
/* How many values a parameter may have to be coded. */
size_t qc_max_coded(const qc_frame *frame);
/* Bits of a row count: docs/format.md, section 6, csr. */
unsigned qc_row_count_width(size_t row_elements);

/* Elements that a symbol of a mask covers; 0 if there is no mask. */
static inline unsigned qc_mask_width(qc_positions form)
{
    return form == QC_MASK ? 4 : form == QC_BIT_MASK ? 1 : 0;
}

/* Symbols of a mask of this many elements. */
static inline size_t qc_mask_symbols(size_t elements, unsigned width)
{
    return elements / width + (elements % width != 0);
}

#endif /* QC_FRAME_LAYOUT_H */
