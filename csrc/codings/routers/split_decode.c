/*
 * Coding 6, decoded: every symbol is the next one of the sub-stream that the router names.
 * Sub-streams are pulled a block at a time, so memory does not grow with the stream.
 */
#include "codings/routers/router_decode.h"

/* ---- sub-streams ---- */

static qc_status open_part(qc_split_part *part, const qc_stream *outer, qc_reader *reader,
                           size_t count, unsigned width, qc_error *error)
{
    part->used = part->filled = 0;
    return qc_stream_open(&part->stream, reader, count, width, outer->features, outer->shared,
                          error);
}

static qc_status refill(qc_split_part *part, qc_error *error)
{
    size_t left = part->stream.left;
    QC_CHECK(left > 0, QC_CORRUPT, "split: symbols beyond a sub-stream", 0, part->stream.count,
             part->stream.count);
    part->used = 0;
    part->filled = left < QC_SPLIT_BLOCK ? left : QC_SPLIT_BLOCK;
    return qc_stream_next(&part->stream, part->block, part->filled, error);
}

static inline qc_status take(qc_split_part *part, uint8_t *symbol, qc_error *error)
{
    if (QC_UNLIKELY(part->used == part->filled))
        QC_TRY(refill(part, error));
    *symbol = part->block[part->used++];
    return QC_OK;
}

/* Symbols that follow each other in the sub-stream too. */
static qc_status take_run(qc_split_part *part, uint8_t *symbols, size_t count, qc_error *error)
{
    while (count > 0) {
        if (part->used == part->filled)
            QC_TRY(refill(part, error));
        size_t ready = part->filled - part->used, taken = ready < count ? ready : count;
        memcpy(symbols, part->block + part->used, taken);
        part->used += taken;
        symbols += taken;
        count -= taken;
    }
    return QC_OK;
}

/* ---- maps ---- */

static qc_status check_classes(const uint8_t *map, size_t count, unsigned classes, qc_error *error)
{
    for (size_t i = 0; i < count; i++)
        QC_CHECK(map[i] < classes, QC_CORRUPT, "split: class in a map", 0, map[i], classes - 1);
    return QC_OK;
}

/* A map that is needed at once: its contents are part of the head. */
static qc_status read_map(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                          size_t count, unsigned classes, uint8_t *map, qc_error *error)
{
    unsigned width = qc_split_map_width(classes);
    QC_TRY(open_part(&state->rows, outer, reader, count, width, error));
    QC_TRY(qc_stream_next(&state->rows.stream, map, count, error));
    QC_TRY(qc_stream_finish(&state->rows.stream, error));
    return check_classes(map, count, classes, error);
}

/* ---- router classes ---- */

qc_status qc_split_open_classes(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                qc_error *error)
{
    qc_split_classes *by = &state->by.classes;
    uint64_t row_length;
    unsigned numbers;
    QC_TRY(qc_read_vu(reader, &row_length, "split: row length", error));
    size_t longest = outer->count > 0 ? outer->count : 1;
    QC_CHECK(row_length >= 1 && row_length <= longest, QC_CORRUPT, "split: row length", reader->at,
             row_length, longest);
    QC_TRY(qc_read_u8(reader, &numbers, "split: row and column classes", error));
    by->row_length = by->column = (size_t)row_length;
    by->row = 0;
    by->row_classes = numbers % 16 + 1;
    by->column_classes = numbers / 16 + 1;
    state->parts = by->row_classes * by->column_classes;
    QC_CHECK(state->parts <= QC_SPLIT_MAX_PARTS, QC_CORRUPT, "split: sub-streams", reader->at - 1,
             state->parts, QC_SPLIT_MAX_PARTS);
    if (by->column_classes > 1) {
        QC_CHECK(row_length <= QC_SPLIT_MAX_COLUMNS, QC_CORRUPT, "split: columns with classes",
                 reader->at, row_length, QC_SPLIT_MAX_COLUMNS);
        QC_TRY(
            read_map(state, outer, reader, by->row_length, by->column_classes, by->columns, error));
    }
    if (by->row_classes == 1)
        return QC_OK;
    return open_part(&state->rows, outer, reader, qc_split_rows(outer->count, by->row_length),
                     qc_split_map_width(by->row_classes), error);
}

qc_status qc_split_begin_row(qc_router_state *state, qc_error *error)
{
    qc_split_classes *by = &state->by.classes;
    uint8_t class = 0;
    if (by->row_classes > 1) {
        QC_TRY(take(&state->rows, &class, error));
        QC_TRY(check_classes(&class, 1, by->row_classes, error));
    }
    by->row = class * by->column_classes;
    by->column = 0;
    return QC_OK;
}

static qc_status next_by_classes(qc_router_state *state, uint8_t *symbols, size_t count,
                                 qc_error *error)
{
    qc_split_classes *by = &state->by.classes;
    while (count > 0) {
        if (by->column == by->row_length)
            QC_TRY(qc_split_begin_row(state, error));
        size_t run = by->row_length - by->column;
        run = run < count ? run : count;
        qc_split_part *row = &state->part[by->row];
        const uint8_t *columns = by->columns + by->column;
        if (by->column_classes == 1)
            QC_TRY(take_run(row, symbols, run, error));
        else
            for (size_t i = 0; i < run; i++)
                QC_TRY(take(row + columns[i], symbols + i, error));
        by->column += run;
        symbols += run;
        count -= run;
    }
    return QC_OK;
}

