/*
 * Whole chunks of tensors that are larger than the caches decode on every path to what was encoded,
 * wherever the output begins in a line: codes of few and of many entries in the codings that write
 * elements straight from registers and in others, and planes of floats with and without escapes.
 */
#include <math.h>

#include "base/bytes.h"
#include "support.h"

#define CHUNK    ((size_t)1 << 15)
#define ELEMENTS ((size_t)1 << 24) /* of the tensor, of which one chunk is made */
#define LINE     64

static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
static const uint64_t codings[] = {
    QC_CODING_MASK(QC_BITPACKED),
    QC_CODING_MASK(QC_LANES_HUFFMAN),
    QC_CODING_MASK(QC_LANES_TANS),
};
static uint8_t elements[8 * CHUNK], right[8 * CHUNK], bytes[16 * CHUNK];
static uint8_t encoder_workspace[(size_t)1 << 23], workspace[QC_WORKSPACE_BYTES];
static guarded output;

/* Small numbers are frequent. */
static unsigned skewed(unsigned limit)
{
    unsigned drawn = (unsigned)(random_bits() >> 20) % limit;
    return drawn % (1 + (unsigned)(random_bits() >> 20) % limit);
}

/* A frame of so many elements that its output is not for the caches. */
static qc_frame frame_of(qc_dtype dtype, qc_kind kind)
{
    qc_frame frame = {.dtype = dtype, .kind = kind, .positions = QC_DENSE, .ndim = 1};
    frame.dims[0] = ELEMENTS;
    frame.chunk_elements = CHUNK;
    return frame;
}

static qc_chunk encode(qc_frame *frame, const void *values, uint64_t coding)
{
    qc_chunk_input input = {0, CHUNK, CHUNK, NULL, values, 0};
    const qc_encoding encoding = {coding | QC_CODING_MASK(QC_BITPACKED), QC_BALANCED,
                                  QC_EFFORT_USUAL};
    qc_error error = {"", 0, 0, 0};
    qc_chunk chunk = {.first = 0, .elements = CHUNK};
    CHECK(qc_frame_plan(frame, &error) == QC_OK, "planning: %s", error.what);
    frame->features = 0;
    CHECK(qc_chunk_encode(frame, &input, &encoding, bytes, sizeof bytes, &chunk.bytes,
                          &frame->features, encoder_workspace, sizeof encoder_workspace,
                          &error) == QC_OK,
          "encoding: %s", error.what);
    return chunk;
}

/* The output begins at every place of a line that suits the type, and elsewhere. */
static void check(const qc_frame *frame, const qc_chunk *chunk, qc_dtype dtype, const char *what)
{
    const size_t item = qc_dtype_size(dtype), size = CHUNK * item;
    for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++)
        for (size_t at = 0; at < LINE; at += path == 0 ? 13 : item / 2 + at % 3 * item) {
            uint8_t *out = last_bytes(output, size) - at;
            qc_error error = {"", 0, 0, 0};
            memset(out, 0xA5, size + at);
            qc_cpu_select(paths[path]);
            CHECK(qc_chunk_decode(frame, chunk, bytes, 0, CHUNK, dtype, out, 0, workspace,
                                  &error) == QC_OK,
                  "%s, path %x: %s", what, paths[path], error.what);
            CHECK(memcmp(out, right, size) == 0, "%s, path %x, output %zu bytes before", what,
                  paths[path], at);
            for (size_t i = 0; i < at; i++)
                CHECK(out[size + i] == 0xA5, "%s: written behind the output", what);
        }
}

static void check_codes(void)
{
    static const unsigned sizes[] = {3, 9, 16, 17, 60, 256};
    static float book[256];
    static uint8_t stored[sizeof book];
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (unsigned c = 0; c < sizeof codings / sizeof *codings; c++)
            for (qc_dtype dtype = QC_F32; dtype <= QC_F64; dtype++) {
                qc_frame frame = frame_of(QC_F32, QC_CODEBOOK);
                for (unsigned i = 0; i < sizes[s]; i++)
                    book[i] = (float)i / 8 - 3;
                memcpy(stored, book, sizeof book);
                qc_swap_if_big_endian(stored, sizeof *book, sizes[s]);
                frame.codebook.entries = sizes[s];
                frame.codebook.books =
                    (qc_groups){.dtype = QC_F32, .inner = 1, .count = 1, .values = stored};
                for (size_t i = 0; i < CHUNK; i++) {
                    elements[i] = (uint8_t)skewed(sizes[s]);
                    qc_convert(&book[elements[i]], QC_F32, right + i * qc_dtype_size(dtype), dtype,
                               1);
                }
                qc_chunk chunk = encode(&frame, elements, codings[c]);
                check(&frame, &chunk, dtype, "codes");
            }
}

/* Normal numbers; one in so many has an exponent that no symbol has. */
static void check_floats(void)
{
    static const unsigned one_in[] = {UINT32_MAX, 5000, 7};
    for (qc_dtype dtype = QC_F32; dtype <= QC_F64; dtype++)
        for (unsigned rare = 0; rare < sizeof one_in / sizeof *one_in; rare++) {
            qc_frame frame = frame_of(dtype, QC_PLANES);
            const size_t item = qc_dtype_size(dtype);
            for (size_t i = 0; i < CHUNK; i++) {
                double value = (double)(1 + (random_bits() >> 40)) / (1 << 24);
                value *= random_bits() >> 63 ? 1 : -1;
                if ((random_bits() >> 32) % one_in[rare] == 0)
                    value = ldexp(value, (int)(random_bits() >> 40) % 60 - 30);
                qc_convert(&value, QC_F64, right + i * item, dtype, 1);
            }
            qc_chunk chunk = encode(&frame, right, codings[2]);
            check(&frame, &chunk, dtype, "floats");
        }
}

int main(void)
{
    output = guarded_memory(8 * CHUNK + LINE);
    check_codes();
    check_floats();
    return 0;
}
