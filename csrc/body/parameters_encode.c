/*
 * Parameters, coded where that takes fewer bytes (docs/format.md, section 5). Every mode is tried,
 * on a copy of the values, which another thread may be changing.
 */
#include "base/workspace.h"
#include "body/parameters.h"
#include "body/values_encode.h"
#include "codings/stream_encode.h"

/* Balanced: contexts decode slowly, and parameters are decoded before anything else, so they are
   only for up to this many values. */
#define FEW_VALUES 4096

/* "Cannot", or not in fewer bytes. */
#define NOT_SMALLER SIZE_MAX

/* The values of groups: `rows` of `entries` values. */
typedef struct values {
    const uint8_t *data;
    size_t rows, entries;
    qc_dtype dtype;
    size_t size;          /* of a value */
    const uint8_t *order; /* of the codebook, or NULL */
    uint8_t *copy;        /* what `data` is, once it was taken */
} values;

/* Bodies being written, one after the other, and how. */
typedef struct writer {
    uint64_t codings;
    qc_profile profile;
    uint8_t *out;
    size_t capacity, size;
    uint64_t features; /* of the body that was written last */
    uint8_t *symbols;  /* scratch, two bytes per value */
    void *planes_workspace;
    void *stream_workspace;
    qc_ticker ticker;
} writer;

static size_t count_of(const values *values) { return values->rows * values->entries; }

static values values_of(const qc_groups *groups, size_t entries, const uint8_t *order)
{
    values values = {
        groups->values, groups->count, entries, groups->dtype, qc_dtype_size(groups->dtype),
        order,          NULL};
    return values;
}

static values codebook_of(const qc_frame *frame)
{
    const qc_codebook *codebook = &frame->codebook;
    return values_of(&codebook->books, codebook->entries,
                     codebook->books.count > 0 ? codebook->order : NULL);
}

static values scales_of(const qc_frame *frame) { return values_of(&frame->scales, 1, NULL); }

static values zero_points_of(const qc_frame *frame)
{
    return values_of(&frame->zero_points.groups, 1, NULL);
}

static size_t bytes_of(const values *values)
{
    return count_of(values) * (values->size + (values->order != NULL));
}

/* Copy the values to `copy`; returns its end. */
static uint8_t *take(values *values, uint8_t *copy)
{
    size_t bytes = count_of(values) * values->size;
    if (bytes > 0) {
        memcpy(copy, values->data, bytes);
        values->data = values->copy = copy;
    }
    if (values->order != NULL) {
        memcpy(copy + bytes, values->order, count_of(values));
        values->order = copy + bytes;
    }
    return copy + bytes_of(values);
}

/* ---- streams ---- */

/* Append a stream. Returns 0 if no coding that is allowed holds the symbols. */
static int write_stream(writer *writer, size_t *size, const void *symbols, size_t count,
                        unsigned width)
{
    size_t written, at = writer->size + *size;
    if (qc_stream_encode_stable(&writer->ticker, symbols, count, width, writer->codings,
                                writer->profile, writer->out + at, writer->capacity - at, &written,
                                writer->stream_workspace, NULL) != QC_OK)
        return 0;
    writer->features |= QC_CODING_MASK(writer->out[at]);
    *size += written;
    return 1;
}

/* ---- planes ---- */

static size_t write_planes(writer *writer, const values *values)
{
    size_t count = count_of(values);
    qc_frame frame = qc_planes_frame(values->dtype, count, 0);
    qc_chunk_encoder encoder = {.frame = &frame,
                                .values = values->copy,
                                .stored = count,
                                /* No stream of a parameter has a router. */
                                .encoding = {writer->codings & ~QC_CODING_MASK(QC_SPLIT),
                                             writer->profile, QC_EFFORT_PLACES - 1},
                                .out = writer->out + writer->size,
                                .capacity = writer->capacity - writer->size,
                                .stream_workspace = writer->stream_workspace,
                                .arena = {writer->planes_workspace},
                                .ticker = writer->ticker};
    /* Kinds take elements in the machine's order, and make them little-endian in place. */
    qc_swap_if_big_endian(values->copy, values->size, count);
    qc_status status = qc_kind_encoder_of(&frame)->write(&encoder);
    writer->ticker = encoder.ticker;
    writer->features |= encoder.features;
    return status == QC_OK ? encoder.size : NOT_SMALLER;
}

/* ---- deltas, and the order of permuted ones ---- */

/* The original places of a row's values, each as the steps from the one before, around the places
   that are left. */
static void symbols_of_order(const uint8_t *order, size_t entries, uint8_t *symbols)
{
    uint8_t left[QC_MAX_ENTRIES];
    size_t at = 0;
    for (size_t i = 0; i < entries; i++)
        left[i] = (uint8_t)i;
    for (size_t place = 0, count = entries; place < entries; place++, count--) {
        const uint8_t *found = memchr(left, order[place], count);
        size_t next = (size_t)(found - left);
        symbols[place] = (uint8_t)(next >= at ? next - at : next + count - at);
        at = next;
        memmove(left + at, left + at + 1, count - at - 1);
    }
}

