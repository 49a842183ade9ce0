/*
 * Positions, decoded: gaps (flat and by csr rows), and masks.
 */
#include "body/positions_decode.h"

/* One row per positions form. */
typedef struct qc_position_form {
    qc_status (*next)(qc_position_decoder *positions, uint32_t *out, size_t count, qc_error *error);
    qc_status (*finish)(qc_position_decoder *positions, qc_error *error);
} qc_position_form;

/* ---- refilling the buffers from the streams ---- */

static qc_status refill(qc_stream *stream, uint16_t *symbols, size_t *buffered, size_t *used,
                        qc_error *error)
{
    size_t count = stream->left < QC_POSITION_BUFFER ? stream->left : QC_POSITION_BUFFER;
    if (qc_symbol_size(stream->width) == 1) {
        uint8_t narrow[QC_POSITION_BUFFER];
        QC_TRY(qc_stream_next(stream, narrow, count, error));
        for (size_t i = 0; i < count; i++)
            symbols[i] = narrow[i];
    } else
        QC_TRY(qc_stream_next(stream, symbols, count, error));
    *buffered = count;
    *used = 0;
    return QC_OK;
}

static qc_status next_row_count(qc_position_decoder *positions, size_t *count, qc_error *error)
{
    if (positions->counts_used == positions->counts_buffered) {
        QC_CHECK(positions->counts.left > 0, QC_CORRUPT, "csr: stored elements beyond the last row",
                 0, positions->left, 0);
        QC_TRY(refill(&positions->counts, positions->row_counts, &positions->counts_buffered,
                      &positions->counts_used, error));
    }
    *count = positions->row_counts[positions->counts_used++];
    return QC_OK;
}

/* ---- gaps and csr ---- */

/* csr: go to the next row that has stored elements. */
static qc_status next_row(qc_position_decoder *positions, qc_error *error)
{
    do {
        QC_TRY(next_row_count(positions, &positions->row_left, error));
        positions->position = positions->row_end;
        positions->row_end += positions->row_elements;
    } while (positions->row_left == 0);
    return QC_OK;
}

/* The positions of `count` gaps from `position` on; returns one past the last of them. */
static size_t sum_gaps(const uint16_t *gaps, size_t count, size_t position, uint32_t *out)
{
    qc_sum_gaps_kernel *kernel = qc_kernels_selected()->sum_gaps;
    size_t i = kernel != NULL ? kernel(gaps, count, (uint32_t)position, out) : 0;
    if (i > 0)
        position = (size_t)out[i - 1] + 1;
    for (; i < count; i++) {
        position += (size_t)gaps[i] + 1;
        out[i] = (uint32_t)(position - 1);
    }
    return position;
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
        size_t position =
            sum_gaps(positions->symbols + positions->used, run, positions->position, out);
        /* Positions ascend, so only the last one of the run is checked. It cannot overflow: 256
           gaps of 16 bits beyond 2^22 elements. */
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
        QC_CHECK(count == 0, QC_CORRUPT, "csr: row counts exceed the stored elements", 0, count, 0);
    }
    QC_CHECK(positions->row_left == 0, QC_CORRUPT, "csr: row counts exceed the stored elements", 0,
             positions->row_left, 0);
    QC_TRY(qc_stream_finish(&positions->counts, error));
    return qc_stream_finish(&positions->index, error);
}

/* ---- mask and bit mask ---- */

/* The positions of symbols of one element each. */
static size_t bit_positions(const uint8_t *symbols, size_t count, size_t first, uint32_t *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        out[found] = (uint32_t)(first + i);
        found += symbols[i];
    }
    return found;
}

/* The positions of symbols of four elements, of which the first is `first`; returns how many. Each
   symbol writes four, but only its own count. */