/* ---- router neighbours ---- */

static qc_status open_neighbours(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                                 qc_error *error)
{
    qc_split_neighbours *by = &state->by.neighbours;
    unsigned numbers;
    memset(by, 0, sizeof *by);
    QC_TRY(qc_read_u8(reader, &by->width, "split: width of a kernel", error));
    QC_TRY(qc_read_u8(reader, &by->height, "split: height of a kernel", error));
    QC_CHECK(by->width > 0 && by->height > 0, QC_CORRUPT, "split: kernel", reader->at - 2, 0, 1);
    QC_TRY(qc_read_u8(reader, &numbers, "split: classes and sub-streams", error));
    by->classes = numbers % 16 + 1;
    state->parts = numbers / 16 + 1;
    QC_CHECK(by->classes <= QC_SPLIT_MAX_CLASSES, QC_CORRUPT, "split: classes of symbols",
             reader->at - 1, by->classes, QC_SPLIT_MAX_CLASSES);
    size_t symbols = (size_t)1 << outer->width;
    if (by->classes > 1)
        QC_TRY(read_map(state, outer, reader, symbols, by->classes, by->class_of, error));
    for (size_t i = 0; i < symbols; i++)
        by->class_of[i]++;
    if (state->parts == 1)
        return QC_OK;
    size_t contexts = (size_t)(by->classes + 1) * (by->classes + 1);
    return read_map(state, outer, reader, contexts, state->parts, by->part_of, error);
}

static qc_status next_by_neighbours(qc_router_state *state, uint8_t *symbols, size_t count,
                                    qc_error *error)
{
    qc_split_neighbours *by = &state->by.neighbours;
    for (size_t i = 0; i < count; i++) {
        unsigned left = by->x > 0 ? by->left : 0, up = by->y > 0 ? by->above[by->x] : 0;
        unsigned part = by->part_of[left * (by->classes + 1) + up];
        QC_TRY(take(&state->part[part], symbols + i, error));
        by->left = by->above[by->x] = by->class_of[symbols[i]];
        if (++by->x == by->width) {
            by->x = 0;
            by->y = by->y + 1 == by->height ? 0 : by->y + 1;
        }
    }
    return QC_OK;
}

/* ---- the coding ---- */

static qc_status open_parts(qc_router_state *state, const qc_stream *outer, qc_reader *reader,
                            qc_error *error)
{
    size_t sum = 0;
    for (unsigned i = 0; i < state->parts; i++) {
        uint64_t count;
        size_t at = reader->at;
        QC_TRY(qc_read_vu(reader, &count, "split: symbols of a sub-stream", error));
        QC_CHECK(count <= outer->count - sum, QC_CORRUPT, "split: symbols of a sub-stream", at,
                 count, outer->count - sum);
        sum += (size_t)count;
        QC_TRY(open_part(&state->part[i], outer, reader, (size_t)count, outer->width, error));
    }
    QC_CHECK(sum == outer->count, QC_CORRUPT, "split: symbols of all sub-streams", reader->at, sum,
             outer->count);
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "split: bytes after the sub-streams",
             reader->at, reader->size, reader->at);
    return QC_OK;
}

qc_status qc_split_begin(qc_stream *stream, qc_reader *reader, qc_error *error)
{
    qc_router_state *state = stream->shared->router;
    QC_CHECK(state != NULL, QC_CORRUPT, "split: a second stream with a router, or one in another",
             0, 2, 1);
    stream->shared->router = NULL;
    stream->state.router = state;
    QC_TRY(qc_read_u8(reader, &state->router, "split: router", error));
    QC_CHECK(state->router <= QC_ROUTER_NEIGHBOURS, QC_UNSUPPORTED, "split: router", 0,
             state->router, QC_ROUTER_NEIGHBOURS);
    return QC_OK;
}

qc_status qc_split_finish_rows(qc_router_state *state, qc_error *error)
{
    int has_rows = state->router == QC_ROUTER_CLASSES && state->by.classes.row_classes > 1;
    return has_rows ? qc_stream_finish(&state->rows.stream, error) : QC_OK;
}

static qc_status start(qc_stream *stream, const uint8_t *body, size_t size, qc_error *error)
{
    qc_reader reader = qc_reader_of(body, size, 1);
    QC_TRY(qc_split_begin(stream, &reader, error));
    qc_router_state *state = stream->state.router;
    QC_TRY(state->router == QC_ROUTER_CLASSES ? qc_split_open_classes(state, stream, &reader, error)
                                              : open_neighbours(state, stream, &reader, error));
    return open_parts(state, stream, &reader, error);
}

static qc_status next(qc_stream *stream, void *symbols, size_t count, qc_error *error)
{
    qc_router_state *state = stream->state.router;
    return state->router == QC_ROUTER_CLASSES ? next_by_classes(state, symbols, count, error)
                                              : next_by_neighbours(state, symbols, count, error);
}

static qc_status finish(qc_stream *stream, qc_error *error)
{
    qc_router_state *state = stream->state.router;
    /* As many symbols were taken as all sub-streams have, so none has any left. */
    QC_TRY(qc_split_finish_rows(state, error));
    for (unsigned i = 0; i < state->parts; i++)
        QC_TRY(qc_stream_finish(&state->part[i].stream, error));
    return QC_OK;
}

const qc_stream_decoder qc_split_decoder = {
    "split", 1, QC_SPLIT_MAX_WIDTH, start, next, NULL, NULL, finish,
};
