/*
 * Groups of any shape, along the first axis, the last or between, decode on every path to the
 * values by the text of the format, computed element by element: codes of every kind, scaled
 * planes, tensors as a whole and ranges of them, into every type.
 */
#include "base/bytes.h"
#include "base/float_bits.h"
#include "support.h"

#define MOST       ((size_t)9000)
#define MAX_GROUPS 3000
#define ENTRIES    5
#define ROUNDS     240

static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
static guarded output;
static uint8_t codes[2 * MOST], chunk[1 << 18], file[1 << 18],
    workspace[QC_WORKSPACE_BYTES + (1 << 18)];
static float scales[MAX_GROUPS], book[MAX_GROUPS * ENTRIES];
static uint16_t zeros[MAX_GROUPS];
static uint8_t scale_bytes[sizeof scales], book_bytes[sizeof book], zero_bytes[sizeof zeros];
static float expected[MOST];

static unsigned random_below(unsigned limit) { return (unsigned)((random_bits() >> 9) % limit); }

typedef struct shape {
    size_t elements, inner, groups;
    qc_kind kind;
    qc_dtype dtype;
    unsigned width; /* affine */
    int has_books, has_scales, has_zeros, has_second;
} shape;

static shape random_shape(unsigned round)
{
    static const size_t inners[] = {1, 2, 3, 9, 16, 63, 64, 70};
    static const qc_kind kinds[] = {QC_AFFINE, QC_CODEBOOK, QC_PLANES};
    shape shape = {0};
    shape.kind = kinds[round % 3];
    shape.dtype = (qc_dtype)(round / 3 % 3);
    shape.inner = inners[random_below(8)];
    shape.groups = 2 + random_below((unsigned)(round % 2 == 0 ? 40 : MAX_GROUPS / shape.inner));
    size_t period = shape.inner * shape.groups;
    shape.elements = period * (1 + random_below((unsigned)(MOST / period)));
    shape.width = round % 4 == 0 ? 11 : 4;
    shape.has_books = shape.kind == QC_CODEBOOK && round % 5 < 3;
    shape.has_scales = !shape.has_books || round % 5 == 0;
    shape.has_zeros = shape.kind == QC_AFFINE && round % 2 == 0;
    shape.has_second = shape.has_scales && round % 7 == 0;
    return shape;
}

static void fill(const shape *shape)
{
    for (size_t i = 0; i < MAX_GROUPS; i++) {
        scales[i] = (float)(1 + random_below(1000)) / 64;
        zeros[i] = (uint16_t)random_below(1u << (shape->width < 9 ? shape->width : 9));
        qc_store16(zero_bytes + 2 * i, zeros[i]);
    }
    for (size_t i = 0; i < MAX_GROUPS * ENTRIES; i++)
        book[i] = (float)random_below(1000) / 8 - 60;
    memcpy(scale_bytes, scales, sizeof scales);
    qc_swap_if_big_endian(scale_bytes, sizeof *scales, MAX_GROUPS);
    memcpy(book_bytes, book, sizeof book);
    qc_swap_if_big_endian(book_bytes, sizeof *book, MAX_GROUPS * ENTRIES);
}

/* The value of element i, which is exact, so in any registers. Sets its code. */
static float choose(const shape *shape, size_t i)
{
    size_t group = i / shape->inner % shape->groups;
    float scale = shape->has_scales ? scales[group] : 1.0f, value;
    scale = shape->has_second ? 0.5f * scale : scale;
    if (shape->kind == QC_PLANES) {
        uint16_t half = (uint16_t)qc_f16_of_f32(qc_bits_of_f32((float)random_below(64) / 4));
        memcpy(codes + 2 * i, &half, 2);
        return scale * qc_f32_of_bits(qc_f32_of_f16(half));
    }
    if (shape->kind == QC_CODEBOOK) {
        codes[i] = (uint8_t)random_below(ENTRIES);
        value = book[(shape->has_books ? group * ENTRIES : 0) + codes[i]];
    } else {
        uint16_t code = (uint16_t)random_below(1u << shape->width);
        if (shape->width <= 8)
            codes[i] = (uint8_t)code;
        else
            memcpy(codes + 2 * i, &code, 2);
        value = (float)code - (float)(shape->has_zeros ? zeros[group] : 3);
    }
    return scale * value;
}

