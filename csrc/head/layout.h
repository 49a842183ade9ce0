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
#define QC_FLAG_NOTES           32u
#define QC_FLAG_RESERVED        0xC0u

#define QC_NDIM_LIMIT 16 /* the field has four bits */

#define QC_CRC_BYTES             4
#define QC_DIRECTORY_ENTRY_BYTES 8 /* u32 length, u32 crc32c */

#define QC_ZERO_MODE_ONE   0
#define QC_ZERO_MODE_GROUP 1 /* one u16 per group */

#define QC_SCALE_SECOND                                                                            \
    64u /* beside the dtype of the scales: an f32 that multiplies each follows */

#define QC_DELTA_STEP_LIMIT 4096 /* steps are below it: more than the exponents of f64 */
#define QC_DELTA_MAX_SIDE   255  /* of a filter */

/* Positions form copies: the options of a chunk, which say what streams it has beside the others.
 */
#define QC_COPIES_DIRECTIONS 1u
#define QC_COPIES_STEPS      2u /* integers */
#define QC_COPIES_SIGNS      4u /* floats */

/* item_size, elements and row_elements from dtype and dims. QC_LIMIT if the tensor is too large. */
qc_status qc_layout_elements(qc_frame *frame, qc_error *error);
/* chunks, from elements and chunk_elements; `status` for what breaks a rule: Corrupt when reading,
   Invalid when writing; `later` for chunks that a later version may have. */
qc_status qc_layout_chunks(qc_frame *frame, qc_status status, qc_status later, qc_error *error);
/* value_streams, and the width of kinds that store elements. `scaled`: whether there are scales. Of
   scaled planes, qc_layout_stored follows. */
qc_status qc_layout_values(qc_frame *frame, int scaled, qc_status status, qc_error *error);
/* What the value streams of a kind that stores elements hold. */
void qc_layout_stored(qc_frame *frame, qc_dtype dtype);
/* The notes at the reader: their length, then items that fill it. */
qc_status qc_read_notes(qc_reader *reader, qc_notes *notes, qc_error *error);
/* Check notes that are to be written. */
qc_status qc_plan_notes(const qc_notes *notes, qc_error *error);
/* That elements can be copied: once the parameters are there. */
qc_status qc_layout_copies(const qc_frame *frame, qc_status status, qc_error *error);
/* That only elements beside each other predict each other: kind delta. */
qc_status qc_check_filter(const qc_frame *frame, qc_status status, size_t at, qc_error *error);
/* Whether the frame's groups have their values: coded ones have them once they are decoded. */
int qc_parameters_are_decoded(const qc_frame *frame);
/* Bits of a code of a codebook of this many entries. */
unsigned qc_codebook_width(unsigned entries);
/* How many values a parameter may have to be coded. */
size_t qc_max_coded(const qc_frame *frame);
/* Bits of a row count: docs/format.md, section 6, csr. */
unsigned qc_row_count_width(size_t row_elements);

/* Whether all elements have the same scale, zero point and book. */
static inline int qc_is_uniform(const qc_frame *frame)
{
    return frame->scales.count <= 1 && frame->codebook.books.count <= 1;
}

/* Whether it is told where the stored elements are: those that are not stored are 0, or those of a
   base. */
static inline int qc_is_sparse(const qc_frame *frame)
{
    return frame->positions != QC_DENSE && frame->positions != QC_COPIES;
}

/* Whether elements that are not stored are those of the base. */
static inline int qc_has_changes(const qc_frame *frame)
{
    return frame->kind == QC_DELTA && qc_is_sparse(frame);
}

/* Whether a chunk is decoded as a whole only: its elements depend on those before them. */
static inline int qc_is_whole_only(const qc_frame *frame)
{
    return frame->positions == QC_COPIES || qc_has_changes(frame);
}

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

/* The options that a chunk may have: integers may have steps, floats signs. */
static inline unsigned qc_copies_options(const qc_frame *frame)
{
    int stores_elements = qc_stores_elements(frame);
    unsigned options = QC_COPIES_DIRECTIONS;
    if (stores_elements && frame->dtype <= QC_F64)
        options |= QC_COPIES_SIGNS;
    if (stores_elements && frame->dtype >= QC_U8 && frame->dtype <= QC_I64)
        options |= QC_COPIES_STEPS;
    return options;
}

#endif /* QC_FRAME_LAYOUT_H */