/* Whether every row of an order has each number once. */
static int is_permutation(const values *values)
{
    for (size_t row = 0; row < values->rows; row++) {
        uint8_t seen[QC_MAX_ENTRIES] = {0};
        for (size_t i = 0; i < values->entries; i++) {
            unsigned number = values->order[row * values->entries + i];
            if (number >= values->entries || seen[number]++)
                return 0;
        }
    }
    return 1;
}

/* Append the lowest bits of a number, at most 31. */
static void append_bits(uint8_t *out, size_t *at, uint32_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++, ++*at) {
        if (*at % 8 == 0)
            out[*at / 8] = 0;
        out[*at / 8] |= (uint8_t)((value >> i & 1) << *at % 8);
    }
}

/* Two ways to look at the deltas of one row: their bit lengths, and the bits under the leading one.
   Either output may be NULL. */
static void take_deltas(const values *values, size_t row, uint8_t *lengths, uint8_t *bits,
                        size_t *at)
{
    const uint8_t *data = values->data + row * values->entries * values->size;
    uint32_t sign = qc_sign_of(values->size), before = 0;
    for (size_t i = 0; i < values->entries; i++, data += values->size) {
        uint32_t key = qc_key_of(qc_load_value(data, values->size), values->size);
        uint32_t delta = (key - before) & (sign | (sign - 1));
        unsigned length = qc_bit_length(delta);
        before = key;
        if (lengths != NULL)
            lengths[i] = (uint8_t)length;
        else if (length > 0)
            append_bits(bits, at, delta, length - 1);
    }
}

static size_t write_deltas(writer *writer, const values *values)
{
    size_t size = 0, at = 0, count = count_of(values), entries = values->entries;
    unsigned width = qc_codebook_width((unsigned)entries);
    uint8_t *lengths = writer->symbols, *order = lengths + count;
    for (size_t row = 0; row < values->rows; row++) {
        take_deltas(values, row, lengths + row * entries, NULL, NULL);
        if (values->order != NULL)
            symbols_of_order(values->order + row * entries, entries, order + row * entries);
    }
    if (!write_stream(writer, &size, lengths, count, qc_delta_width(values->size)) ||
        (values->order != NULL && !write_stream(writer, &size, order, count, width)))
        return NOT_SMALLER;
    for (size_t row = 0; row < values->rows; row++)
        take_deltas(values, row, NULL, writer->out + writer->size + size, &at);
    return size + (at + 7) / 8;
}

/* ---- zero points ---- */

static size_t write_zero_points(writer *writer, const values *values, unsigned width)
{
    size_t size = 0, count = count_of(values);
    for (size_t i = 0; i < count; i++) {
        uint16_t zero = (uint16_t)qc_load16(values->data + 2 * i);
        if (zero >> width != 0)
            return NOT_SMALLER;
        if (width <= 8)
            writer->symbols[i] = (uint8_t)zero;
        else
            memcpy(writer->symbols + 2 * i, &zero, 2);
    }
    return write_stream(writer, &size, writer->symbols, count, width) ? size : NOT_SMALLER;
}

/* ---- the choice ---- */

/* Keep the body just written, of `size` bytes behind a head of `head` bytes, if that is less than
   `best` bytes; it replaces the body that was kept before. Returns the bytes of the best. */
static size_t keep(writer *writer, size_t size, size_t head, unsigned mode, size_t best,
                   qc_coded *coded, uint64_t *features)
{
    uint64_t written = writer->features;
    writer->features = 0;
    if (size == NOT_SMALLER || size + head >= best)
        return best;
    size_t kept = coded->mode != 0 ? coded->size : 0;
    uint8_t *body = writer->out + writer->size - kept;
    memmove(body, writer->out + writer->size, size);
    *coded = (qc_coded){mode, body, size, 0};
    *features = written;
    writer->size = writer->size - kept + size;
    return size + head;
}

static void choose_floats(writer *writer, const values *values, qc_coded *coded, uint64_t *features)
{
    uint64_t used = 0;
    size_t best = count_of(values) * values->size;
    size_t size = write_planes(writer, values);
    best = keep(writer, size, qc_vu_size(size), QC_VALUES_PLANES, best, coded, &used);
    if (values->entries > 1) {
        size = write_deltas(writer, values);
        keep(writer, size, qc_vu_size(size), QC_VALUES_DELTAS, best, coded, &used);
    }
    *features |= used;
}

/* A codebook that was sorted is stored with its order in one way only. */
static qc_status write_permuted(writer *writer, const values *values, qc_coded *coded,
                                uint64_t *features, qc_error *error)
{
    QC_CHECK(is_permutation(values), QC_INVALID, "parameters: order of the codebook", 0, 0, 0);
    size_t size = write_deltas(writer, values);
    QC_GO_ON_IF(!writer->ticker.stopped);
    QC_CHECK(size != NOT_SMALLER, QC_INVALID, "parameters: no coding that is allowed holds them", 0,
             writer->codings, 0);
    uint64_t used = 0;
    keep(writer, size, qc_vu_size(size), QC_VALUES_PERMUTED, NOT_SMALLER, coded, &used);
    *features |= used;
    return QC_OK;
}