static size_t encode(const shape *shape)
{
    qc_frame frame = {.dtype = shape->dtype, .kind = shape->kind, .positions = QC_DENSE, .ndim = 1};
    qc_groups groups = {.dtype = QC_F32, .inner = shape->inner, .count = shape->groups};
    qc_chunk_input input = {0, shape->elements, shape->elements, NULL, codes, 0};
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_SMALL, QC_EFFORT_USUAL};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    frame.dims[0] = shape->elements;
    frame.width = shape->width;
    frame.stored_dtype = shape->kind == QC_PLANES ? QC_F16 : 0;
    if (shape->has_scales) {
        frame.scales = groups;
        frame.scales.values = scale_bytes;
        frame.has_second_scale = shape->has_second;
        frame.second_scale = 0.5f;
    }
    if (shape->kind == QC_AFFINE) {
        frame.zero_points.common = 3;
        if (shape->has_zeros) {
            frame.zero_points.groups = groups;
            frame.zero_points.groups.dtype = QC_U16;
            frame.zero_points.groups.values = zero_bytes;
        }
    }
    if (shape->kind == QC_CODEBOOK) {
        frame.codebook.entries = ENTRIES;
        frame.codebook.books = groups;
        frame.codebook.books.values = book_bytes;
        if (!shape->has_books)
            frame.codebook.books.count = frame.codebook.books.inner = 1;
    }
    qc_error error = {"", 0, 0, 0};
    CHECK(qc_frame_plan(&frame, &error) == QC_OK, "planning: %s", error.what);
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &bytes.size, &features,
                          workspace, sizeof workspace, &error) == QC_OK,
          "encoding: %s", error.what);
    size_t size = qc_frame_size(&frame, features, &bytes);
    CHECK(qc_frame_write(&frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    return size;
}

/* Rounded to the frame's type first, then converted. */
static void check_range(const shape *shape, size_t size, size_t first, size_t count, qc_dtype to)
{
    qc_frame frame;
    qc_chunk chunks[1];
    size_t item = qc_dtype_size(to);
    uint8_t *out = last_bytes(output, item * count);
    CHECK(qc_frame_read(file, size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, file, chunks, NULL) == QC_OK, "chunks");
    CHECK(qc_frame_decode(&frame, chunks, file, 0, first, count, to, out, 0, workspace, NULL) ==
              QC_OK,
          "decoding from %zu, %zu elements", first, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t right[8];
        uint32_t bits = qc_round_to(shape->dtype, qc_bits_of_f32(expected[first + i]));
        CHECK(qc_convert(&bits, QC_F32, right, to, 1) == QC_OK, "conversion");
        CHECK(memcmp(out + item * i, right, item) == 0,
              "path %x, kind %d, dtype %d to %d: element %zu of %zu from %zu, %zu groups of %zu",
              qc_cpu_selected(), (int)shape->kind, (int)shape->dtype, (int)to, i, count, first,
              shape->groups, shape->inner);
    }
}

int main(void)
{
    output = guarded_memory(8 * MOST);
    for (unsigned round = 0; round < ROUNDS; round++) {
        shape shape = random_shape(round);
        fill(&shape);
        for (size_t i = 0; i < shape.elements; i++)
            expected[i] = choose(&shape, i);
        size_t size = encode(&shape), first = random_below((unsigned)shape.elements);
        size_t count = random_below((unsigned)(shape.elements - first)) + 1;
        for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++)
            for (qc_dtype to = QC_F32; to <= QC_F64; to++) {
                qc_cpu_select(paths[path]);
                check_range(&shape, size, 0, shape.elements, to);
                check_range(&shape, size, first, count, to);
            }
    }
    return 0;
}
