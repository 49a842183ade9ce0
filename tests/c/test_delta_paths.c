/*
 * Tensors that are stored against a base decode on every path to what was encoded: every float
 * type, with and without predictions, changes from none to any bits, steps that leave no low bits
 * to as many as there can be, whole tensors and ranges, and no byte beyond the base or the output.
 */
#include "base/bytes.h"
#include "support.h"

#define ROW    9
#define MOST   ((size_t)600 * ROW)
#define ROUNDS 400

static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
static guarded output, base_memory;
static uint8_t elements[MOST * 8], chunk[1 << 18], file[1 << 18], workspace[1 << 20];
static uint8_t *base;

static unsigned random_below(unsigned limit) { return (unsigned)((random_bits() >> 9) % limit); }

/* Elements near to a base of any exponents, or of a few; one of `one_in` has other bits. */
static void choose(size_t count, unsigned item, unsigned few, unsigned near_bits, unsigned one_in)
{
    base = last_bytes(base_memory, count * item);
    for (size_t i = 0; i < count; i++) {
        uint64_t from = random_bits(), moved = from;
        if (few) /* exponents around that of 0.03 */
            from = (from & ~((uint64_t)0x7E << 56)) | (uint64_t)0x3C << 56;
        from >>= 64 - 8 * item;
        moved = from + (near_bits > 0 ? random_bits() >> (64 - near_bits) : 0);
        if (random_below(one_in) == 0)
            moved = random_bits();
        for (unsigned byte = 0; byte < item; byte++) {
            base[i * item + byte] = (uint8_t)(from >> 8 * byte);
            elements[i * item + byte] = (uint8_t)(moved >> 8 * byte);
        }
    }
    qc_swap_if_big_endian(base, item, count);
    qc_swap_if_big_endian(elements, item, count);
}

/* The frame, in `file`; its length. */
static size_t encode(qc_dtype dtype, size_t count, int predicted)
{
    static const uint8_t digest[QC_DELTA_DIGEST_BYTES] = {1};
    qc_frame frame = {.dtype = dtype, .kind = QC_DELTA, .ndim = 1};
    frame.delta.digest = digest;
    frame.delta.base = base;
    qc_chunk_input input = {0, count, count, NULL, elements, 0};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    frame.dims[0] = count;
    frame.delta.step = random_below(dtype == QC_F64 ? 1100 : dtype == QC_F16 ? 40 : 160);
    frame.delta.filter_width = predicted ? 1 + random_below(5) : 1;
    frame.delta.filter_height = predicted ? 1 + random_below(4) : 1;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
    CHECK(qc_chunk_bound(&frame, &input) <= sizeof chunk, "room");
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_SMALL, QC_EFFORT_USUAL};
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &bytes.size, &features,
                          workspace, sizeof workspace, NULL) == QC_OK,
          "encoding");
    size_t size = qc_frame_size(&frame, features, &bytes);
    CHECK(qc_frame_write(&frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    return size;
}

static void check_range(size_t size, size_t first, size_t count)
{
    qc_frame frame;
    qc_chunk chunks[1];
    CHECK(qc_frame_read(file, size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, file, chunks, NULL) == QC_OK, "chunks");
    size_t item = frame.item_size;
    uint8_t *out = last_bytes(output, item * count);
    CHECK(qc_frame_decode(&frame, chunks, file, 0, first, count, frame.dtype, out, 0, workspace,
                          NULL) == QC_INVALID,
          "without its base");
    frame.delta.base = base;
    CHECK(qc_frame_decode(&frame, chunks, file, 0, first, count, frame.dtype, out, 0, workspace,
                          NULL) == QC_OK,
          "decoding from %zu, %zu elements", first, count);
    CHECK(memcmp(out, elements + item * first, item * count) == 0,
          "path %x: dtype %d from %zu, %zu elements", qc_cpu_selected(), frame.dtype, first, count);
}

int main(void)
{
    static const unsigned one_in[] = {2, 20, 1000000};
    output = guarded_memory(MOST * 8);
    base_memory = guarded_memory(MOST * 8);
    for (unsigned round = 0; round < ROUNDS; round++) {
        qc_dtype dtype = (qc_dtype)(round % 4);
        unsigned item = (unsigned)qc_dtype_size(dtype);
        size_t count = round % 3 == 0 ? 1 + random_below(40) : 1 + random_below((unsigned)MOST);
        choose(count, item, round % 2, random_below(8 * item), one_in[round % 3]);
        size_t size = encode(dtype, count, round % 5 < 2);
        size_t first = random_below((unsigned)count);
        size_t some = random_below((unsigned)(count - first)) + 1;
        for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++) {
            qc_cpu_select(paths[path]);
            check_range(size, 0, count);
            check_range(size, first, some);
        }
    }
    return 0;
}