static void choose_zero_points(writer *writer, const values *values, unsigned width,
                               qc_coded *coded, uint64_t *features)
{
    uint64_t used = 0;
    size_t size = write_zero_points(writer, values, width);
    keep(writer, size, 0, QC_ZERO_MODE_CODED, 2 * count_of(values), coded, &used);
    *features |= used;
}

/* ---- bounds ---- */

/* Two bodies of each parameter are there at the same time: the best one so far, and one that is
   tried. */
static size_t bound_of(const values *values)
{
    size_t count = count_of(values);
    if (count == 0)
        return 0;
    qc_frame planes = qc_planes_frame(values->dtype, count, 0);
    return 2 * (qc_kind_encoder_of(&planes)->bound(&planes, count) + qc_stream_bound(count, 16) +
                count * values->size);
}

static size_t max_values(const qc_frame *frame)
{
    values all[] = {codebook_of(frame), scales_of(frame), zero_points_of(frame)};
    size_t max = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        max = count_of(&all[i]) > max ? count_of(&all[i]) : max;
    return max;
}

/* For the values of any of the parameters, one after the other. */
static size_t planes_workspace(const qc_frame *frame)
{
    values all[] = {codebook_of(frame), scales_of(frame)};
    size_t max = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t count = count_of(&all[i]);
        if (count == 0)
            continue;
        qc_frame planes = qc_planes_frame(all[i].dtype, count, 0);
        size_t needed = qc_kind_encoder_of(&planes)->workspace(&planes, count);
        max = needed > max ? needed : max;
    }
    return max;
}

size_t qc_parameters_bound(const qc_frame *frame)
{
    values codebook = codebook_of(frame), scales = scales_of(frame), zeros = zero_points_of(frame);
    return bound_of(&codebook) + bound_of(&scales) + bound_of(&zeros);
}

size_t qc_parameters_encode_workspace(const qc_frame *frame)
{
    values codebook = codebook_of(frame), scales = scales_of(frame), zeros = zero_points_of(frame);
    size_t count = max_values(frame);
    return QC_WORKSPACE_ALIGNMENT + planes_workspace(frame) + 2 * count + bytes_of(&codebook) +
           bytes_of(&scales) + bytes_of(&zeros) + QC_STABLE_WORKSPACE(count);
}

qc_status qc_parameters_encode(qc_frame *frame, uint64_t codings, qc_profile profile, void *out,
                               size_t capacity, uint64_t *features, void *workspace,
                               size_t workspace_bytes, qc_error *error)
{
    size_t needed = qc_parameters_encode_workspace(frame), max = qc_max_coded(frame);
    values codebook = codebook_of(frame), scales = scales_of(frame), zeros = zero_points_of(frame);
    QC_CHECK(workspace_bytes >= needed, QC_NO_SPACE, "parameters: workspace", 0, workspace_bytes,
             needed);
    QC_CHECK(capacity >= qc_parameters_bound(frame), QC_NO_SPACE, "parameters: output", 0, capacity,
             qc_parameters_bound(frame));
    qc_coded *coded_books = &frame->codebook.books.coded, *coded_scales = &frame->scales.coded;
    qc_coded *coded_zeros = &frame->zero_points.groups.coded;
    coded_books->mode = coded_scales->mode = coded_zeros->mode = 0;
    int is_fixed = profile == QC_FIXED || profile == QC_FAST;
    QC_CHECK(codebook.order == NULL || !(is_fixed || count_of(&codebook) > max), QC_INVALID,
             "parameters: order of the codebook", 0, count_of(&codebook), max);
    if (is_fixed)
        return QC_OK;
    if (profile == QC_BALANCED && max_values(frame) > FEW_VALUES)
        codings &= ~QC_CODING_MASK(QC_CONTEXTS);
    uint8_t *planes = qc_workspace_align(workspace);
    uint8_t *symbols = planes + planes_workspace(frame);
    uint8_t *scratch = take(&codebook, symbols + 2 * max_values(frame));
    scratch = take(&zeros, take(&scales, scratch));
    writer writer = {.codings = codings,
                     .profile = profile,
                     .out = out,
                     .capacity = capacity,
                     .symbols = symbols,
                     .planes_workspace = planes,
                     .stream_workspace = scratch,
                     .ticker = qc_ticker_of(frame->poll)};
    if (codebook.order != NULL)
        QC_TRY(write_permuted(&writer, &codebook, coded_books, features, error));
    else if (codebook.rows > 0 && count_of(&codebook) <= max)
        choose_floats(&writer, &codebook, coded_books, features);
    if (scales.rows > 0 && scales.rows <= max)
        choose_floats(&writer, &scales, coded_scales, features);
    if (zeros.rows > 0 && zeros.rows <= max)
        choose_zero_points(&writer, &zeros, frame->width, coded_zeros, features);
    QC_GO_ON_IF(!writer.ticker.stopped);
    return QC_OK;
}
