/*
 * One chunk, encoded: positions and values as streams, each in the coding that the profile chooses.
 */
#include "delta_encode.h"
#include "fields_encode.h"
#include "frame_layout.h"
#include "routed_encode.h"

/* Scratch memory, handed out front to back. */
typedef struct arena {
    uint8_t *next;
    size_t left;
} arena;

#define ARENA_ALIGNMENT 16

/* A router has fields and maps: of so few bytes none is saved. */
#define ROUTED_LEAST_BYTES 64

/* Balanced: a router, which decodes slowly, is for streams below this many bytes. */
#define ROUTED_SMALL_STREAM ((size_t)64 * 1024)

/* So many floats of a chunk take time to decode; so many more need vectors. */
#define MANY_FLOATS    ((size_t)16 * 1024)
#define SO_MANY_FLOATS ((size_t)96 * 1024)

/* Exponents of shorter rows have no classes. */
#define LEAST_CLASSED_ROW 128

static size_t rounded(size_t size)
{
    return (size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

/* qc_chunk_encode has checked that all of them fit. */
static void *take(arena *arena, size_t size)
{
    void *memory = arena->next;
    arena->next += rounded(size);
    arena->left -= rounded(size);
    return memory;
}

/* The chunk that is being written, and what its streams are made from. */
typedef struct encoder {
    const qc_frame *frame;
    const qc_chunk_source *source;
    qc_encoding encoding;
    uint8_t *out;
    size_t capacity, size;
    uint64_t features;
    void *stream_workspace, *routed_workspace;
    qc_error *error;
} encoder;

static size_t value_size(const qc_frame *frame)
{
    return qc_is_bytes(frame) ? frame->item_size : qc_symbol_size(frame->width);
}

static int has_gaps(const qc_frame *frame)
{
    return frame->positions == QC_GAPS || frame->positions == QC_CSR;
}

/* Fillers bridge runs of more than the largest gap, so there are never more than this. */
static size_t most_entries(const qc_frame *frame, const qc_chunk_source *source)
{
    return source->entries + (has_gaps(frame) ? source->elements >> frame->gap_width : 0);
}

/* The symbols of the longest stream. */
static size_t most_symbols(const qc_frame *frame, const qc_chunk_source *source)
{
    int is_bytewise = frame->kind == QC_RAW || frame->kind == QC_DELTA;
    size_t symbols = most_entries(frame, source) * (is_bytewise ? frame->item_size : 1);
    return symbols > source->elements ? symbols : source->elements;
}

/* ---- split streams: where the symbols of a mask, and of dense codes, stand ---- */

/* Whether every chunk begins where a block of so many elements does. */
static int is_whole(const qc_frame *frame, size_t elements)
{
    return elements > 1 && elements <= frame->elements && frame->chunk_elements % elements == 0;
}

/* Of a symbol for each element. */
static qc_geometry element_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    if (frame->row_elements <= QC_SPLIT_MAX_COLUMNS && is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements;
    if (frame->ndim < 3)
        return geometry;
    uint64_t width = frame->dims[frame->ndim - 1];
    uint64_t height = frame->ndim > 3 ? frame->dims[frame->ndim - 2] : 1;
    if (width <= QC_SPLIT_MAX_SIDE && height <= QC_SPLIT_MAX_SIDE &&
        is_whole(frame, (size_t)(width * height))) {
        geometry.kernel_width = (unsigned)width;
        geometry.kernel_height = (unsigned)height;
    }
    return geometry;
}

static qc_geometry code_geometry(const qc_frame *frame)
{
    int has_place = frame->positions == QC_DENSE && !qc_is_bytes(frame);
    return has_place && frame->width <= QC_SPLIT_MAX_WIDTH ? element_geometry(frame)
                                                           : (qc_geometry){0, 0, 0};
}

/* A symbol of a mask may stand for four elements of one row. */
static qc_geometry mask_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    if (frame->positions == QC_BITS)
        return element_geometry(frame);
    if (frame->positions == QC_MASK && frame->row_elements % 4 == 0 &&
        frame->row_elements / 4 <= QC_SPLIT_MAX_COLUMNS && is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements / 4;
    return geometry;
}

/* Rows of exponents may have classes, if the map is small beside them. */
static qc_geometry exponent_geometry(const qc_frame *frame)
{
    qc_geometry geometry = {0, 0, 0};
    int is_float = frame->dtype <= QC_F64 && (frame->kind == QC_PLANES || frame->kind == QC_FIELDS);
    if (frame->positions == QC_DENSE && is_float && frame->row_elements >= LEAST_CLASSED_ROW &&
        is_whole(frame, frame->row_elements))
        geometry.row_length = frame->row_elements;
    return geometry;
}

static int is_located(const qc_geometry *geometry)
{
    return geometry->row_length > 0 || geometry->kernel_width > 0;
}

/* What a chunk's one stream that may be split needs. */
static size_t routed_workspace(const qc_frame *frame, const qc_chunk_source *source)
{
    unsigned mask_width = qc_mask_width(frame->positions);
    qc_geometry geometry = mask_width > 0 ? mask_geometry(frame) : code_geometry(frame);
    size_t count =
        mask_width > 0 ? qc_mask_symbols(source->elements, mask_width) : source->elements;
    qc_split_input input = {NULL, count, frame->width, geometry};
    if (qc_is_bytes(frame) && mask_width == 0) {
        input.geometry = exponent_geometry(frame);
        return is_located(&input.geometry) ? qc_routed_rows_workspace(&input) : 0;
    }
    return is_located(&geometry) ? qc_routed_workspace(&input) : 0;
}

/* Whether so many floats are kept that their streams have to decode fast. */
static int has_many_floats(const encoder *encoder, size_t entries)
{
    const qc_frame *frame = encoder->frame;
    return qc_is_bytes(frame) && frame->dtype <= QC_F64 && entries >= MANY_FLOATS;
}

/* Codings for floats: adaptive coding would save about 0.1 % of many, and decode twenty times as
   slowly as plain Huffman. */
static uint64_t float_codings(const encoder *encoder, size_t entries)
{
    uint64_t slow = has_many_floats(encoder, entries) ? QC_CODING_MASK(QC_ADAPTIVE) : 0;
    return encoder->encoding.codings & ~slow;
}

/* Balanced: of the codings that are fast enough the smallest, as exponents take a small part of the
   time. Plain Huffman is not where it would take longer than everything else together; but beside
   fewer symbols the heads of lanes weigh more. */
static qc_encoding encoding_of_exponents(const encoder *encoder, size_t entries)
{
    qc_encoding encoding = encoder->encoding;
    encoding.codings = float_codings(encoder, entries);
    if (encoding.profile == QC_BALANCED && has_many_floats(encoder, entries)) {
        if (entries >= SO_MANY_FLOATS)
            encoding.codings &= ~QC_CODING_MASK(QC_HUFFMAN);
        encoding.profile = QC_SMALL;
    }
    return encoding;
}

/* ---- bounds ---- */

size_t qc_chunk_bound(const qc_frame *frame, const qc_chunk_source *source)
{
    size_t entries = most_entries(frame, source), bound = QC_VU_MAX_BYTES;
    if (frame->kind == QC_RAW)
        bound += qc_stream_bound(entries * frame->item_size, frame->width);
    else if (frame->kind == QC_DELTA) /* codes, low bits, escapes */
        bound += QC_VU_MAX_BYTES + qc_stream_bound(entries, 8) +
                 qc_stream_bound(entries * (frame->item_size - 1), 8) +
                 qc_stream_bound(entries * frame->item_size, 8);
    else
        bound += frame->value_streams * qc_stream_bound(entries, frame->width);
    if (frame->kind == QC_FIELDS)
        bound += 1 + 2 * QC_VU_MAX_BYTES + qc_stream_bound(entries, qc_exponent_bits(frame->dtype));
    if (has_gaps(frame))
        bound += qc_stream_bound(entries, frame->gap_width);
    unsigned mask_width = qc_mask_width(frame->positions);
    if (mask_width > 0)
        bound += qc_stream_bound(qc_mask_symbols(source->elements, mask_width), mask_width);
    if (frame->positions == QC_CSR)
        bound += qc_stream_bound(source->elements, 16);
    return bound;
}

static size_t low_room(const qc_frame *frame, size_t entries)
{
    return entries * (frame->item_size - 1) + 8;
}

static size_t delta_workspace(const qc_frame *frame, size_t entries)
{
    return rounded(entries) + rounded(low_room(frame, entries)) +
           rounded(entries * frame->item_size) +
           rounded((QC_DELTA_HISTORY + entries) * sizeof(int32_t));
}

size_t qc_chunk_encode_workspace(const qc_frame *frame, const qc_chunk_source *source)
{
    size_t entries = most_entries(frame, source), bytes = ARENA_ALIGNMENT;
    bytes += rounded(QC_STREAM_ENCODE_WORKSPACE(most_symbols(frame, source)));
    bytes += rounded(routed_workspace(frame, source));
    bytes += rounded(entries * value_size(frame)); /* values with fillers */
    if (qc_is_bytes(frame))
        bytes += rounded(entries * frame->item_size) + rounded(entries); /* elements, a plane */
    if (frame->kind == QC_DELTA)
        bytes += delta_workspace(frame, entries);
    if (frame->kind == QC_FIELDS) /* words, the rest, escapes */
        bytes += 2 * rounded(2 * entries) + rounded(entries) +
                 rounded(qc_fields_plan_workspace(frame->dtype));
    if (has_gaps(frame))
        bytes += rounded(2 * entries) + rounded(4 * entries) + rounded(4 * source->entries);
    unsigned mask_width = qc_mask_width(frame->positions);
    if (mask_width > 0)
        bytes += rounded(qc_mask_symbols(source->elements, mask_width));
    if (frame->positions == QC_CSR)
        bytes += rounded(2 * source->elements);
    return bytes;
}

/* ---- streams ---- */

static qc_status write_stream_in(encoder *encoder, const void *symbols, size_t count,
                                 unsigned width, const qc_encoding *encoding)
{
    size_t size;
    qc_error *error = encoder->error;
    QC_TRY(qc_stream_encode(symbols, count, width, encoding->codings, encoding->profile,
                            encoder->out + encoder->size, encoder->capacity - encoder->size, &size,
                            encoder->stream_workspace, error));
    encoder->features |= QC_CODING_MASK(encoder->out[encoder->size]);
    encoder->size += size;
    return QC_OK;
}

static qc_status write_stream(encoder *encoder, const void *symbols, size_t count, unsigned width)
{
    return write_stream_in(encoder, symbols, count, width, &encoder->encoding);
}

/* What a coding with a router must stay within, or 0 where it is not tried. They decode as slowly
   as adaptive coding does, so balanced takes them where it would take that, and if they save a
   64th. */
static size_t routed_limit(const encoder *encoder, qc_coding coding, size_t size)
{
    const qc_encoding *encoding = &encoder->encoding;
    uint64_t slow = QC_CODING_MASK(coding) | QC_CODING_MASK(QC_ADAPTIVE);
    if ((encoding->codings & QC_CODING_MASK(coding)) == 0 || encoding->effort < QC_EFFORT_PLACES ||
        size <= ROUTED_LEAST_BYTES)
        return 0;
    if (encoding->profile == QC_SMALL)
        return size - 1;
    if (encoding->profile != QC_BALANCED || (encoding->codings & slow) != slow)
        return 0;
    return size < ROUTED_SMALL_STREAM ? size - size / 64 : 0;
}

/* A stream whose symbols stand somewhere: by a router, if that is smaller. */
static qc_status write_located(encoder *encoder, const void *symbols, size_t count, unsigned width,
                               qc_geometry geometry)
{
    qc_error *error = encoder->error;
    size_t at = encoder->size, routed = 0;
    uint64_t features = encoder->features;
    QC_TRY(write_stream(encoder, symbols, count, width));
    size_t size = encoder->size - at;
    if (!is_located(&geometry) || geometry.row_length > count)
        return QC_OK;
    qc_routed_request request = {{symbols, count, width, geometry},
                                 &encoder->encoding,
                                 routed_limit(encoder, QC_CONTEXTS, size),
                                 routed_limit(encoder, QC_SPLIT, size),
                                 encoder->routed_workspace,
                                 encoder->stream_workspace};
    if (request.contexts_limit == 0 && request.split_limit == 0)
        return QC_OK;
    QC_TRY(qc_routed_encode(&request, encoder->out + at, &routed, &features, error));
    if (routed > 0) {
        encoder->size = at + routed;
        encoder->features = features;
    }
    return QC_OK;
}

/* The exponents of floats: in classes of rows, if that promises to be smaller. */
static qc_status write_exponents(encoder *encoder, const uint8_t *symbols, size_t count)
{
    const qc_frame *frame = encoder->frame;
    qc_error *error = encoder->error;
    qc_encoding encoding = encoding_of_exponents(encoder, count);
    qc_profile profile = encoder->encoding.profile;
    qc_geometry geometry = exponent_geometry(frame);
    qc_routed_request request = {{symbols, count, frame->width, geometry},
                                 &encoding,
                                 0,
                                 qc_stream_bound(count, frame->width),
                                 encoder->routed_workspace,
                                 encoder->stream_workspace};
    int can_split = (encoding.codings & QC_CODING_MASK(QC_SPLIT)) != 0 &&
                    encoding.effort >= QC_EFFORT_PLACES &&
                    (profile == QC_BALANCED || profile == QC_SMALL);
    size_t size = 0;
    if (can_split && is_located(&geometry) && geometry.row_length <= count)
        QC_TRY(qc_routed_encode_rows(&request, encoder->out + encoder->size, &size,
                                     &encoder->features, error));
    encoder->size += size;
    return size > 0 ? QC_OK : write_stream_in(encoder, symbols, count, frame->width, &encoding);
}

/* ---- positions ---- */

/* csr: row counts, and the gaps of every row. Gives the entries with fillers. */
static qc_status relative_rows(encoder *encoder, arena *arena, uint8_t *gaps, uint32_t *entry_of,
                               uint16_t *row_counts, size_t *entries)
{
    const qc_chunk_source *source = encoder->source;
    qc_error *error = encoder->error;
    unsigned width = encoder->frame->gap_width;
    size_t row_elements = encoder->frame->row_elements, taken = 0, written = 0;
    size_t rows = source->elements > 0 ? source->elements / row_elements : 0;
    size_t most = ((size_t)1 << qc_row_count_width(row_elements)) - 1;
    uint32_t *columns = take(arena, 4 * source->entries);
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
                                        error));
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
static qc_status with_fillers(const encoder *encoder, const uint32_t *entry_of, size_t entries,
                              uint8_t *out)
{
    size_t size = value_size(encoder->frame);
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

static qc_status write_gaps(encoder *encoder, arena *arena, const void **values, size_t *entries)
{
    const qc_frame *frame = encoder->frame;
    const qc_chunk_source *source = encoder->source;
    size_t most = most_entries(frame, source);
    uint8_t *gaps = take(arena, 2 * most);
    uint32_t *entry_of = take(arena, 4 * most);
    uint8_t *filled = take(arena, most * value_size(frame));
    if (frame->positions == QC_CSR) {
        uint16_t *row_counts = take(arena, 2 * source->elements);
        size_t rows = source->elements > 0 ? source->elements / frame->row_elements : 0;
        unsigned width = qc_row_count_width(frame->row_elements);
        QC_TRY(relative_rows(encoder, arena, gaps, entry_of, row_counts, entries));
        encoder->size += qc_write_vu(encoder->out, *entries);
        if (width <= 8) /* narrow in place: the reader of entry i has passed byte i */
            for (size_t row = 0; row < rows; row++)
                ((uint8_t *)row_counts)[row] = (uint8_t)row_counts[row];
        QC_TRY(write_stream(encoder, row_counts, rows, width));
    } else {
        *entries = qc_relative_index_entries(source->positions, source->entries, frame->gap_width);
        encoder->size += qc_write_vu(encoder->out, *entries);
        QC_TRY(qc_relative_index_encode(source->positions, source->entries, frame->gap_width, gaps,
                                        entry_of, encoder->error));
    }
    QC_TRY(write_stream(encoder, gaps, *entries, frame->gap_width));
    QC_TRY(with_fillers(encoder, entry_of, *entries, filled));
    *values = filled;
    return QC_OK;
}

static qc_status write_mask(encoder *encoder, arena *arena)
{
    const qc_chunk_source *source = encoder->source;
    unsigned width = qc_mask_width(encoder->frame->positions);
    size_t symbols = qc_mask_symbols(source->elements, width);
    uint8_t *mask = take(arena, symbols);
    if (symbols > 0)
        memset(mask, 0, symbols);
    for (size_t i = 0; i < source->entries; i++)
        mask[source->positions[i] / width] |= (uint8_t)(1u << source->positions[i] % width);
    encoder->size += qc_write_vu(encoder->out, source->entries);
    return write_located(encoder, mask, symbols, width, mask_geometry(encoder->frame));
}

/* ---- values ---- */

/* Byte `plane` (0: the most significant) of every element, rotated left by one if it is a float.
   Each size has words of its own, so that vectors hold as many as they can. */
static void split_plane(const qc_frame *frame, const uint8_t *restrict elements, size_t count,
                        unsigned plane, uint8_t *restrict out)
{
    unsigned size = (unsigned)frame->item_size, bits = 8 * size, shift = bits - 8 - 8 * plane;
    unsigned left = frame->dtype <= QC_F64, right = left ? bits - 1 : 0;
    if (size == 1)
        memcpy(out, elements, count);
    else if (size == 2)
        for (size_t i = 0; i < count; i++) {
            uint16_t word = (uint16_t)qc_load16(elements + 2 * i);
            out[i] = (uint8_t)((uint16_t)(word << left | word >> right) >> shift);
        }
    else if (size == 4)
        for (size_t i = 0; i < count; i++) {
            uint32_t word = qc_load32(elements + 4 * i);
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
    else
        for (size_t i = 0; i < count; i++) {
            uint64_t word = qc_load64(elements + 8 * i);
            out[i] = (uint8_t)((word << left | word >> right) >> shift);
        }
}

/* Head, escapes, and streams 0 and 1. */
static qc_status write_fields(encoder *encoder, arena *arena, const uint8_t *elements,
                              size_t entries, uint8_t *symbols)
{
    const qc_frame *frame = encoder->frame;
    uint16_t *words = take(arena, 2 * entries);
    void *escapes = take(arena, 2 * entries);
    uint8_t *rest = take(arena, entries);
    void *workspace = take(arena, qc_fields_plan_workspace(frame->dtype));
    qc_encoding encoding = encoding_of_exponents(encoder, entries);
    qc_fields fields;
    qc_upper_words(elements, entries, frame->item_size, words);
    qc_fields_plan(words, entries, frame->dtype, encoding.codings, encoding.profile, &fields,
                   workspace, encoder->stream_workspace);
    size_t escaped = qc_fields_take_apart(&fields, words, entries, symbols, rest);
    if (escaped > 0)
        qc_fields_escapes(&fields, words, symbols, entries, escapes);
    encoder->out[encoder->size++] = (uint8_t)fields.mantissa_bits;
    encoder->size += qc_write_vu(encoder->out + encoder->size, fields.base);
    encoder->size += qc_write_vu(encoder->out + encoder->size, escaped);
    QC_TRY(write_stream(encoder, escapes, escaped, fields.exponent_bits));
    QC_TRY(write_exponents(encoder, symbols, entries));
    return write_stream(encoder, rest, entries, fields.rest_bits);
}

static qc_status write_delta(encoder *encoder, arena *arena, const void *values, size_t entries)
{
    const qc_frame *frame = encoder->frame;
    size_t item = frame->item_size;
    qc_delta_symbols symbols;
    symbols.codes = take(arena, entries);
    symbols.low = take(arena, low_room(frame, entries));
    symbols.escapes = take(arena, entries * item);
    symbols.steps = take(arena, (QC_DELTA_HISTORY + entries) * sizeof(int32_t));
    qc_delta_split(frame, values, (const uint8_t *)frame->base + encoder->source->first * item,
                   entries, &symbols);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.low_bytes);
    encoder->size += qc_write_vu(encoder->out + encoder->size, symbols.escape_count);
    QC_TRY(write_stream(encoder, symbols.codes, entries, 8));
    QC_TRY(write_stream(encoder, symbols.low, symbols.low_bytes, 8));
    return write_stream(encoder, symbols.escapes, symbols.escape_count * item, 8);
}

static qc_status write_values(encoder *encoder, arena *arena, const void *values, size_t entries)
{
    const qc_frame *frame = encoder->frame;
    if (!qc_is_bytes(frame))
        return write_located(encoder, values, entries, frame->width, code_geometry(frame));
    if (frame->kind == QC_DELTA)
        return write_delta(encoder, arena, values, entries);
    encoder->encoding.codings = float_codings(encoder, entries);
    uint8_t *elements = take(arena, entries * frame->item_size);
    if (entries > 0)
        memcpy(elements, values, entries * frame->item_size);
    qc_swap_if_big_endian(elements, frame->item_size, entries);
    if (frame->kind == QC_RAW)
        return write_stream(encoder, elements, entries * frame->item_size, frame->width);
    uint8_t *symbols = take(arena, entries);
    unsigned plane = 0;
    if (frame->kind == QC_FIELDS) {
        QC_TRY(write_fields(encoder, arena, elements, entries, symbols));
        plane = 2;
    }
    for (; plane < frame->value_streams; plane++) {
        split_plane(frame, elements, entries, plane, symbols);
        QC_TRY(plane == 0 ? write_exponents(encoder, symbols, entries)
                          : write_stream(encoder, symbols, entries, frame->width));
    }
    return QC_OK;
}

static qc_status check_source(const qc_frame *frame, const qc_chunk_source *source, qc_error *error)
{
    const uint8_t *codes = (const uint8_t *)source->values;
    QC_CHECK(source->entries <= source->elements, QC_INVALID, "encode: stored elements", 0,
             source->entries, source->elements);
    QC_CHECK(frame->positions != QC_DENSE || source->entries == source->elements, QC_INVALID,
             "encode: dense stores every element", 0, source->entries, source->elements);
    QC_CHECK(source->first <= frame->elements &&
                 source->elements <= frame->elements - source->first,
             QC_INVALID, "encode: elements of the chunk", 0, source->first, frame->elements);
    for (size_t i = 0; frame->positions != QC_DENSE && i < source->entries; i++)
        QC_CHECK(source->positions[i] < source->elements &&
                     (i == 0 || source->positions[i] > source->positions[i - 1]),
                 QC_INVALID, "encode: positions ascend and lie in the chunk", i,
                 source->positions[i], source->elements);
    for (size_t i = 0; frame->kind == QC_CODEBOOK && i < source->entries; i++)
        QC_CHECK(codes[i] < frame->entries, QC_INVALID, "encode: code without an entry", i,
                 codes[i], frame->entries - 1);
    return QC_OK;
}

qc_status qc_chunk_encode(const qc_frame *frame, const qc_chunk_source *source,
                          const qc_encoding *encoding, void *out, size_t capacity, size_t *size,
                          uint64_t *features, void *workspace, size_t workspace_bytes,
                          qc_error *error)
{
    size_t needed = qc_chunk_encode_workspace(frame, source), entries = source->entries;
    const void *values = source->values;
    QC_CHECK(workspace_bytes >= needed, QC_NO_SPACE, "encode: workspace", 0, workspace_bytes,
             needed);
    QC_CHECK(capacity >= qc_chunk_bound(frame, source), QC_NO_SPACE, "encode: output", 0, capacity,
             qc_chunk_bound(frame, source));
    QC_CHECK(encoding->effort >= 1 && encoding->effort <= QC_EFFORT_MOST, QC_INVALID,
             "encode: effort", 0, encoding->effort, QC_EFFORT_MOST);
    QC_TRY(check_source(frame, source, error));
    size_t step = (ARENA_ALIGNMENT - (uintptr_t)workspace % ARENA_ALIGNMENT) % ARENA_ALIGNMENT;
    arena arena = {(uint8_t *)workspace + step, workspace_bytes - step};
    encoder encoder = {frame, source, *encoding, out, capacity, 0, 0, NULL, NULL, error};
    encoder.stream_workspace =
        take(&arena, QC_STREAM_ENCODE_WORKSPACE(most_symbols(frame, source)));
    encoder.routed_workspace = take(&arena, routed_workspace(frame, source));
    if (has_gaps(frame))
        QC_TRY(write_gaps(&encoder, &arena, &values, &entries));
    else if (qc_mask_width(frame->positions) > 0)
        QC_TRY(write_mask(&encoder, &arena));
    QC_TRY(write_values(&encoder, &arena, values, entries));
    *size = encoder.size;
    *features |= encoder.features;
    return QC_OK;
}
