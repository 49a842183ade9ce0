/*
 * Parameters, coded where that takes fewer bytes (docs/format.md, section 5). Every way is tried.
 */
#include "parameters.h"
#include "workspace.h"

/* Balanced: adaptive coding decodes slowly, and parameters are decoded before anything else: so
   it is for up to so many. */
#define FEW_VALUES 4096

/* "Cannot", or not in fewer bytes. */
#define NOT_SMALLER SIZE_MAX

/* One parameter: `rows` of `entries` values. */
typedef struct values {
    const uint8_t *data;
    size_t rows, entries;
    qc_dtype dtype;
    size_t size; /* of a value */
} values;

/* Bodies being written, one after the other, and how. */
typedef struct writer {
    uint64_t codings;
    qc_profile profile;
    uint8_t *out;
    size_t capacity, size;
    uint64_t features; /* of the body that was written last */
    uint8_t *symbols;  /* scratch, one byte or two a value */
    void *stream_workspace;
} writer;

typedef struct entry {
    uint32_t key;
    uint8_t place; /* in its row */
} entry;

static size_t count_of(const values *values) { return values->rows * values->entries; }

static values codebook_of(const qc_frame *frame)
{
    int is_there = frame->kind == QC_CODEBOOK;
    values values = {frame->codebook, is_there ? frame->books : 0, frame->entries,
                     frame->codebook_dtype, qc_dtype_size(frame->codebook_dtype)};
    return values;
}

static values scales_of(const qc_frame *frame)
{
    values values = {frame->scales, frame->scaled ? frame->scale_count : 0, 1, frame->scale_dtype,
                     qc_dtype_size(frame->scale_dtype)};
    return values;
}

static values zero_points_of(const qc_frame *frame)
{
    int is_there = frame->kind == QC_AFFINE && frame->zero_mode == QC_ZERO_MODE_GROUP;
    values values = {frame->zero_points, is_there ? frame->scale_count : 0, 1, QC_U16, 2};
    return values;
}

/* ---- streams ---- */

/* Append a stream. Returns 0 if no coding that is allowed holds the symbols. */
static int write_stream(writer *writer, size_t *size, const void *symbols, size_t count,
                        unsigned width)
{
    size_t written, at = writer->size + *size;
    if (qc_stream_encode(symbols, count, width, writer->codings, writer->profile, writer->out + at,
                         writer->capacity - at, &written, writer->stream_workspace, NULL) != QC_OK)
        return 0;
    writer->features |= QC_CODING_MASK(writer->out[at]);
    *size += written;
    return 1;
}

/* ---- planes ---- */

static size_t write_planes(writer *writer, const values *values)
{
    size_t size = 0, count = count_of(values);
    unsigned bits = 8 * (unsigned)values->size;
    for (unsigned shift = bits; shift > 0;) {
        shift -= 8;
        for (size_t i = 0; i < count; i++) {
            uint32_t word = qc_load_value(values->data + i * values->size, values->size);
            if (qc_is_rotated(values->dtype))
                word = word << 1 | word >> (bits - 1);
            writer->symbols[i] = (uint8_t)(word >> shift);
        }
        if (!write_stream(writer, &size, writer->symbols, count, 8))
            return NOT_SMALLER;
    }
    return size;
}

/* ---- ascending and permuted ---- */

