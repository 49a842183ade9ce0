/*
 * The positions of a chunk, encoded: gaps, rows of gaps, masks.
 */
#include "body/chunk_encode.h"

/* csr: row counts, and the gaps of every row. Gives the number of stored elements, fillers
 * included. */
static qc_status relative_rows(qc_chunk_encoder *encoder, uint8_t *gaps, uint32_t *index_of,
                               uint16_t *row_counts, size_t *stored)
{
    const qc_chunk_input *input = encoder->input;
    qc_error *error = encoder->error;
    unsigned width = encoder->frame->gap_width;
    size_t row_elements = encoder->frame->row_elements, taken = 0, written = 0;
    size_t rows = input->elements > 0 ? input->elements / row_elements : 0;
    size_t max = ((size_t)1 << qc_row_count_width(row_elements)) - 1;
    uint32_t *columns = qc_arena_take(&encoder->arena, 4 * input->stored);
    for (size_t row = 0; row < rows; row++) {
        size_t count = 0, start = row * row_elements;
        while (taken + count < input->stored &&
               input->positions[taken + count] < start + row_elements) {
            columns[count] = input->positions[taken + count] - (uint32_t)start;
            count++;
        }
        size_t in_row = qc_relative_index_count(columns, count, width);
        QC_CHECK(in_row <= max, QC_INVALID, "csr: stored elements of a row, use gaps instead", row,
                 in_row, max);
        QC_TRY(qc_relative_index_encode(columns, count, width,
                                        gaps + written * qc_symbol_size(width), index_of + written,
                                        &in_row, error));
        for (size_t i = 0; i < in_row; i++)
            if (index_of[written + i] != UINT32_MAX)
                index_of[written + i] += (uint32_t)taken;
        row_counts[row] = (uint16_t)in_row;
        taken += count;
        written += in_row;
    }
    *stored = written;
    return QC_OK;
}

/* The positions of all stored elements, those of fillers too. */
static void find_places(const qc_chunk_encoder *encoder, const uint32_t *index_of, uint32_t *places)
{
    uint32_t expected = 0, max_gap = (1u << encoder->frame->gap_width) - 1;
    for (size_t i = 0; i < encoder->stored; i++) {
        int is_filler = index_of[i] == UINT32_MAX;
        places[i] = is_filler ? expected + max_gap : encoder->input->positions[index_of[i]];
        expected = places[i] + 1;
    }
}

/* A filler of changes is an element that has not changed. */
static void put_base(const qc_chunk_encoder *encoder, const uint32_t *index_of, uint8_t *values)
{
    const qc_frame *frame = encoder->frame;
    size_t item = frame->item_size;
    const uint8_t *base = (const uint8_t *)frame->delta.base + encoder->input->first * item;
    for (size_t i = 0; i < encoder->stored; i++)
        if (index_of[i] == UINT32_MAX)
            memcpy(values + i * item, base + encoder->places[i] * item, item);
}

/* The values in the order of the stored elements, fillers in between. */
static qc_status with_fillers(const qc_chunk_encoder *encoder, const uint32_t *index_of,
                              size_t stored, uint8_t *out)
{
    size_t size = qc_stored_size(encoder->frame);
    const uint8_t *values = (const uint8_t *)encoder->input->values;
    qc_error *error = encoder->error;
    uint16_t code = (uint16_t)encoder->input->filler;
    uint8_t filler[8] = {0};
    /* An element of zero bits is zero, unless its scale is negative or not finite. */
    int may_fill = encoder->input->filler >= 0 ||
                   (qc_stores_elements(encoder->frame) && encoder->frame->scales.count == 0);
    if (!qc_stores_elements(encoder->frame) && size == 1)
        filler[0] = (uint8_t)code;
    else if (!qc_stores_elements(encoder->frame))
        memcpy(filler, &code, 2);
    for (size_t i = 0; i < stored; i++) {
        int is_filler = index_of[i] == UINT32_MAX;
        QC_CHECK(!is_filler || may_fill, QC_INVALID,
                 "gaps: a filler is needed, but no code has the value zero", i, 0, 0);
        memcpy(out + i * size, is_filler ? filler : values + index_of[i] * size, size);
    }
    return QC_OK;
}

