/*
 * Positions, decoded: relative index (flat and csr rows) and bit mask.
 */
#include "positions.h"

#define MASK_WIDTH 4 /* elements a mask symbol covers */

/* One row a positions form. */
typedef struct qc_position_form {
    qc_status (*next)(qc_position_decoder *positions, uint32_t *out, size_t count, qc_error *error);
    qc_status (*finish)(qc_position_decoder *positions, qc_error *error);
} qc_position_form;

/* ---- refilling the buffers from the streams ---- */

/* Widen bytes to 16 bits in place, from the end. */
static void widen(uint16_t *symbols, size_t count)
{
    const uint8_t *bytes = (const uint8_t *)symbols;
    for (size_t i = count; i-- > 0;)
        symbols[i] = bytes[i];
}

static qc_status refill(qc_stream *stream, uint16_t *symbols, size_t *buffered, size_t *used,
                        qc_error *error)
{
    size_t count = stream->left < QC_POSITION_BUFFER ? stream->left : QC_POSITION_BUFFER;
    QC_TRY(qc_stream_next(stream, symbols, count, error));
    if (qc_symbol_size(stream->width) == 1)
        widen(symbols, count);
    *buffered = count;
    *used = 0;
    return QC_OK;
}

static qc_status next_row_count(qc_position_decoder *positions, size_t *count, qc_error *error)
{
    if (positions->counts_used == positions->counts_buffered) {
        QC_CHECK(positions->counts.left > 0, QC_CORRUPT, "csr: entries beyond the last row", 0,
                 positions->left, 0);
        QC_TRY(refill(&positions->counts, positions->row_counts, &positions->counts_buffered,
                      &positions->counts_used, error));
    }
    *count = positions->row_counts[positions->counts_used++];
    return QC_OK;
}

/* ---- gaps and csr ---- */

/* csr: go to the next row that has entries. */
static qc_status next_row(qc_position_decoder *positions, qc_error *error)
{
    do {
        QC_TRY(next_row_count(positions, &positions->row_left, error));
        positions->position = positions->row_end;
        positions->row_end += positions->row_elements;
    } while (positions->row_left == 0);
    return QC_OK;
}

static qc_status gaps_next(qc_position_decoder *positions, uint32_t *out, size_t count,
                           qc_error *error)
{
    while (count > 0) {
        if (positions->row_left == 0)
            QC_TRY(next_row(positions, error));
        if (positions->used == positions->buffered)
            QC_TRY(refill(&positions->index, positions->symbols, &positions->buffered,
                          &positions->used, error));
        size_t run = positions->buffered - positions->used;
        run = run < count ? run : count;
        run = run < positions->row_left ? run : positions->row_left;
        const uint16_t *gaps = positions->symbols + positions->used;
        size_t position = positions->position;
        for (size_t i = 0; i < run; i++) {
            position += gaps[i];
            out[i] = (uint32_t)position++;
        }
        /* Positions ascend, so the last one speaks for the run; it cannot overflow: 256 gaps of 16
           bits beyond 2^22 elements. */
        QC_CHECK(position <= positions->row_end, QC_CORRUPT, "gaps: position beyond the end", 0,
                 position - 1, positions->row_end);
        positions->position = position;
        positions->used += run;
        positions->row_left -= run;
        out += run;
        count -= run;
    }
    return QC_OK;
}

static qc_status gaps_finish(qc_position_decoder *positions, qc_error *error)
{
    return qc_stream_finish(&positions->index, error);
}

static qc_status csr_finish(qc_position_decoder *positions, qc_error *error)
{
    while (positions->counts_used < positions->counts_buffered || positions->counts.left > 0) {
        size_t count;
        QC_TRY(next_row_count(positions, &count, error));
        QC_CHECK(count == 0, QC_CORRUPT, "csr: row counts exceed the entries", 0, count, 0);
    }
    QC_CHECK(positions->row_left == 0, QC_CORRUPT, "csr: row counts exceed the entries", 0,
             positions->row_left, 0);
    QC_TRY(qc_stream_finish(&positions->counts, error));
    return qc_stream_finish(&positions->index, error);
}

/* ---- mask ---- */

static qc_status mask_next(qc_position_decoder *positions, uint32_t *out, size_t count,
                           qc_error *error)
{
    size_t position = positions->position;
    while (count > 0) {
        if (positions->used == positions->buffered) {
            QC_CHECK(positions->index.left > 0, QC_CORRUPT, "mask: fewer bits than entries", 0,
                     positions->entries - positions->left, positions->entries);
            QC_TRY(refill(&positions->index, positions->symbols, &positions->buffered,
                          &positions->used, error));
        }
        unsigned symbol = positions->symbols[positions->used];
        size_t first = position & ~(size_t)(MASK_WIDTH - 1);
        for (unsigned bit = position & (MASK_WIDTH - 1); bit < MASK_WIDTH && count > 0; bit++) {
            position = first + bit + 1;
            *out = (uint32_t)(first + bit);
            out += symbol >> bit & 1;
            count -= symbol >> bit & 1;
        }
        positions->used += position == first + MASK_WIDTH;
    }
    positions->position = position;
    return QC_OK;
}

