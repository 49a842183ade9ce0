/*
 * The positions of a chunk, encoded: gaps, rows of gaps, masks.
 */
#include "body/chunk_encode.h"

/* csr: row counts, and the gaps of every row. Gives the entries with fillers. */
static qc_status relative_rows(qc_chunk_encoder *encoder, uint8_t *gaps, uint32_t *entry_of,
                               uint16_t *row_counts, size_t *entries)
{
    const qc_chunk_source *source = encoder->source;
    qc_error *error = encoder->error;
    unsigned width = encoder->frame->gap_width;
    size_t row_elements = encoder->frame->row_elements, taken = 0, written = 0;
    size_t rows = source->elements > 0 ? source->elements / row_elements : 0;
    size_t most = ((size_t)1 << qc_row_count_width(row_elements)) - 1;
    uint32_t *columns = qc_arena_take(&encoder->arena, 4 * source->entries);
    for (size_t row = 0; row < rows; row++) {
        size_t count = 0, start = row * row_elements;
        while (taken + count < source->entries &&
               source->positions[taken + count] < start + row_elements) {
            columns[count] = source->positions[taken + count] - (uint32_t)start;
            count++;
        }
        size_t in_row = qc_relative_index_entries(columns, count, width);
        QC_CHECK(in_row <= most, QC_INVALID, "csr: entries of a row, use gaps instead", row, in_row,
                 most);
        QC_TRY(qc_relative_index_encode(columns, count, width,
                                        gaps + written * qc_symbol_size(width), entry_of + written,
                                        &in_row, error));
        for (size_t i = 0; i < in_row; i++)
            if (entry_of[written + i] != UINT32_MAX)
                entry_of[written + i] += (uint32_t)taken;
        row_counts[row] = (uint16_t)in_row;
        taken += count;
        written += in_row;
    }
    *entries = written;
    return QC_OK;
}

/* The values in the order of the entries, fillers in between. */
static qc_status with_fillers(const qc_chunk_encoder *encoder, const uint32_t *entry_of,
                              size_t entries, uint8_t *out)
{
    size_t size = qc_value_size(encoder->frame);
    const uint8_t *values = (const uint8_t *)encoder->source->values;
    qc_error *error = encoder->error;
    uint16_t code = (uint16_t)encoder->source->filler;
    uint8_t filler[8] = {0};
    if (!qc_is_bytes(encoder->frame) && size == 1)
        filler[0] = (uint8_t)code;
    else if (!qc_is_bytes(encoder->frame))
        memcpy(filler, &code, 2);
    for (size_t i = 0; i < entries; i++) {
        int is_filler = entry_of[i] == UINT32_MAX;
        QC_CHECK(!is_filler || qc_is_bytes(encoder->frame) || encoder->source->filler >= 0,
                 QC_INVALID, "gaps: a filler is needed, but no code has the value zero", i, 0, 0);
        memcpy(out + i * size, is_filler ? filler : values + entry_of[i] * size, size);
    }
    return QC_OK;
}

static qc_status write_gaps(qc_chunk_encoder *encoder)
{
    const qc_frame *frame = encoder->frame;
    const qc_chunk_source *source = encoder->source;
    size_t most = qc_most_entries(frame, source);
    uint8_t *gaps = qc_arena_take(&encoder->arena, 2 * most);
    uint32_t *entry_of = qc_arena_take(&encoder->arena, 4 * most);
    uint8_t *filled = qc_arena_take(&encoder->arena, most * qc_value_size(frame));
    if (frame->positions == QC_CSR) {
        uint16_t *row_counts = qc_arena_take(&encoder->arena, 2 * source->elements);
        size_t rows = source->elements > 0 ? source->elements / frame->row_elements : 0;
        unsigned width = qc_row_count_width(frame->row_elements);
        QC_TRY(relative_rows(encoder, gaps, entry_of, row_counts, &encoder->entries));
        encoder->size += qc_write_vu(encoder->out, encoder->entries);
        if (width <= 8) /* narrow in place: the reader of entry i has passed byte i */
            for (size_t row = 0; row < rows; row++)
                ((uint8_t *)row_counts)[row] = (uint8_t)row_counts[row];
        QC_TRY(qc_write_stream(encoder, row_counts, rows, width));
    } else {
        encoder->entries =
            qc_relative_index_entries(source->positions, source->entries, frame->gap_width);
        encoder->size += qc_write_vu(encoder->out, encoder->entries);
        QC_TRY(qc_relative_index_encode(source->positions, source->entries, frame->gap_width, gaps,
                                        entry_of, &encoder->entries, encoder->error));
    }
    QC_TRY(qc_write_stream(encoder, gaps, encoder->entries, frame->gap_width));
    QC_TRY(with_fillers(encoder, entry_of, encoder->entries, filled));
    encoder->values = filled;
    return QC_OK;
}

static qc_status write_mask(qc_chunk_encoder *encoder)
{
    const qc_chunk_source *source = encoder->source;
    unsigned width = qc_mask_width(encoder->frame->positions);
    size_t symbols = qc_mask_symbols(source->elements, width);
    uint8_t *mask = qc_arena_take(&encoder->arena, symbols);
    if (symbols > 0)
        memset(mask, 0, symbols);
    for (size_t i = 0; i < source->entries; i++)
        mask[source->positions[i] / width] |= (uint8_t)(1u << source->positions[i] % width);
    encoder->size += qc_write_vu(encoder->out, source->entries);
    return qc_write_located(encoder, mask, symbols, width, qc_mask_geometry(encoder->frame));
}

size_t qc_positions_workspace(const qc_frame *frame, const qc_chunk_source *source)
{
    size_t entries = qc_most_entries(frame, source), bytes = 0;
    unsigned mask_width = qc_mask_width(frame->positions);
    if (qc_has_gaps(frame))
        bytes += qc_arena_size(2 * entries) + qc_arena_size(4 * entries) +
                 qc_arena_size(4 * source->entries) +
                 qc_arena_size(entries * qc_value_size(frame)); /* with fillers */
    if (mask_width > 0)
        bytes += qc_arena_size(qc_mask_symbols(source->elements, mask_width));
    if (frame->positions == QC_CSR)
        bytes += qc_arena_size(2 * source->elements);
    return bytes;
}

qc_status qc_write_positions(qc_chunk_encoder *encoder)
{
    if (qc_has_gaps(encoder->frame))
        return write_gaps(encoder);
    return qc_mask_width(encoder->frame->positions) > 0 ? write_mask(encoder) : QC_OK;
}