/* The entries of a row in the order of their keys, equal ones as they stand. */
static void sort_row(const values *values, size_t row, entry *sorted)
{
    const uint8_t *data = values->data + row * values->entries * values->size;
    for (size_t i = 0; i < values->entries; i++) {
        uint32_t bits = qc_load_value(data + i * values->size, values->size);
        entry new = {qc_key_of(bits, values->size), (uint8_t)i};
        size_t at = i;
        for (; at > 0 && sorted[at - 1].key > new.key; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = new;
    }
}

/* The symbols that lead from each place's entry to the next one's, round those that are left. */
static void order_of(const entry *sorted, size_t entries, uint8_t *symbols)
{
    uint8_t left[QC_MAX_ENTRIES]; /* places, in the order of keys */
    size_t at = 0;
    for (size_t i = 0; i < entries; i++)
        left[i] = sorted[i].place;
    for (size_t place = 0, count = entries; place < entries; place++, count--) {
        const uint8_t *found = memchr(left, (int)place, count);
        size_t next = (size_t)(found - left);
        symbols[place] = (uint8_t)(next >= at ? next - at : next + count - at);
        at = next;
        memmove(left + at, left + at + 1, count - at - 1);
    }
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

/* The bit lengths of the deltas, and whether any value stands before one of a smaller key. */
static int length_symbols(const values *values, uint8_t *symbols)
{
    entry sorted[QC_MAX_ENTRIES];
    int is_permuted = 0;
    for (size_t row = 0; row < values->rows; row++) {
        uint32_t before = 0;
        sort_row(values, row, sorted);
        for (size_t i = 0; i < values->entries; i++) {
            is_permuted |= sorted[i].place != i;
            *symbols++ = (uint8_t)qc_bit_length(sorted[i].key - before);
            before = sorted[i].key;
        }
    }
    return is_permuted;
}

static void order_symbols(const values *values, uint8_t *symbols)
{
    entry sorted[QC_MAX_ENTRIES];
    for (size_t row = 0; row < values->rows; row++, symbols += values->entries) {
        sort_row(values, row, sorted);
        order_of(sorted, values->entries, symbols);
    }
}

static size_t write_delta_bits(const values *values, uint8_t *out)
{
    entry sorted[QC_MAX_ENTRIES];
    size_t at = 0;
    for (size_t row = 0; row < values->rows; row++) {
        uint32_t before = 0;
        sort_row(values, row, sorted);
        for (size_t i = 0; i < values->entries; i++) {
            uint32_t delta = sorted[i].key - before;
            append_bits(out, &at, delta, delta > 0 ? qc_bit_length(delta) - 1 : 0);
            before = sorted[i].key;
        }
    }
    return (at + 7) / 8;
}

static size_t write_sorted(writer *writer, const values *values, unsigned *how)
{
    size_t size = 0, count = count_of(values);
    int is_permuted = length_symbols(values, writer->symbols);
    *how = is_permuted ? QC_FLOATS_PERMUTED : QC_FLOATS_ASCENDING;
    if (!write_stream(writer, &size, writer->symbols, count, qc_delta_width(values->size)))
        return NOT_SMALLER;
    if (is_permuted) {
        order_symbols(values, writer->symbols);
        if (!write_stream(writer, &size, writer->symbols, count,
                          qc_codebook_width((unsigned)values->entries)))
            return NOT_SMALLER;
    }
    return size + write_delta_bits(values, writer->out + writer->size + size);
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

/* Keep the body just written, of `size` bytes that `head` more precede, if that is less than
   `best` bytes; it takes the place of the one that was kept before. Gives what is then best. */
static size_t keep(writer *writer, size_t size, size_t head, unsigned how, size_t best,
                   qc_coded *coded, uint64_t *features)
{
    uint64_t written = writer->features;
    writer->features = 0;
    if (size == NOT_SMALLER || size + head >= best)
        return best;
    size_t kept = coded->how != 0 ? coded->size : 0;
    uint8_t *body = writer->out + writer->size - kept;
    memmove(body, writer->out + writer->size, size);
    *coded = (qc_coded){how, body, size, 0};
    *features = written;
    writer->size = writer->size - kept + size;
    return size + head;
}

static void choose_floats(writer *writer, const values *values, qc_coded *coded, uint64_t *features)
{
    uint64_t used = 0;
    size_t best = count_of(values) * values->size;
    size_t size = write_planes(writer, values);
    best = keep(writer, size, qc_vu_size(size), QC_FLOATS_PLANES, best, coded, &used);
    if (values->entries > 1) {
        unsigned how;
        size = write_sorted(writer, values, &how);
        keep(writer, size, qc_vu_size(size), how, best, coded, &used);
    }
    *features |= used;
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

/* Two ways of each parameter stand side by side, the better one and one that is tried. */
static size_t bound_of(const values *values)
{
    size_t count = count_of(values);
    if (count == 0)
        return 0;
    return 2 * (values->size * qc_stream_bound(count, 8) + qc_stream_bound(count, 16) +
                count * values->size);
}

static size_t most_values(const qc_frame *frame)
{
    values all[] = {codebook_of(frame), scales_of(frame), zero_points_of(frame)};
    size_t most = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        most = count_of(&all[i]) > most ? count_of(&all[i]) : most;
    return most;
}

size_t qc_parameters_bound(const qc_frame *frame)
{
    values codebook = codebook_of(frame), scales = scales_of(frame), zeros = zero_points_of(frame);
    return bound_of(&codebook) + bound_of(&scales) + bound_of(&zeros);
}

size_t qc_parameters_encode_workspace(const qc_frame *frame)
{
    size_t count = most_values(frame);
    return QC_STREAM_ENCODE_WORKSPACE(count) + 2 * count + QC_WORKSPACE_ALIGNMENT;
}

qc_status qc_parameters_encode(qc_frame *frame, uint64_t codings, qc_profile profile, void *out,
                               size_t capacity, uint64_t *features, void *workspace,
                               size_t workspace_bytes, qc_error *error)
{
    size_t needed = qc_parameters_encode_workspace(frame), most = qc_most_coded(frame);
    values codebook = codebook_of(frame), scales = scales_of(frame), zeros = zero_points_of(frame);
    QC_CHECK(workspace_bytes >= needed, QC_NO_SPACE, "parameters: workspace", 0, workspace_bytes,
             needed);
    QC_CHECK(capacity >= qc_parameters_bound(frame), QC_NO_SPACE, "parameters: output", 0, capacity,
             qc_parameters_bound(frame));
    frame->coded_codebook.how = frame->coded_scales.how = frame->coded_zero_points.how = 0;
    if (profile == QC_FIXED || profile == QC_FAST)
        return QC_OK;
    if (profile == QC_BALANCED && most_values(frame) > FEW_VALUES)
        codings &= ~QC_CODING_MASK(QC_ADAPTIVE);
    uint8_t *symbols = qc_workspace_align(workspace);
    writer writer = {codings, profile, out,     capacity,
                     0,       0,       symbols, symbols + 2 * most_values(frame)};
    if (codebook.rows > 0 && count_of(&codebook) <= most)
        choose_floats(&writer, &codebook, &frame->coded_codebook, features);
    if (scales.rows > 0 && scales.rows <= most)
        choose_floats(&writer, &scales, &frame->coded_scales, features);
    if (zeros.rows > 0 && zeros.rows <= most)
        choose_zero_points(&writer, &zeros, frame->width, &frame->coded_zero_points, features);
    return QC_OK;
}
