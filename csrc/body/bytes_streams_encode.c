/*
 * The streams of elements that are no floats, or of one byte each, encoded. They are treated as
 * streams of codes are: where the profile allows it, by a router too, since rows and columns of
 * integer weights differ, neighbours in a filter are alike, and bytes may be blocks.
 */
#include "body/values_encode.h"
#include "codings/stream_encode.h"
#include "kernels/planes.h"

/* Balanced: longer streams have to decode fast, so neither adaptive coding nor routers of symbols
   are for them; plain Huffman neither. */
#define SMALL_STREAM ((size_t)64 * 1024)
/* The greatest and the least period of blocks. */
#define MAX_PERIOD 34
#define MIN_PERIOD 2

/* The stream is one byte of every element, or all of them. */
static int is_located(const qc_frame *frame)
{
    return frame->positions == QC_DENSE && qc_stores_elements(frame) && frame->kind != QC_DELTA &&
           frame->dtype > QC_F64;
}

static size_t symbols_of(const qc_frame *frame, size_t elements)
{
    return frame->kind == QC_BYTES ? elements * frame->item_size : elements;
}

/* By rows of elements, and by filters if a symbol is an element. */
static qc_geometry rows_of(const qc_frame *frame)
{
    qc_geometry geometry = qc_element_geometry(frame);
    size_t size = symbols_of(frame, 1);
    geometry.row_length *= size;
    if (geometry.row_length > QC_ROUTER_MAX_COLUMNS)
        geometry.row_length = 0;
    if (size > 1)
        geometry.filter_width = geometry.filter_height = 0;
    return geometry;
}

size_t qc_bytes_router_workspace(const qc_frame *frame, const qc_chunk_input *input)
{
    size_t count = symbols_of(frame, input->elements), max = 0;
    if (!is_located(frame) || count >= QC_ROUTER_MAX_SYMBOLS)
        return 0;
    qc_geometry tried[] = {rows_of(frame), {MIN_PERIOD, 0, 0}, {MAX_PERIOD, 0, 0}};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        qc_router_input stream = {NULL, count, frame->width, tried[i], NULL, 0};
        size_t size = qc_router_workspace(&stream);
        max = size > max ? size : max;
    }
    qc_router_input rows = {NULL, count, frame->width, qc_exponent_geometry(frame), NULL, 0};
    size_t size = rows.geometry.row_length > 0 ? qc_router_rows_workspace(&rows) : 0;
    return size > max ? size : max;
}

/* As the profile chooses, or in the smallest of the codings that vectors decode, by classes of rows
   too, if that is smaller. */
static qc_status write_fast(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count)
{
    qc_encoding encoding = encoder->encoding;
    size_t at = encoder->size;
    uint64_t features = encoder->features;
    encoding.codings &= ~(QC_CODING_MASK(QC_CONTEXTS) | QC_CODING_MASK(QC_HUFFMAN));
    encoding.profile = QC_SMALL;
    QC_TRY(qc_write_exponents(encoder, symbols, count, &encoding));
    size_t size = encoder->size - at;
    encoder->size = at;
    encoder->features = features;
    QC_TRY(qc_write_stream(encoder, symbols, count, encoder->frame->width));
    if (encoder->size - at < size)
        return QC_OK;
    encoder->size = at;
    return qc_write_exponents(encoder, symbols, count, &encoding);
}

qc_status qc_write_bytes_stream(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count)
{
    const qc_frame *frame = encoder->frame;
    unsigned width = frame->width;
    if (!is_located(frame) || count >= QC_ROUTER_MAX_SYMBOLS)
        return qc_write_stream(encoder, symbols, count, width);
    if (encoder->encoding.profile == QC_BALANCED && count >= SMALL_STREAM * 8 / width)
        return write_fast(encoder, symbols, count);
    qc_geometry geometries[2] = {rows_of(frame), {0, 0, 0}};
    if (encoder->encoding.profile != QC_FAST && width == 8)
        geometries[1].row_length = qc_router_find_period(symbols, count);
    return qc_write_located(encoder, symbols, count, width, geometries, 2);
}

/* ---- planes ---- */

/* The plane that takes the most bytes: a chunk has a router for one stream only. */
static unsigned largest_plane(qc_chunk_encoder *encoder, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    size_t most = 0;
    unsigned largest = 0;
    for (unsigned plane = 0; plane < frame->value_streams; plane++) {
        uint64_t counts[256] = {0};
        qc_take_plane(frame, encoder->values, encoder->stored, plane, symbols);
        for (size_t i = 0; i < encoder->stored; i++)
            counts[symbols[i]]++;
        size_t size = qc_stream_estimate(counts, frame->width, encoder->encoding.codings,
                                         encoder->encoding.profile, encoder->stream_workspace);
        if (size > most) {
            most = size;
            largest = plane;
        }
    }
    return largest;
}

qc_status qc_write_located_planes(qc_chunk_encoder *encoder, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    size_t stored = encoder->stored;
    unsigned largest = frame->value_streams > 1 ? largest_plane(encoder, symbols) : 0;
    for (unsigned plane = 0; plane < frame->value_streams; plane++) {
        qc_take_plane(frame, encoder->values, stored, plane, symbols);
        QC_TRY(plane == largest ? qc_write_bytes_stream(encoder, symbols, stored)
                                : qc_write_stream(encoder, symbols, stored, frame->width));
    }
    return QC_OK;
}
