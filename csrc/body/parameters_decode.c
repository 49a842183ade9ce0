/*
 * Coded parameters, decoded (docs/format.md, section 5): one block or book at a time, so that
 * checking them takes no memory.
 */
#include "base/workspace.h"
#include "body/parameters.h"
#include "body/values_decode.h"

/* Symbols of up to 8 bits, taken one after the other. */
typedef struct symbol_queue {
    qc_stream stream;
    size_t used, filled; /* of the block */
    uint8_t block[QC_STREAM_BLOCK];
} symbol_queue;

/* Bits from the lowest one of each byte on. */
typedef struct low_bits {
    const uint8_t *data;
    size_t size;
    size_t at; /* bit */
} low_bits;

typedef struct parameters_workspace {
    qc_value_decoder planes;
    symbol_queue lengths, order;
    uint32_t keys[QC_MAX_ENTRIES];
    qc_stream_shared shared;
} parameters_workspace;

_Static_assert(sizeof(parameters_workspace) + QC_WORKSPACE_ALIGNMENT <= QC_WORKSPACE_BYTES,
               "QC_WORKSPACE_BYTES holds what decodes parameters");

/* Values that are being decoded: floats(rows, entries). */
typedef struct floats {
    const qc_groups *groups;
    size_t rows, entries;
    size_t size; /* of a value */
    uint64_t features;
    uint8_t *out;   /* NULL: check only */
    uint8_t *order; /* of permuted values; NULL: check only */
} floats;

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static qc_status open_stream(parameters_workspace *work, qc_stream *stream, qc_reader *reader,
                             size_t count, unsigned width, uint64_t features, qc_error *error)
{
    return qc_stream_open(stream, reader, count, width, features, &work->shared, error);
}

static qc_status check_end(const qc_reader *reader, qc_error *error)
{
    QC_CHECK(reader->at == reader->size, QC_CORRUPT, "parameters: bytes follow their streams",
             reader->at, reader->size, reader->at);
    return QC_OK;
}

/* ---- planes ---- */

static qc_status decode_planes(parameters_workspace *work, const floats *floats, qc_error *error)
{
    qc_reader reader = qc_reader_of(floats->groups->coded.body, floats->groups->coded.size, 1);
    size_t values = floats->rows * floats->entries;
    qc_dtype dtype = floats->groups->dtype;
    qc_frame frame = qc_planes_frame(dtype, values, floats->features);
    qc_value_decoder *planes = &work->planes;
    QC_TRY(qc_values_open(planes, &frame, 0, values, dtype, &work->shared, &reader, error));
    QC_TRY(check_end(&reader, error));
    for (size_t at = 0, count; at < values; at += count) {
        count = smaller(QC_VALUE_BLOCK, values - at);
        QC_TRY(qc_values_pull(planes, count, 0, error));
        if (floats->out == NULL)
            continue;
        uint8_t *out = floats->out + at * floats->size;
        qc_values_write(planes, 0, count, at, NULL, out);
        qc_swap_if_big_endian(out, floats->size, count); /* parameters are little-endian */
    }
    return qc_values_finish(planes, error);
}

/* ---- deltas, and the order of permuted ones ---- */

static qc_status open_queue(parameters_workspace *work, symbol_queue *queue, qc_reader *reader,
                            const floats *floats, unsigned width, qc_error *error)
{
    queue->used = queue->filled = 0;
    return open_stream(work, &queue->stream, reader, floats->rows * floats->entries, width,
                       floats->features, error);
}

static qc_status take_symbol(symbol_queue *queue, unsigned *symbol, qc_error *error)
{
    if (queue->used == queue->filled) {
        queue->used = 0;
        queue->filled = smaller(QC_STREAM_BLOCK, queue->stream.left);
        QC_TRY(qc_stream_next(&queue->stream, queue->block, queue->filled, error));
    }
    *symbol = queue->block[queue->used++];
    return QC_OK;
}

