/*
 * A chunk that is being encoded: what its parts share (encode_streams.c, encode_positions.c,
 * encode_values.c; encode.c puts them together).
 */
#ifndef QC_CHUNK_ENCODER_H
#define QC_CHUNK_ENCODER_H

#include "codings/routers/router_encode.h"
#include "head/layout.h"

#define QC_ARENA_ALIGNMENT 16

/* Scratch memory, handed out front to back. */
typedef struct qc_arena {
    uint8_t *next;
    size_t left;
} qc_arena;

static inline size_t qc_arena_size(size_t size)
{
    return (size + QC_ARENA_ALIGNMENT - 1) / QC_ARENA_ALIGNMENT * QC_ARENA_ALIGNMENT;
}

/* qc_chunk_encode has checked that all of them fit. */
static inline void *qc_arena_take(qc_arena *arena, size_t size)
{
    void *memory = arena->next;
    arena->next += qc_arena_size(size);
    arena->left -= qc_arena_size(size);
    return memory;
}

/* The chunk that is being written, and what its streams are made from. */
typedef struct qc_chunk_encoder {
    const qc_frame *frame;
    const qc_chunk_source *source; /* its positions and values are our own copies */
    void *values;                  /* those of the source; gaps: with fillers */
    size_t entries;
    qc_encoding encoding;
    uint8_t *out;
    size_t capacity, size;
    uint64_t features;
    void *stream_workspace, *router_workspace;
    qc_arena arena;
    qc_ticker ticker;
    qc_error *error;
} qc_chunk_encoder;

/* Of what is stored of an element: itself, or a code. */
static inline size_t qc_value_size(const qc_frame *frame)
{
    return qc_is_bytes(frame) ? frame->item_size : qc_symbol_size(frame->width);
}

static inline int qc_has_gaps(const qc_frame *frame)
{
    return frame->positions == QC_GAPS || frame->positions == QC_CSR;
}

/* Fillers bridge runs of more than the largest gap, so there are never more than this. */
static inline size_t qc_most_entries(const qc_frame *frame, const qc_chunk_source *source)
{
    return source->entries + (qc_has_gaps(frame) ? source->elements >> frame->gap_width : 0);
}

/* ---- encode_streams.c ---- */

/* Where the symbols of dense codes, of a mask, and of the exponents of dense floats stand. */
qc_geometry qc_code_geometry(const qc_frame *frame);
qc_geometry qc_mask_geometry(const qc_frame *frame);
qc_geometry qc_exponent_geometry(const qc_frame *frame);
/* What the chunk's one stream that may have a router needs. */
size_t qc_router_stream_workspace(const qc_frame *frame, const qc_chunk_source *source);

qc_status qc_write_stream(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                          unsigned width);
/* By a router too, if that is smaller. */
qc_status qc_write_located(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                           unsigned width, qc_geometry geometry);
/* The exponents of floats: in classes of rows, if that promises to be smaller. */
qc_status qc_write_exponents(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count,
                             const qc_encoding *encoding);

/* ---- encode_positions.c ---- */

/* Scratch memory of qc_write_positions. */
size_t qc_positions_workspace(const qc_frame *frame, const qc_chunk_source *source);
/* All but dense ones. The encoder's values and entries become those with fillers. */
qc_status qc_write_positions(qc_chunk_encoder *encoder);

/* ---- encode_values.c ---- */

/* An upper bound of what qc_write_values writes, and its scratch memory. */
size_t qc_values_bound(const qc_frame *frame, size_t entries);
size_t qc_values_workspace(const qc_frame *frame, size_t entries);
/* The encoder's values; they may be overwritten. */
qc_status qc_write_values(qc_chunk_encoder *encoder);

#endif /* QC_CHUNK_ENCODER_H */
