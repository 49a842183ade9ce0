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
    int dense_only;         /* every element is stored */
    int has_codebook;       /* frame->codebook */
    int has_zero_points;    /* frame->zero_points */
    unsigned value_streams; /* 0: one per byte of an element */
    /* A chunk's values begin with this many bytes, and then this many `vu`. */
    unsigned head_bytes, head_numbers;
    unsigned escape_streams; /* streams before the value streams */
} qc_kind_facts;

extern const qc_kind_facts qc_kinds[QC_KIND_COUNT];

/* Whether a frame stores elements, not codes. */
static inline int qc_stores_elements(const qc_frame *frame)
{
    return qc_kinds[frame->kind].stores_elements;
}

#endif /* QC_KINDS_H */