/* The next `count` bits, at most 31. */
static qc_status take_bits(low_bits *bits, unsigned count, uint32_t *value, qc_error *error)
{
    uint64_t word = 0;
    size_t first = bits->at / 8, last = (bits->at + count + 7) / 8;
    QC_CHECK(last <= bits->size, QC_CORRUPT, "parameters: bits of the deltas", first, bits->size,
             last);
    for (size_t byte = first; byte < last; byte++)
        word |= (uint64_t)bits->data[byte] << 8 * (byte - first);
    *value = (uint32_t)(word >> bits->at % 8) & (((uint32_t)1 << count) - 1);
    bits->at += count;
    return QC_OK;
}

/* The last byte is read a second time here, only to be compared. */
static qc_status finish_bits(const low_bits *bits, qc_error *error)
{
    size_t size = (bits->at + 7) / 8;
    QC_CHECK(bits->size == size, QC_CORRUPT, "parameters: bits of the deltas", size, bits->size,
             size);
    QC_CHECK(bits->at % 8 == 0 || bits->data[size - 1] >> bits->at % 8 == 0, QC_CORRUPT,
             "parameters: bits after the last delta", size - 1, bits->data[size - 1], 0);
    return QC_OK;
}

/* The keys of a row, each from the one before. */
static qc_status take_keys(parameters_workspace *work, const floats *floats, low_bits *bits,
                           qc_error *error)
{
    uint32_t key = 0, max = qc_sign_of(floats->size) | (qc_sign_of(floats->size) - 1);
    for (size_t i = 0; i < floats->entries; i++) {
        unsigned length;
        uint32_t low = 0;
        QC_TRY(take_symbol(&work->lengths, &length, error));
        QC_CHECK(length <= 8 * floats->size, QC_CORRUPT, "parameters: bit length of a delta", 0,
                 length, 8 * floats->size);
        if (length > 0) {
            QC_TRY(take_bits(bits, length - 1, &low, error));
            key = (key + ((uint32_t)1 << (length - 1) | low)) & max;
        }
        work->keys[i] = key;
    }
    return QC_OK;
}

/* The original places of the values of a row: each is one of those that are left. */
static qc_status take_order(parameters_workspace *work, size_t entries, uint8_t *order,
                            qc_error *error)
{
    uint8_t left[QC_MAX_ENTRIES];
    size_t at = 0;
    for (size_t i = 0; i < entries; i++)
        left[i] = (uint8_t)i;
    for (size_t i = 0, count = entries; i < entries; i++, count--) {
        unsigned symbol;
        QC_TRY(take_symbol(&work->order, &symbol, error));
        QC_CHECK(symbol < count, QC_CORRUPT, "parameters: order of the values", 0, symbol,
                 count - 1);
        at += symbol;
        at -= at >= count ? count : 0;
        if (order != NULL)
            order[i] = left[at];
        memmove(left + at, left + at + 1, count - at - 1);
    }
    return QC_OK;
}

static qc_status decode_deltas(parameters_workspace *work, const floats *floats, qc_error *error)
{
    qc_reader reader = qc_reader_of(floats->groups->coded.body, floats->groups->coded.size, 1);
    int permuted = floats->groups->coded.mode == QC_VALUES_PERMUTED;
    QC_TRY(open_queue(work, &work->lengths, &reader, floats, qc_delta_width(floats->size), error));
    if (permuted)
        QC_TRY(open_queue(work, &work->order, &reader, floats,
                          qc_codebook_width((unsigned)floats->entries), error));
    low_bits bits = {reader.data + reader.at, reader.size - reader.at, 0};
    uint8_t *out = floats->out, *order = floats->order;
    for (size_t row = 0; row < floats->rows; row++) {
        QC_TRY(take_keys(work, floats, &bits, error));
        if (permuted)
            QC_TRY(take_order(work, floats->entries, order, error));
        if (order != NULL)
            order += floats->entries;
        for (size_t i = 0; out != NULL && i < floats->entries; i++, out += floats->size)
            qc_store_value(out, qc_bits_of_key(work->keys[i], floats->size), floats->size);
    }
    QC_TRY(qc_stream_finish(&work->lengths.stream, error));
    if (permuted)
        QC_TRY(qc_stream_finish(&work->order.stream, error));
    return finish_bits(&bits, error);
}

