/*
 * The streams of a chunk, encoded: the places of their symbols, and for which streams a router is
 * tried.
 */
#include "base/log2_fixed.h"
#include "body/values_encode.h"
#include "codings/stream_encode.h"
#include "kernels/planes.h"

/* A router has fields and maps: for streams of up to this many bytes it saves nothing. */
#define ROUTED_MIN_BYTES 64

/* Exponents are alike if their neighbours tell this part of what the first symbols take. */
#define ALIKE_PART   32
#define ALIKE_SAMPLE ((size_t)1 << 16)

/* Exponents of shorter rows have no classes. */
#define MIN_CLASSED_ROW 128

/* ---- places of symbols ---- */

/* Whether every chunk begins where a block of this many elements does. */
static int is_whole(const qc_frame *frame, size_t elements)
{
    return elements > 1 && elements <= frame->elements && frame->chunk_elements % elements == 0;
}

/* If there is one symbol per element. */
qc_geometry qc_element_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    if (frame->row_elements <= QC_ROUTER_MAX_COLUMNS && is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements;
    if (frame->ndim < 3)
        return geometry;
    uint64_t width = frame->dims[frame->ndim - 1];
    uint64_t height = frame->ndim > 3 ? frame->dims[frame->ndim - 2] : 1;
    if (width <= QC_FILTER_MAX_WIDTH && height <= QC_FILTER_MAX_SIDE &&
        is_whole(frame, (size_t)(width * height))) {
        geometry.filter_width = (size_t)width;
        geometry.filter_height = (size_t)height;
    }
    return geometry;
}

qc_geometry qc_code_geometry(const qc_frame *frame)
{
    int has_place = frame->positions == QC_DENSE && !qc_stores_elements(frame);
    return has_place && frame->width <= QC_ROUTER_MAX_WIDTH ? qc_element_geometry(frame)
                                                            : (qc_geometry){0, 0, 0};
}

/* Exponents of floats that are stored as they are. */
static qc_geometry float_geometry(const qc_frame *frame)
{
    int has_place = frame->positions == QC_DENSE && frame->dtype <= QC_F64 &&
                    frame->kind == QC_PLANES && frame->chunk_elements < QC_ROUTER_MAX_SYMBOLS;
    return has_place ? qc_element_geometry(frame) : (qc_geometry){0, 0, 0};
}

/* A symbol of a mask may cover four elements of one row. */
qc_geometry qc_mask_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    if (frame->positions == QC_BIT_MASK)
        return qc_element_geometry(frame);
    if (frame->positions == QC_MASK && frame->row_elements % 4 == 0 &&
        frame->row_elements / 4 <= QC_ROUTER_MAX_COLUMNS && is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements / 4;
    return geometry;
}

/* Rows of exponents may have classes, if the map is small beside them. */
qc_geometry qc_exponent_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    size_t size = frame->kind == QC_BYTES ? frame->item_size : 1;
    int is_classed = qc_kind_row(frame->kind, frame->dtype) == QC_FLOAT_PLANES ||
                     ((frame->kind == QC_PLANES || frame->kind == QC_BYTES) &&
                      frame->dtype > QC_F64 && frame->width == 8);
    if (frame->positions == QC_DENSE && is_classed &&
        frame->row_elements >= MIN_CLASSED_ROW / size && is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements * size;
    return geometry;
}

static int is_located(const qc_geometry *geometry)
{
    return geometry->row_length > 0 || geometry->filter_width > 0;
}

size_t qc_router_stream_workspace(const qc_frame *frame, const qc_chunk_input *input)
{
    unsigned mask_width = qc_mask_width(frame->positions);
    qc_geometry geometry = mask_width > 0 ? qc_mask_geometry(frame) : qc_code_geometry(frame);
    size_t count = mask_width > 0 ? qc_mask_symbols(input->elements, mask_width) : input->elements;
    qc_router_input stream = {NULL, count, frame->width, geometry, NULL, 0};
    if (qc_stores_elements(frame) && mask_width == 0) {
        if (frame->dtype > QC_F64)
            return qc_bytes_router_workspace(frame, input);
        qc_router_input rows = {NULL, count, frame->width, qc_exponent_geometry(frame), NULL, 0};
        stream.geometry = float_geometry(frame);
        size_t by_rows = is_located(&rows.geometry) ? qc_router_rows_workspace(&rows) : 0;
        size_t size = is_located(&stream.geometry) ? qc_router_workspace(&stream) : 0;
        return size > by_rows ? size : by_rows;
    }
    return is_located(&geometry) ? qc_router_workspace(&stream) : 0;
}

/* ---- streams ---- */

static qc_status write_stream_in(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                                 unsigned width, const qc_encoding *encoding)
{
    size_t size;
    qc_error *error = encoder->error;
    QC_TRY(qc_stream_encode_stable(&encoder->ticker, symbols, count, width, encoding->codings,
                                   encoding->profile, encoder->out + encoder->size,
                                   encoder->capacity - encoder->size, &size,
                                   encoder->stream_workspace, error));
    encoder->features |= QC_CODING_MASK(encoder->out[encoder->size]);
    encoder->size += size;
    return QC_OK;
}

qc_status qc_write_stream(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                          unsigned width)
{
    return write_stream_in(encoder, symbols, count, width, &encoder->encoding);
}

/* The bytes that a routed stream may take in a coding, or 0 if it is not tried. It decodes as
   slowly as contexts, so balanced allows it where it allows those; and if the stream at `at` is in
   contexts anyway, where that saves a 64th. */
