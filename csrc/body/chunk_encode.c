/*
 * One chunk, encoded: positions and values as streams, each in the coding that the profile chooses.
 *
 * Encoders count symbols, and then write what fits these counts. So positions and values are copied
 * first: if another thread trains these weights meanwhile, the file has other weights, and nothing
 * worse happens.
 */
#include "body/chunk_encode.h"
#include "base/workspace.h"
#include "body/values_encode.h"
#include "codings/stream_encode.h"

/* The symbols of the longest stream. */
static size_t max_symbols(const qc_frame *frame, const qc_chunk_input *input)
{
    size_t per_element = qc_kind_encoder_of(frame)->by_byte ? frame->item_size : 1;
    size_t symbols = qc_max_stored(frame, input) * per_element;
    size_t low = frame->positions == QC_COPIES ? qc_copies_low_bytes(input->elements) : 0;
    symbols = symbols > low ? symbols : low;
    return symbols > input->elements ? symbols : input->elements;
}

size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_input *input)
{
    size_t stored = qc_max_stored(frame, input);
    size_t bound = QC_VU_MAX_BYTES + qc_kind_encoder_of(frame)->bound(frame, stored);
    unsigned mask_width = qc_mask_width(frame->positions);
    if (qc_has_gaps(frame))
        bound += qc_stream_bound(stored, frame->gap_width);
    if (mask_width > 0)
        bound += qc_stream_bound(qc_mask_symbols(input->elements, mask_width), mask_width);
    if (frame->positions == QC_CSR)
        bound += qc_stream_bound(input->elements, 16);
    if (frame->positions == QC_COPIES)
        bound += qc_copies_bound(frame, input->elements);
    return bound;
}

size_t qc_chunk_least(const qc_frame *frame, const qc_chunk_input *input,
                      const qc_encoding *encoding)
{
    const qc_kind_encoder *kind = qc_kind_encoder_of(frame);
    int is_known = kind->least != NULL && frame->positions == QC_DENSE;
    return is_known ? kind->least(frame, input, encoding) : 0;
}

static size_t input_workspace(const qc_frame *frame, const qc_chunk_input *input)
{
    size_t positions = qc_is_sparse(frame) ? 4 * input->stored : 0;
    return qc_arena_size(positions) + qc_arena_size(input->stored * qc_stored_size(frame));
}

size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_input *input)
{
    const qc_kind_encoder *kind = qc_kind_encoder_of(frame);
    size_t stored = qc_max_stored(frame, input);
    return QC_WORKSPACE_ALIGNMENT + input_workspace(frame, input) +
           qc_arena_size(QC_STABLE_WORKSPACE(max_symbols(frame, input))) +
           qc_arena_size(qc_router_stream_workspace(frame, input)) +
           qc_positions_workspace(frame, input) +
           (kind->workspace != NULL ? kind->workspace(frame, stored) : 0);
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
static qc_status check_extent(const qc_frame *frame, const qc_chunk_input *input, qc_error *error)
{
    QC_CHECK(input->elements <= QC_MAX_CHUNK_ELEMENTS, QC_INVALID, "encode: elements of the chunk",
             0, input->elements, QC_MAX_CHUNK_ELEMENTS);
    QC_CHECK(input->stored <= input->elements, QC_INVALID, "encode: stored elements", 0,
             input->stored, input->elements);
    QC_CHECK(qc_is_sparse(frame) || input->stored == input->elements, QC_INVALID,
             "encode: dense and copies have every element", 0, input->stored, input->elements);
    QC_CHECK(input->first <= frame->elements && input->elements <= frame->elements - input->first,
             QC_INVALID, "encode: elements of the chunk", 0, input->first, frame->elements);
    return QC_OK;
}

/* The values themselves, in the copy. */
static qc_status check_input(const qc_frame *frame, const qc_chunk_input *input, qc_error *error)
{
    const qc_kind_encoder *kind = qc_kind_encoder_of(frame);
    for (size_t i = 0; qc_is_sparse(frame) && i < input->stored; i++)
        QC_CHECK(input->positions[i] < input->elements &&
                     (i == 0 || input->positions[i] > input->positions[i - 1]),
                 QC_INVALID, "encode: positions ascend and are inside the chunk", i,
                 input->positions[i], input->elements);
    return kind->check != NULL ? kind->check(frame, input, error) : QC_OK;
}

qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_input *input,
                          const qc_encoding *encoding, void *out, size_t capacity, size_t *size,
                          uint64_t *features, void *workspace, size_t workspace_bytes,
                          qc_error *error)
{
    size_t needed = qc_chunk_encode_workspace(frame, input);
    qc_chunk_input own = *input;
    QC_CHECK(workspace_bytes >= needed, QC_NO_SPACE, "encode: workspace", 0, workspace_bytes,
             needed);
    QC_CHECK(capacity >= qc_chunk_bound(frame, input), QC_NO_SPACE, "encode: output", 0, capacity,
             qc_chunk_bound(frame, input));
    QC_CHECK(encoding->effort >= 1 && encoding->effort <= QC_EFFORT_MAX, QC_INVALID,
             "encode: effort", 0, encoding->effort, QC_EFFORT_MAX);
    QC_TRY(check_extent(frame, input, error));
    uint8_t *memory = qc_workspace_align(workspace);
    qc_chunk_encoder encoder = {.frame = frame,
                                .input = &own,
                                .stored = input->stored,
                                .encoding = *encoding,
                                .allowed = encoding->codings,
                                .out = out,
                                .capacity = capacity,
                                .arena = {memory},
                                .ticker = qc_ticker_of(frame->poll),
                                .error = error};
    if (qc_is_sparse(frame))
        own.positions = own_copy(&encoder.arena, input->positions, 4 * input->stored);
    encoder.values = own_copy(&encoder.arena, input->values, input->stored * qc_stored_size(frame));
    own.values = encoder.values;
    QC_TRY(check_input(frame, &own, error));
    encoder.stream_workspace =
        qc_arena_take(&encoder.arena, QC_STABLE_WORKSPACE(max_symbols(frame, input)));
    encoder.router_workspace =
        qc_arena_take(&encoder.arena, qc_router_stream_workspace(frame, input));
    encoder.places = own.positions;
    QC_TRY(qc_write_positions(&encoder));
    QC_TRY(qc_kind_encoder_of(frame)->write(&encoder));
    *size = encoder.size;
    *features |= encoder.features;
    return QC_OK;
}
