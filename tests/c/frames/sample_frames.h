/*
 * Tensors of every kind, in every form of positions and every coding, small enough to be encoded
 * and decoded hundreds of times a second.
 */
#ifndef QC_TEST_SAMPLE_FRAMES_H
#define QC_TEST_SAMPLE_FRAMES_H

#include "../support.h"
#include "base/bytes.h"

enum { SAMPLE_ROWS = 30, SAMPLE_COLUMNS = 128, SAMPLE_ELEMENTS = SAMPLE_ROWS * SAMPLE_COLUMNS };
enum { SAMPLE_CHUNK = 10 * SAMPLE_COLUMNS, SAMPLE_CHUNKS = 3, SAMPLE_ITEM = 8 };

/* What a tensor is made from: exact in size, so that each can be changed by another thread. */
typedef struct sample {
    uint8_t values[SAMPLE_ELEMENTS * SAMPLE_ITEM];
    uint32_t positions[SAMPLE_ELEMENTS]; /* from the chunk's start; a third of the elements */
    size_t stored[SAMPLE_CHUNKS];
    uint8_t base[SAMPLE_ELEMENTS * SAMPLE_ITEM];
    uint8_t codebook[4 * 256 * 3], order[256 * 3], scales[4 * SAMPLE_ROWS];
    uint8_t zero_points[2 * SAMPLE_ROWS], digest[QC_DELTA_DIGEST_BYTES];
    uint8_t bodies[1 << 17]; /* of coded parameters */
    uint8_t chunks[SAMPLE_CHUNKS][1 << 17];
} sample;

/* One way to store it. */
typedef struct sample_way {
    qc_dtype dtype;
    qc_kind kind;
    unsigned width, entries; /* affine; codebook */
    size_t books;
    int scaled;
} sample_way;

static const sample_way sample_ways[] = {
    {QC_F32, QC_BYTES, 0, 0, 0, 0},       {QC_BOOL, QC_BYTES, 0, 0, 0, 0},
    {QC_F32, QC_PLANES, 0, 0, 0, 0},      {QC_F64, QC_PLANES, 0, 0, 0, 0},
    {QC_F16, QC_AFFINE, 4, 0, 0, 0},      {QC_F32, QC_AFFINE, 8, 0, 0, 1},
    {QC_F32, QC_AFFINE, 11, 0, 0, 1},     {QC_F32, QC_CODEBOOK, 0, 13, 1, 0},
    {QC_F32, QC_CODEBOOK, 0, 200, 1, 1},  {QC_F32, QC_CODEBOOK, 0, 200, 3, 0},
    {QC_BF16, QC_CODEBOOK, 0, 256, 1, 0}, {QC_F32, QC_DELTA, 0, 0, 0, 0},
    {QC_F64, QC_DELTA, 0, 0, 0, 0},       {QC_BF16, QC_PLANES, 0, 0, 0, 0},
    {QC_U32, QC_PLANES, 0, 0, 0, 0},      {QC_I16, QC_PLANES, 0, 0, 0, 0},
    {QC_F32, QC_PLANES, 0, 0, 0, 1},      {QC_BF16, QC_PLANES, 0, 0, 0, 1},
};
#define SAMPLE_WAYS (sizeof sample_ways / sizeof *sample_ways)

/* The codings that a sample may use, beside constant and bitpacked. */
static const uint64_t sample_codings[] = {
    0,
    QC_CODING_MASK(QC_HUFFMAN),
    QC_CODING_MASK(QC_CONTEXTS),
    QC_CODING_MASK(QC_LANES_HUFFMAN),
    QC_CODING_MASK(QC_LANES_TANS),
    QC_CODING_MASK(QC_SPLIT) | QC_CODING_MASK(QC_HUFFMAN),
};
#define SAMPLE_CODINGS (sizeof sample_codings / sizeof *sample_codings)

static inline int sample_has_codes(const sample_way *way)
{
    return way->kind == QC_AFFINE || way->kind == QC_CODEBOOK;
}

/* The type of elements, where elements are stored. */
static inline qc_dtype sample_dtype(const sample_way *way)
{
    return way->kind == QC_PLANES && way->scaled ? QC_F16 : way->dtype;
}

static inline void fill_floats(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)(1 + i) / 16;
        memcpy(bytes + 4 * i, &value, 4);
        qc_swap_if_big_endian(bytes + 4 * i, 4, 1);
    }
}

