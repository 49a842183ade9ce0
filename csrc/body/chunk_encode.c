/*
 * One chunk, encoded: positions and values as streams, each in the coding that the profile chooses.
 *
 * Encoders count symbols and then write what fits these counts. So positions and values are copied
 * before anything is done with them: weights that are trained on meanwhile give other weights, and
 * nothing worse.
 */
#include "body/chunk_encode.h"
#include "codings/stream_encode.h"

/* The symbols of the longest stream. */
static size_t most_symbols(const qc_frame *frame, const qc_chunk_source *source)
{
    int is_bytewise = frame->kind == QC_RAW || frame->kind == QC_DELTA;
    size_t symbols = qc_most_entries(frame, source) * (is_bytewise ? frame->item_size : 1);
    return symbols > source->elements ? symbols : source->elements;
}

size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_source *source)
{
    size_t entries = qc_most_entries(frame, source);
    size_t bound = QC_VU_MAX_BYTES + qc_values_bound(frame, entries);
    unsigned mask_width = qc_mask_width(frame->positions);
    if (qc_has_gaps(frame))
        bound += qc_stream_bound(entries, frame->gap_width);
    if (mask_width > 0)
        bound += qc_stream_bound(qc_mask_symbols(source->elements, mask_width), mask_width);
    if (frame->positions == QC_CSR)
        bound += qc_stream_bound(source->elements, 16);
    return bound;
}

static size_t source_workspace(const qc_frame *frame, const qc_chunk_source *source)
{
    size_t positions = frame->positions != QC_DENSE ? 4 * source->entries : 0;
    return qc_arena_size(positions) + qc_arena_size(source->entries * qc_value_size(frame));
}

size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_source *source)
{
    return QC_ARENA_ALIGNMENT + source_workspace(frame, source) +
           qc_arena_size(QC_STABLE_WORKSPACE(most_symbols(frame, source))) +
           qc_arena_size(qc_router_stream_workspace(frame, source)) +
           qc_positions_workspace(frame, source) +
           qc_values_workspace(frame, qc_most_entries(frame, source));
}

/* Copy `size` bytes, which somebody may be writing to. */
static void *own_copy(qc_arena *arena, const void *bytes, size_t size)
{
    void *copy = qc_arena_take(arena, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

/* Whether the numbers fit each other: nothing has been read yet. */
static qc_status check_extent(const qc_frame *frame, const qc_chunk_source *source, qc_error *error)
{
    QC_CHECK(source->elements <= QC_MAX_CHUNK_ELEMENTS, QC_INVALID, "encode: elements of the chunk",
             0, source->elements, QC_MAX_CHUNK_ELEMENTS);
    QC_CHECK(source->entries <= source->elements, QC_INVALID, "encode: stored elements", 0,
             source->entries, source->elements);
    QC_CHECK(frame->positions != QC_DENSE || source->entries == source->elements, QC_INVALID,
             "encode: dense stores every element", 0, source->entries, source->elements);
    QC_CHECK(source->first <= frame->elements &&
                 source->elements <= frame->elements - source->first,
             QC_INVALID, "encode: elements of the chunk", 0, source->first, frame->elements);
    return QC_OK;
}

/* What was copied. */
static qc_status check_source(const qc_frame *frame, const qc_chunk_source *source, qc_error *error)
{
    const uint8_t *codes = (const uint8_t *)source->values;
    for (size_t i = 0; frame->positions != QC_DENSE && i < source->entries; i++)
        QC_CHECK(source->positions[i] < source->elements &&
                     (i == 0 || source->positions[i] > source->positions[i - 1]),
                 QC_INVALID, "encode: positions ascend and lie in the chunk", i,
                 source->positions[i], source->elements);
    for (size_t i = 0; frame->kind == QC_CODEBOOK && i < source->entries; i++)
        QC_CHECK(codes[i] < frame->entries, QC_INVALID, "encode: code without an entry", i,
                 codes[i], frame->entries - 1);
    return QC_OK;
}

qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_source *source,
                          const qc_encoding *encoding, void *out, size_t capacity, size_t *size,
                          uint64_t *features, void *workspace, size_t workspace_bytes,
                          qc_error *error)
{
    size_t needed = qc_chunk_encode_workspace(frame, source);
    qc_chunk_source own = *source;
    QC_CHECK(workspace_bytes >= needed, QC_NO_SPACE, "encode: workspace", 0, workspace_bytes,
             needed);
    QC_CHECK(capacity >= qc_chunk_bound(frame, source), QC_NO_SPACE, "encode: output", 0, capacity,
             qc_chunk_bound(frame, source));
    QC_CHECK(encoding->effort >= 1 && encoding->effort <= QC_EFFORT_MAX, QC_INVALID,
             "encode: effort", 0, encoding->effort, QC_EFFORT_MAX);
    QC_TRY(check_extent(frame, source, error));
    size_t step =
        (QC_ARENA_ALIGNMENT - (uintptr_t)workspace % QC_ARENA_ALIGNMENT) % QC_ARENA_ALIGNMENT;
    qc_chunk_encoder encoder = {.frame = frame,
                                .source = &own,
                                .entries = source->entries,
                                .encoding = *encoding,
                                .out = out,
                                .capacity = capacity,
                                .arena = {(uint8_t *)workspace + step, workspace_bytes - step},
                                .ticker = qc_ticker_of(frame->poll),
                                .error = error};
    if (frame->positions != QC_DENSE)
        own.positions = own_copy(&encoder.arena, source->positions, 4 * source->entries);
    encoder.values =
        own_copy(&encoder.arena, source->values, source->entries * qc_value_size(frame));
    own.values = encoder.values;
    QC_TRY(check_source(frame, &own, error));
    encoder.stream_workspace =
        qc_arena_take(&encoder.arena, QC_STABLE_WORKSPACE(most_symbols(frame, source)));
    encoder.router_workspace =
        qc_arena_take(&encoder.arena, qc_router_stream_workspace(frame, source));
    QC_TRY(qc_write_positions(&encoder));
    QC_TRY(qc_write_values(&encoder));
    *size = encoder.size;
    *features |= encoder.features;
    return QC_OK;
}