static qc_status mask_finish(qc_position_decoder *positions, qc_error *error)
{
    /* The bits of the current symbol that were not looked at, then all other symbols. */
    unsigned skip = positions->position & (MASK_WIDTH - 1);
    while (positions->used < positions->buffered || positions->index.left > 0) {
        if (positions->used == positions->buffered)
            QC_TRY(refill(&positions->index, positions->symbols, &positions->buffered,
                          &positions->used, error));
        unsigned rest = (unsigned)positions->symbols[positions->used++] >> skip;
        QC_CHECK(rest == 0, QC_CORRUPT, "mask: more bits than entries", 0, positions->entries + 1,
                 positions->entries);
        skip = 0;
    }
    return qc_stream_finish(&positions->index, error);
}

/* ---- the table, and the door ---- */

static const qc_position_form FORMS[] = {
    [QC_GAPS] = {gaps_next, gaps_finish},
    [QC_MASK] = {mask_next, mask_finish},
    [QC_CSR] = {gaps_next, csr_finish},
};

qc_status qc_positions_open(qc_position_decoder *positions, const qc_frame *frame,
                            const qc_chunk *chunk, qc_reader *reader, qc_error *error)
{
    uint64_t entries;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &entries, "positions: entries", error));
    QC_CHECK(entries <= chunk->elements, QC_CORRUPT, "positions: entries", at, entries,
             chunk->elements);
    memset(positions, 0, offsetof(qc_position_decoder, index));
    positions->form = &FORMS[frame->positions];
    positions->elements = chunk->elements;
    positions->row_elements = frame->row_elements;
    positions->entries = positions->left = (size_t)entries;
    if (frame->positions == QC_MASK)
        return qc_stream_open(&positions->index, reader,
                              chunk->elements / MASK_WIDTH + (chunk->elements % MASK_WIDTH != 0),
                              MASK_WIDTH, frame->features, error);
    if (frame->positions == QC_CSR) {
        size_t rows = chunk->elements > 0 ? chunk->elements / frame->row_elements : 0;
        QC_TRY(qc_stream_open(&positions->counts, reader, rows,
                              qc_row_count_width(frame->row_elements), frame->features, error));
    } else {
        positions->row_end = positions->elements;
        positions->row_left = positions->entries;
    }
    return qc_stream_open(&positions->index, reader, positions->entries, frame->gap_width,
                          frame->features, error);
}

qc_status qc_positions_next(qc_position_decoder *positions, uint32_t *out, size_t count,
                            qc_error *error)
{
    QC_TRY(positions->form->next(positions, out, count, error));
    /* A mask's last symbol may have bits beyond the last element. */
    QC_CHECK(count == 0 || out[count - 1] < positions->elements, QC_CORRUPT,
             "positions: beyond the end", 0, out[count - 1], positions->elements);
    positions->left -= count;
    return QC_OK;
}

qc_status qc_positions_seek(qc_position_decoder *positions, size_t element, size_t *entries,
                            qc_error *error)
{
    *entries = 0;
    if (positions->form != &FORMS[QC_CSR])
        return QC_OK;
    /* Rows without elements are all before element 0, and not to be divided by. */
    size_t rows = element > 0 ? element / positions->row_elements : 0;
    for (size_t row = 0; row < rows; row++) {
        size_t count;
        QC_TRY(next_row_count(positions, &count, error));
        *entries += count;
        positions->row_end += positions->row_elements;
    }
    QC_CHECK(*entries <= positions->left, QC_CORRUPT, "csr: row counts exceed the entries", 0,
             *entries, positions->left);
    positions->left -= *entries;
    /* Gaps are taken in whole blocks; those of the rows before are dropped. */
    size_t whole = *entries - *entries % QC_STREAM_BLOCK;
    QC_TRY(qc_stream_skip(&positions->index, whole, error));
    if (*entries > whole) {
        QC_TRY(refill(&positions->index, positions->symbols, &positions->buffered, &positions->used,
                      error));
        positions->used = *entries - whole;
    }
    return QC_OK;
}

qc_status qc_positions_finish(qc_position_decoder *positions, qc_error *error)
{
    return positions->form->finish(positions, error);
}