/* Small numbers are frequent; floats differ in their low bits. */
static inline void fill_sample(sample *s, const sample_way *way)
{
    qc_dtype dtype = sample_dtype(way);
    size_t item = qc_dtype_size(dtype);
    unsigned limit = way->kind == QC_AFFINE ? 1u << way->width : way->entries;
    for (size_t i = 0; i < SAMPLE_ELEMENTS; i++) {
        unsigned drawn = (unsigned)(random_bits() >> 20) & (unsigned)(random_bits() >> 20);
        if (sample_has_codes(way) && way->width <= 8) {
            s->values[i] = (uint8_t)(drawn % limit);
        } else if (sample_has_codes(way)) {
            uint16_t code = (uint16_t)(drawn % limit);
            memcpy(s->values + 2 * i, &code, 2);
        } else if (dtype == QC_BOOL) {
            s->values[i] = drawn & 1;
        } else {
            double wide = (1 + (drawn & 1023)) / 512.0;
            float narrow = (float)wide;
            int is_short = dtype == QC_F16 || dtype == QC_BF16;
            qc_convert(item == 8 ? (void *)&wide : &narrow, item == 8 ? QC_F64 : QC_F32,
                       s->base + i * item,
                       is_short    ? dtype
                       : item == 8 ? QC_F64
                                   : QC_F32,
                       1);
            memcpy(s->values + i * item, s->base + i * item, item);
            s->values[i * item] ^= (uint8_t)(drawn & 15);
        }
    }
    for (size_t chunk = 0; chunk < SAMPLE_CHUNKS; chunk++) {
        s->stored[chunk] = 0;
        for (size_t i = 0; i < SAMPLE_CHUNK; i += 1 + random_bits() % 5)
            s->positions[chunk * SAMPLE_CHUNK + s->stored[chunk]++] = (uint32_t)i;
    }
    fill_floats(s->codebook, 256 * 3);
    fill_floats(s->scales, SAMPLE_ROWS);
    for (unsigned i = 0; i < 256 * 3; i++)
        s->order[i] = (uint8_t)(way->entries > 0 ? way->entries - 1 - i % way->entries : 0);
    for (unsigned i = 0; i < SAMPLE_ROWS; i++)
        qc_store16(s->zero_points + 2 * i, i % 8);
}

static inline qc_frame frame_of_sample(const sample *s, const sample_way *way, qc_positions form)
{
    qc_frame frame = {.dtype = way->dtype,
                      .kind = way->kind,
                      .positions = form,
                      .ndim = 2,
                      .dims = {SAMPLE_ROWS, SAMPLE_COLUMNS},
                      .chunk_elements = SAMPLE_CHUNK,
                      .gap_width = 3,
                      .width = way->width,
                      .stored_dtype = sample_dtype(way),
                      .codebook = {.entries = way->entries,
                                   .books = {.dtype = QC_F32,
                                             .inner = 64,
                                             .count = way->books,
                                             .values = s->codebook}},
                      .delta = {.digest = s->digest,
                                .step = 128,
                                .filter_width = way->dtype == QC_F32 ? 4 : 1,
                                .filter_height = way->dtype == QC_F32 ? 2 : 1,
                                .base = s->base}};
    if (way->scaled)
        frame.scales = (qc_groups){
            .dtype = QC_F32, .inner = SAMPLE_COLUMNS, .count = SAMPLE_ROWS, .values = s->scales};
    if (way->kind == QC_AFFINE && way->scaled)
        frame.zero_points.groups = (qc_groups){.dtype = QC_U16,
                                               .inner = SAMPLE_COLUMNS,
                                               .count = SAMPLE_ROWS,
                                               .values = s->zero_points};
    if (way->kind == QC_CODEBOOK && way->books > 1)
        frame.codebook.order = s->order;
    return frame;
}

static inline qc_chunk_input input_of_sample(const sample *s, const sample_way *way,
                                             qc_positions form, size_t chunk)
{
    size_t item =
        sample_has_codes(way) ? qc_symbol_size(way->width) : qc_dtype_size(sample_dtype(way));
    size_t first = chunk * SAMPLE_CHUNK;
    qc_chunk_input input = {first, SAMPLE_CHUNK, SAMPLE_CHUNK, NULL, s->values + first * item, 0};
    if (form != QC_DENSE && form != QC_COPIES) {
        input.positions = s->positions + first;
        input.stored = s->stored[chunk];
    }
    return input;
}

/* Encode into `out`, of `capacity` bytes; 0 if the way is not one of the format's, or somebody has
   changed the sample so that it cannot be encoded. */
