/*
 * Positions: which elements of a chunk are stored (docs/format.md, section 6). Each form is a
 * decoder that is pulled, a block of positions at a time, ascending.
 */
#ifndef QC_POSITIONS_H
#define QC_POSITIONS_H

#include "codings/stream.h"
#include "head/layout.h"
#include "kernels/kernels.h"

/* Symbols that a form holds in L1. */
#define QC_POSITION_BUFFER 256
#define QC_POSITION_AHEAD  (QC_POSITION_BUFFER * 4 + QC_MASK_SLACK)

typedef struct qc_position_decoder {
    const struct qc_position_form *form;
    size_t elements;     /* of the chunk */
    size_t row_elements; /* csr */
    size_t stored;
    size_t left;     /* not yet taken */
    size_t position; /* gaps, csr: one past the last stored element; masks: the next symbol's first
                        element */
    size_t row_end;  /* csr: the current row's end; gaps: elements */
    size_t row_left; /* csr: stored elements of the current row not yet taken; gaps: left */
    size_t buffered, used; /* in the buffer (symbols, ahead), and how many of them are spent */
    size_t counts_buffered, counts_used;
    qc_stream index;                      /* gaps, csr: the gaps; else the mask */
    qc_stream counts;                     /* csr */
    uint16_t symbols[QC_POSITION_BUFFER]; /* gaps */
    uint32_t ahead[QC_POSITION_AHEAD];    /* masks: positions that are known, not yet taken */
    uint16_t row_counts[QC_POSITION_BUFFER];
} qc_position_decoder;

/* Start to read the positions of a chunk: the number of stored elements and position streams; steps
 * over them. */
qc_status qc_positions_open(qc_position_decoder *positions, const qc_frame *frame,
                            const qc_chunk *chunk, qc_stream_shared *shared, qc_reader *reader,
                            qc_error *error);
/* The next `count` positions (<= positions->left), each below the chunk's elements. */
qc_status qc_positions_next(qc_position_decoder *positions, uint32_t *out, size_t count,
                            qc_error *error);
/* Where whole rows can be passed over (csr): go to the row that holds `element`; *stored is how
   many stored elements come before it. Other forms stay where they are. Only at the start. */
qc_status qc_positions_seek(qc_position_decoder *positions, size_t element, size_t *stored,
                            qc_error *error);
/* After the last stored element: nothing more may be there. */
qc_status qc_positions_finish(qc_position_decoder *positions, qc_error *error);

#endif /* QC_POSITIONS_H */