static size_t router_limit(const qc_chunk_encoder *encoder, const qc_encoding *encoding,
                           qc_coding coding, size_t at, const qc_router_input *input)
{
    uint64_t slow = QC_CODING_MASK(coding) | QC_CODING_MASK(QC_CONTEXTS);
    size_t size = encoder->size - at;
    if ((encoding->codings & QC_CODING_MASK(coding)) == 0 || encoding->effort < QC_EFFORT_PLACES ||
        size <= ROUTED_MIN_BYTES)
        return 0;
    if (encoding->profile != QC_SMALL &&
        (encoding->profile != QC_BALANCED || (encoding->codings & slow) != slow))
        return 0;
    if (encoding->profile == QC_BALANCED && encoder->out[at] == QC_CONTEXTS)
        return size - size / 64;
    return qc_contexts_limit(size, input->count, input->width, encoding->profile);
}

/* The stream that was written at `at`, by a router if that is smaller. */
static qc_status try_router(qc_chunk_encoder *encoder, const qc_encoding *encoding, size_t at,
                            uint64_t features, const qc_router_input *input)
{
    qc_error *error = encoder->error;
    size_t routed = 0;
    qc_router_request request = {*input,
                                 encoding,
                                 router_limit(encoder, encoding, QC_CONTEXTS, at, input),
                                 router_limit(encoder, encoding, QC_SPLIT, at, input),
                                 encoder->router_workspace,
                                 encoder->stream_workspace};
    if (request.contexts_limit == 0 && request.split_limit == 0)
        return QC_OK;
    if (encoding->profile != QC_SMALL && !qc_router_promises(&request))
        return QC_OK;
    QC_TRY(qc_router_encode(&request, encoder->out + at, &routed, &features, error));
    if (routed > 0) {
        encoder->size = at + routed;
        encoder->features = features;
    }
    return QC_OK;
}

qc_status qc_write_located(qc_chunk_encoder *encoder, const void *symbols, size_t count,
                           unsigned width, const qc_geometry *geometries, size_t geometry_count)
{
    size_t at = encoder->size;
    uint64_t features = encoder->features;
    QC_TRY(qc_write_stream(encoder, symbols, count, width));
    for (size_t i = 0; i < geometry_count; i++) {
        qc_router_input input = {symbols, count, width, geometries[i], &encoder->ticker, 0};
        if (is_located(&geometries[i]) && geometries[i].row_length <= count)
            QC_TRY(try_router(encoder, &encoder->encoding, at, features, &input));
    }
    return QC_OK;
}

/* Whether the neighbours of exponents tell enough about them for a router to be tried. */
static int are_alike(const qc_router_input *input, size_t size)
{
    size_t count = input->count < ALIKE_SAMPLE ? input->count : ALIKE_SAMPLE;
    uint64_t bits = (uint64_t)size * 8 * count / input->count;
    return qc_router_most_told(input, count) > bits / ALIKE_PART * QC_LOG2_ONE;
}

/* The exponents of floats that were written at `at`, by their neighbours if that is smaller. In
   `small`, also of so many that contexts do not suit them otherwise. */
static qc_status try_neighbours(qc_chunk_encoder *encoder, size_t at, uint64_t features,
                                const uint8_t *symbols, size_t count)
{
    qc_encoding encoding = encoder->encoding;
    qc_geometry geometry = float_geometry(encoder->frame);
    qc_router_input input = {symbols, count, encoder->frame->width, geometry, &encoder->ticker, 0};
    size_t size = encoder->size - at;
    if (encoding.profile == QC_SMALL)
        encoding.codings = encoder->allowed;
    int is_tried = is_located(&geometry) && geometry.row_length <= count &&
                   router_limit(encoder, &encoding, QC_CONTEXTS, at, &input) > 0 &&
                   are_alike(&input, size);
    return is_tried ? try_router(encoder, &encoding, at, features, &input) : QC_OK;
}

qc_status qc_write_exponents(qc_chunk_encoder *encoder, const uint8_t *symbols, size_t count,
                             const qc_encoding *encoding)
{
    const qc_frame *frame = encoder->frame;
    qc_error *error = encoder->error;
    qc_profile profile = encoder->encoding.profile;
    qc_geometry geometry = qc_exponent_geometry(frame);
    size_t at = encoder->size, size = 0;
    uint64_t features = encoder->features;
    unsigned center = frame->dtype > QC_F64 && qc_turn_of(frame->dtype) != QC_ROTATED ? 128 : 0;
    qc_router_request request = {{symbols, count, frame->width, geometry, &encoder->ticker, center},
                                 encoding,
                                 0,
                                 qc_stream_bound(count, frame->width),
                                 encoder->router_workspace,
                                 encoder->stream_workspace};
    int can_split = (encoding->codings & QC_CODING_MASK(QC_SPLIT)) != 0 &&
                    encoding->effort >= QC_EFFORT_PLACES &&
                    (profile == QC_BALANCED || profile == QC_SMALL);
    if (can_split && is_located(&geometry) && geometry.row_length <= count)
        QC_TRY(
            qc_router_encode_rows(&request, encoder->out + at, &size, &encoder->features, error));
    encoder->size += size;
    if (size == 0)
        QC_TRY(write_stream_in(encoder, symbols, count, frame->width, encoding));
    return try_neighbours(encoder, at, features, symbols, count);
}
