/*
 * The facts of each kind (docs/format.md, section 4): one row per kind, which readers and writers
 * of heads ask.
 *
 * The functions of a kind are in tables of their own, so that a decoder needs no encoder:
 * head/parameters_read.c, head/parameters_write.c, body/values_decode.c and body/values_encode.c.
 */
#ifndef QC_KINDS_H
#define QC_KINDS_H

#include "base/bytes.h"

typedef struct qc_kind_facts {
    int stores_elements;    /* the elements themselves; else codes, which may be scaled */
    int any_dtype;          /* else only f32, f16, bf16 and f64 */
    int has_codebook;       /* frame->codebook */
    int has_zero_points;    /* frame->zero_points */
    unsigned value_streams; /* 0: one per byte of an element */
    unsigned head_numbers;  /* a chunk's values begin with this many `vu` */
    int has_fields;         /* they begin with a byte of fields: the planes of floats */
} qc_kind_facts;

/* The fields of floats' planes: mantissa bits of a symbol, and what follows the byte. */
#define QC_PLANES_MANTISSA 7u
#define QC_PLANES_BASE     8u  /* vu base exponent; else it is 0 */
#define QC_PLANES_ESCAPES  16u /* vu escapes, and their stream; else there are none */

/* Kind planes has two forms: that of floats (f32, f16, bf16, f64) has a row of its own. */
#define QC_FLOAT_PLANES QC_KIND_COUNT
#define QC_KIND_ROWS    (QC_KIND_COUNT + 1)

extern const qc_kind_facts qc_kinds[QC_KIND_ROWS];

/* The row of a kind of elements of this type in every table of kinds. */
static inline unsigned qc_kind_row(qc_kind kind, qc_dtype dtype)
{
    return kind == QC_PLANES && dtype <= QC_F64 ? (unsigned)QC_FLOAT_PLANES : (unsigned)kind;
}

static inline const qc_kind_facts *qc_kind_facts_of(const qc_frame *frame)
{
    return &qc_kinds[qc_kind_row(frame->kind, frame->dtype)];
}

/* Whether a frame stores elements, not codes. */
static inline int qc_stores_elements(const qc_frame *frame)
{
    return qc_kinds[frame->kind].stores_elements;
}

#endif /* QC_KINDS_H */
