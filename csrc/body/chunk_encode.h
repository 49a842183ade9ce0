/*
 * A chunk that is being encoded: what positions, values and streams share. chunk_encode.c puts them
 * together.
 */
#ifndef QC_CHUNK_ENCODE_H
#define QC_CHUNK_ENCODE_H

#include "codings/routers/router_encode.h"
#include "codings/stream_encode.h"
#include "head/layout.h"

#define QC_ARENA_ALIGNMENT 16

/* Scratch memory, handed out front to back. */
typedef struct qc_arena {
    uint8_t *next;
} qc_arena;

static inline size_t qc_arena_size(size_t size)
{
    return (size + QC_ARENA_ALIGNMENT - 1) / QC_ARENA_ALIGNMENT * QC_ARENA_ALIGNMENT;
}

/* There is room: qc_chunk_encode has checked the size of the workspace. */
static inline void *qc_arena_take(qc_arena *arena, size_t size)
{
    void *memory = arena->next;
    arena->next += qc_arena_size(size);
    return memory;
}

/* The chunk that is being written, and what its streams are made from. */
typedef struct qc_chunk_encoder {
    const qc_frame *frame;
    const qc_chunk_input *input; /* its positions and values are our own copies */
    void *values;                /* those of the input; gaps: with fillers; copies: the rest */
    size_t stored;               /* values */
    const uint32_t *places; /* changes alone: the position of each value, those of fillers too */
    qc_encoding encoding;
    uint64_t allowed; /* the codings that `encoding` had: kinds drop those that do not suit them */
    uint8_t *out;
    size_t capacity, size;
    uint64_t features;
    void *stream_workspace, *router_workspace;
    qc_arena arena;
    qc_ticker ticker;
    qc_error *error;
} qc_chunk_encoder;

static inline int qc_has_gaps(const qc_frame *frame)
{
    return frame->positions == QC_GAPS || frame->positions == QC_CSR;
}

/* An upper bound of the stored elements with fillers: a filler bridges 2^gap_width elements. */
static inline size_t qc_max_stored(const qc_frame *frame, const qc_chunk_input *input)
{
    return input->stored + (qc_has_gaps(frame) ? input->elements >> frame->gap_width : 0);
}

/* ---- streams_encode.c ---- */

/* The places of elements. */
qc_geometry qc_element_geometry(const qc_frame *frame);
/* The places of the symbols of dense codes, of a mask, and of the exponents of dense floats. */
qc_geometry qc_code_geometry(const qc_frame *frame);
qc_geometry qc_mask_geometry(const qc_frame *frame);
qc_geometry qc_exponent_geometry(const qc_frame *frame);
/* What the chunk's one stream that may have a router needs. */
size_t qc_router_stream_workspace(const qc_frame *frame, const qc_chunk_input *input);

qc_status qc_write_stream(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                          unsigned width);
/* By a router too, of any of these geometries, if that is smaller. */
qc_status qc_write_located(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                           unsigned width, const qc_geometry *geometries, size_t geometry_count);
/* The exponents of floats: in classes of rows, if that promises to be smaller. */
qc_status qc_write_exponents(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count,
                             const qc_encoding *encoding);

/* ---- bytes_streams_encode.c ---- */

/* What qc_write_bytes_stream needs for a router. */
size_t qc_bytes_router_workspace(const qc_frame *frame, const qc_chunk_input *input);
/* The bytes of elements, of which there are all or one of each; by a router too, if that is
   smaller. A chunk has one such stream. */
qc_status qc_write_bytes_stream(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count);
/* Planes of elements; `symbols` has room for one. */
qc_status qc_write_located_planes(qc_chunk_encoder *encoder, uint8_t *symbols);

/* ---- positions_encode.c ---- */

/* Scratch memory of qc_write_positions. */
size_t qc_positions_workspace(const qc_frame *frame, const qc_chunk_input *input);
/* Writes nothing if dense. The encoder's values become those that are stored, with fillers, and
   `stored` their number. */
qc_status qc_write_positions(qc_chunk_encoder *encoder);

/* ---- copies_encode.c ---- */

/* The bytes of low bits of so many elements, at most. */
size_t qc_copies_low_bytes(size_t elements);
/* An upper bound of what is written before the values, and the scratch memory. */
size_t qc_copies_bound(const qc_frame *frame, size_t elements);
size_t qc_copies_encode_workspace(const qc_frame *frame, size_t elements);
/* As qc_write_positions. */
qc_status qc_write_copies(qc_chunk_encoder *encoder);

#endif /* QC_CHUNK_ENCODE_H */