static qc_status write_gaps(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    const qc_chunk_input *input = encoder->input;
    size_t max = qc_max_stored(frame, input);
    uint8_t *gaps = qc_arena_take(&encoder->arena, 2 * max);
    uint32_t *index_of = qc_arena_take(&encoder->arena, 4 * max);
    uint8_t *filled = qc_arena_take(&encoder->arena, max * qc_stored_size(frame));
    if (frame->positions == QC_CSR) {
        uint16_t *row_counts = qc_arena_take(&encoder->arena, 2 * input->elements);
        size_t rows = input->elements > 0 ? input->elements / frame->row_elements : 0;
        unsigned width = qc_row_count_width(frame->row_elements);
        QC_TRY(relative_rows(encoder, gaps, index_of, row_counts, &encoder->stored));
        encoder->size += qc_write_vu(encoder->out, encoder->stored);
        if (width <= 8) /* narrow in place: the reader of count i has passed byte i */
            for (size_t row = 0; row < rows; row++)
                ((uint8_t *)row_counts)[row] = (uint8_t)row_counts[row];
        QC_TRY(qc_write_stream(encoder, row_counts, rows, width));
    } else {
        encoder->stored =
            qc_relative_index_count(input->positions, input->stored, frame->gap_width);
        encoder->size += qc_write_vu(encoder->out, encoder->stored);
        QC_TRY(qc_relative_index_encode(input->positions, input->stored, frame->gap_width, gaps,
                                        index_of, &encoder->stored, encoder->error));
    }
    QC_TRY(qc_write_stream(encoder, gaps, encoder->stored, frame->gap_width));
    QC_TRY(with_fillers(encoder, index_of, encoder->stored, filled));
    encoder->values = filled;
    if (qc_has_changes(frame)) {
        uint32_t *places = qc_arena_take(&encoder->arena, 4 * encoder->stored);
        find_places(encoder, index_of, places);
        encoder->places = places;
        put_base(encoder, index_of, filled);
    }
    return QC_OK;
}

static qc_status write_mask(qc_chunk_encoder *encoder)
{
    const qc_chunk_input *input = encoder->input;
    unsigned width = qc_mask_width(encoder->frame->positions);
    size_t symbols = qc_mask_symbols(input->elements, width);
    uint8_t *mask = qc_arena_take(&encoder->arena, symbols);
    if (symbols > 0)
        memset(mask, 0, symbols);
    for (size_t i = 0; i < input->stored; i++)
        mask[input->positions[i] / width] |= (uint8_t)(1u << input->positions[i] % width);
    encoder->size += qc_write_vu(encoder->out, input->stored);
    qc_geometry geometry = qc_mask_geometry(encoder->frame);
    return qc_write_located(encoder, mask, symbols, width, &geometry, 1);
}

size_t qc_positions_workspace(const qc_frame *frame, const qc_chunk_input *input)
{
    size_t stored = qc_max_stored(frame, input), bytes = 0;
    unsigned mask_width = qc_mask_width(frame->positions);
    if (qc_has_gaps(frame))
        bytes += qc_arena_size(2 * stored) + 2 * qc_arena_size(4 * stored) +
                 qc_arena_size(4 * input->stored) +
                 qc_arena_size(stored * qc_stored_size(frame)); /* with fillers */
    if (mask_width > 0)
        bytes += qc_arena_size(qc_mask_symbols(input->elements, mask_width));
    if (frame->positions == QC_CSR)
        bytes += qc_arena_size(2 * input->elements);
    if (frame->positions == QC_COPIES)
        bytes += qc_copies_encode_workspace(frame, input->elements);
    return bytes;
}

qc_status qc_write_positions(qc_chunk_encoder *encoder)
{
    if (encoder->frame->positions == QC_COPIES)
        return qc_write_copies(encoder);
    if (qc_has_gaps(encoder->frame))
        return write_gaps(encoder);
    return qc_mask_width(encoder->frame->positions) > 0 ? write_mask(encoder) : QC_OK;
}