static size_t mask_positions(const uint8_t *symbols, size_t count, size_t first, uint32_t *out)
{
    static const uint8_t counts[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    static const uint8_t bits[16][4] = {
        {0}, {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
        {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3},
    };
    qc_mask_positions_kernel *kernel = qc_kernels_selected()->mask_positions;
    size_t whole = kernel != NULL ? count - count % QC_MASK_SYMBOLS : 0;
    size_t found = whole > 0 ? kernel(symbols, whole, (uint32_t)first, out) : 0;
    for (size_t i = whole; i < count; i++) {
        for (unsigned j = 0; j < 4; j++)
            out[found + j] = (uint32_t)(first + 4 * i + bits[symbols[i]][j]);
        found += counts[symbols[i]];
    }
    return found;
}

/* Find the positions of a buffer of symbols, which may be none. */
static qc_status look_ahead(qc_position_decoder *positions, qc_error *error)
{
    uint8_t symbols[QC_POSITION_BUFFER];
    unsigned width = positions->index.width;
    size_t left = positions->index.left;
    size_t count = left < QC_POSITION_BUFFER ? left : QC_POSITION_BUFFER;
    QC_TRY(qc_stream_next(&positions->index, symbols, count, error));
    positions->used = 0;
    positions->buffered = (width == 1 ? bit_positions : mask_positions)(
        symbols, count, positions->position, positions->ahead);
    positions->position += width * count;
    return QC_OK;
}

static qc_status mask_next(qc_position_decoder *positions, uint32_t *out, size_t count,
                           qc_error *error)
{
    while (count > 0) {
        if (positions->used == positions->buffered) {
            QC_CHECK(positions->index.left > 0, QC_CORRUPT, "mask: fewer bits than stored elements",
                     0, positions->stored - positions->left, positions->stored);
            QC_TRY(look_ahead(positions, error));
        }
        size_t run = positions->buffered - positions->used;
        run = run < count ? run : count;
        memcpy(out, positions->ahead + positions->used, run * sizeof *out);
        positions->used += run;
        out += run;
        count -= run;
    }
    return QC_OK;
}

static qc_status mask_finish(qc_position_decoder *positions, qc_error *error)
{
    while (positions->used == positions->buffered && positions->index.left > 0)
        QC_TRY(look_ahead(positions, error));
    QC_CHECK(positions->used == positions->buffered, QC_CORRUPT,
             "mask: more bits than stored elements", 0, positions->stored + 1, positions->stored);
    return qc_stream_finish(&positions->index, error);
}

/* ---- the table ---- */

static const qc_position_form FORMS[] = {
    [QC_GAPS] = {gaps_next, gaps_finish},
    [QC_MASK] = {mask_next, mask_finish},
    [QC_CSR] = {gaps_next, csr_finish},
    [QC_BIT_MASK] = {mask_next, mask_finish},
};

qc_status qc_positions_open(qc_position_decoder *positions, const qc_frame *frame,
                            const qc_chunk *chunk, qc_stream_shared *shared, qc_reader *reader,
                            qc_error *error)
{
    uint64_t stored;
    size_t at = reader->at;
    QC_TRY(qc_read_vu(reader, &stored, "positions: stored elements", error));
    QC_CHECK(stored <= chunk->elements, QC_CORRUPT, "positions: stored elements", at, stored,
             chunk->elements);
    memset(positions, 0, offsetof(qc_position_decoder, index));
    positions->form = &FORMS[frame->positions];
    positions->elements = chunk->elements;
    positions->row_elements = frame->row_elements;
    positions->stored = positions->left = (size_t)stored;
    unsigned mask_width = qc_mask_width(frame->positions);
    if (mask_width > 0)
        return qc_stream_open(&positions->index, reader,
                              qc_mask_symbols(chunk->elements, mask_width), mask_width,
                              frame->features, shared, error);
    if (frame->positions == QC_CSR) {
        size_t rows = chunk->elements > 0 ? chunk->elements / frame->row_elements : 0;
        QC_TRY(qc_stream_open(&positions->counts, reader, rows,
                              qc_row_count_width(frame->row_elements), frame->features, shared,
                              error));
    } else {
        positions->row_end = positions->elements;
        positions->row_left = positions->stored;
    }
    return qc_stream_open(&positions->index, reader, positions->stored, frame->gap_width,
                          frame->features, shared, error);
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

qc_status qc_positions_seek(qc_position_decoder *positions, size_t element, size_t *stored,
                            qc_error *error)
{
    *stored = 0;
    if (positions->form != &FORMS[QC_CSR])
        return QC_OK;
    /* Rows without elements are all before element 0, and not to be divided by. */
    size_t rows = element > 0 ? element / positions->row_elements : 0;
    for (size_t row = 0; row < rows; row++) {
        size_t count;
        QC_TRY(next_row_count(positions, &count, error));
        *stored += count;
        positions->row_end += positions->row_elements;
    }
    QC_CHECK(*stored <= positions->left, QC_CORRUPT, "csr: row counts exceed the stored elements",
             0, *stored, positions->left);
    positions->left -= *stored;
    /* Gaps are taken in whole blocks; those of the rows before are dropped. */
    size_t whole = *stored - *stored % QC_STREAM_BLOCK;
    QC_TRY(qc_stream_skip(&positions->index, whole, error));
    if (*stored > whole) {
        QC_TRY(refill(&positions->index, positions->symbols, &positions->buffered, &positions->used,
                      error));
        positions->used = *stored - whole;
    }
    return QC_OK;
}

qc_status qc_positions_finish(qc_position_decoder *positions, qc_error *error)
{
    return positions->form->finish(positions, error);
}