static inline size_t encode_sample(sample *s, qc_frame *frame, const sample_way *way,
                                   uint64_t codings, uint8_t *out, size_t capacity)
{
    uint64_t features = 0;
    qc_bytes chunks[SAMPLE_CHUNKS];
    qc_encoding encoding = {codings | 3, QC_SMALL, QC_EFFORT_PLACES};
    if (qc_frame_plan(frame, NULL) != QC_OK)
        return 0;
    size_t needed = qc_parameters_encode_workspace(frame);
    uint8_t *workspace = malloc(needed);
    CHECK(qc_parameters_bound(frame) <= sizeof s->bodies, "room for parameters");
    qc_status status = qc_parameters_encode(frame, codings | 3, QC_SMALL, s->bodies,
                                            sizeof s->bodies, &features, workspace, needed, NULL);
    free(workspace);
    for (size_t i = 0; i < SAMPLE_CHUNKS && status == QC_OK; i++) {
        qc_chunk_input input = input_of_sample(s, way, frame->positions, i);
        size_t bound = qc_chunk_bound(frame, &input);
        needed = qc_chunk_encode_workspace(frame, &input);
        workspace = malloc(needed);
        uint8_t *chunk = malloc(bound);
        CHECK(bound <= sizeof s->chunks[i], "room for a chunk of %zu bytes", bound);
        status = qc_chunk_encode(frame, &input, &encoding, chunk, bound, &chunks[i].size, &features,
                                 workspace, needed, NULL);
        CHECK(status == QC_OK || status == QC_INVALID, "status %d", (int)status);
        if (status == QC_OK)
            memcpy(s->chunks[i], chunk, chunks[i].size);
        chunks[i].data = s->chunks[i];
        free(workspace);
        free(chunk);
    }
    if (status != QC_OK)
        return 0;
    size_t size = qc_frame_size(frame, features, chunks);
    CHECK(qc_frame_write(frame, features, chunks, out, capacity, NULL) == QC_OK, "%zu bytes", size);
    return size;
}

/* Decode whatever the bytes now are, into memory of exactly the size that it takes. *values is what
   was decoded, to be freed by the caller, or NULL. */
static inline qc_status decode_sample(const uint8_t *data, size_t size, const uint8_t *base,
                                      unsigned flags, uint8_t **values)
{
    qc_frame frame;
    uint8_t *workspace = malloc(QC_WORKSPACE_BYTES), *parameters = NULL, *out = NULL;
    qc_chunk *chunks = NULL;
    qc_status status = qc_frame_read(data, size, QC_WHOLE | flags, &frame, NULL);
    *values = NULL;
    if (status == QC_OK && (frame.elements > SAMPLE_ELEMENTS || frame.coded_bytes > 1 << 20))
        status = QC_LIMIT;
    if (status == QC_OK) {
        chunks = malloc((frame.chunks + 1) * sizeof *chunks);
        parameters = malloc(frame.coded_bytes + 1);
        out = malloc(frame.elements * frame.item_size + 1);
        frame.delta.base = frame.elements == SAMPLE_ELEMENTS && frame.item_size <= 8 ? base : NULL;
        status = qc_frame_chunks(&frame, data, chunks, NULL);
    }
    if (status == QC_OK && frame.coded_bytes > 0)
        status = qc_parameters_decode(&frame, parameters, workspace, NULL);
    if (status == QC_OK)
        status = qc_frame_decode(&frame, chunks, data, 0, 0, frame.elements, frame.dtype, out,
                                 flags, workspace, NULL);
    for (size_t i = 0; status == QC_OK && i < frame.chunks; i++) { /* and as integers */
        size_t stored = 0; /* also where the chunk is refused */
        status = qc_chunk_codes(&frame, &chunks[i], data + chunks[i].offset, &stored, NULL);
        uint32_t *positions = malloc(4 * stored + 4);
        uint8_t *codes = malloc(stored * frame.item_size + 2 * stored + 1);
        if (status == QC_OK)
            status = qc_chunk_decode_codes(&frame, &chunks[i], data + chunks[i].offset, stored,
                                           positions, codes, flags, workspace, NULL);
        free(positions);
        free(codes);
    }
    free(chunks);
    free(workspace);
    if (status == QC_OK)
        *values = out;
    else
        free(out);
    free(parameters);
    return status;
}

#endif /* QC_TEST_SAMPLE_FRAMES_H */