/* ---- all parameters ---- */

/* Bodies count their errors' offsets from their own start. */
static qc_status with_offset(qc_status status, const qc_coded *coded, qc_error *error)
{
    if (status != QC_OK && error != NULL)
        error->offset += coded->offset;
    return status;
}

/* Where the values of groups go, if there is memory for them: steps over it. */
static uint8_t *take_memory(uint8_t **memory, size_t bytes)
{
    uint8_t *taken = *memory;
    if (taken != NULL)
        *memory += bytes;
    return taken;
}

/* Decode groups of `entries` values each, and their order if it is stored, or only check them. */
static qc_status decode_floats(parameters_workspace *work, const qc_frame *frame, qc_groups *groups,
                               size_t entries, const uint8_t **order, uint8_t **memory,
                               qc_error *error)
{
    unsigned mode = groups->coded.mode;
    size_t size = qc_dtype_size(groups->dtype), count = groups->count * entries;
    if (mode == QC_VALUES_VERBATIM)
        return QC_OK;
    floats floats = {groups, groups->count, entries, size, frame->features, NULL, NULL};
    floats.out = take_memory(memory, count * size);
    if (mode == QC_VALUES_PERMUTED)
        floats.order = take_memory(memory, count);
    qc_status status = mode == QC_VALUES_PLANES ? decode_planes(work, &floats, error)
                                                : decode_deltas(work, &floats, error);
    QC_TRY(with_offset(status, &groups->coded, error));
    if (floats.out != NULL)
        groups->values = floats.out;
    if (order != NULL && floats.order != NULL)
        *order = floats.order;
    return QC_OK;
}

/* Where the groups end that have lengths of their own: none is 0, and they are those of all
   elements. */
static qc_status decode_ends(const qc_frame *frame, qc_groups *groups, uint8_t **memory,
                             qc_error *error)
{
    qc_reader reader = qc_reader_of(groups->lengths, groups->lengths_bytes, 1);
    uint64_t end = 0, length;
    if (groups->inner > 0 || groups->count == 0)
        return QC_OK;
    uint8_t *ends = take_memory(memory, groups->count * sizeof end);
    for (size_t i = 0; i < groups->count; i++) {
        QC_TRY(qc_read_vu(&reader, &length, "parameters: lengths of the groups", error));
        QC_CHECK(length >= 1 && length <= frame->elements - end, QC_CORRUPT,
                 "parameters: lengths of the groups", 0, length, frame->elements - end);
        end += length;
        if (ends != NULL)
            memcpy(ends + i * sizeof end, &end, sizeof end);
    }
    QC_CHECK(end == frame->elements, QC_CORRUPT, "parameters: lengths of the groups", 0, end,
             frame->elements);
    groups->ends = ends;
    return QC_OK;
}

qc_status qc_parameters_decode(qc_frame *frame, void *memory, void *workspace, qc_error *error)
{
    parameters_workspace *work = qc_workspace_align(workspace);
    qc_codebook *codebook = &frame->codebook;
    uint8_t *next = memory;
    work->shared = (qc_stream_shared){qc_ticker_of(frame->poll), NULL}; /* no stream has a router */
    QC_TRY(decode_ends(frame, &codebook->books, &next, error));
    QC_TRY(decode_ends(frame, &frame->scales, &next, error));
    frame->zero_points.groups.ends = frame->scales.ends;
    QC_TRY(decode_floats(work, frame, &codebook->books, codebook->entries, &codebook->order, &next,
                         error));
    QC_TRY(decode_floats(work, frame, &frame->scales, 1, NULL, &next, error));
    return decode_floats(work, frame, &frame->zero_points.groups, 1, NULL, &next, error);
}
