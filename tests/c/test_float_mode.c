/*
 * A thread that flushes subnormals to zero, or rounds up, decodes and converts to the same bits as
 * any other, and has its mode back afterwards, errors included.
 */
#include "base/bytes.h"
#include "support.h"

#if defined(__x86_64__) || defined(__i386__)

#include <xmmintrin.h>

#define STANDARD 0x1F80u
static const uint32_t modes[] = {STANDARD, STANDARD | 0x8000 /* to zero */,
                                 STANDARD | 0x8040 /* and from zero */, STANDARD | 0x4000 /* up */,
                                 STANDARD | 0x6040 /* toward zero */};

__attribute__((target("sse"))) static uint32_t mode_now(void) { return _mm_getcsr() & ~0x3Fu; }
__attribute__((target("sse"))) static void set_mode(uint32_t mode) { _mm_setcsr(mode); }

#elif defined(__aarch64__)

static const uint32_t modes[] = {0, 1u << 24 /* to zero */, 1u << 22 /* up */,
                                 1u << 24 | 3u << 22 /* to zero, toward zero */};

static uint32_t mode_now(void)
{
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return (uint32_t)mode;
}

static void set_mode(uint32_t mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)mode) : "memory");
}

#else

static const uint32_t modes[] = {0};

static uint32_t mode_now(void) { return 0; }
static void set_mode(uint32_t mode) { (void)mode; }

#endif

#define CODES 600

static uint8_t codes[CODES], file[1 << 14], chunk[1 << 14], workspace[1 << 20];

/* Codes 0 to 255 times a subnormal step; the frame's length. */
static size_t encode(void)
{
    static uint8_t step[4] = {3, 0, 0, 0}; /* the bits of 3 * 2^-149 */
    qc_frame frame = {.dtype = QC_F32, .kind = QC_AFFINE, .ndim = 1, .dims = {CODES}};
    qc_chunk_input input = {0, CODES, CODES, NULL, codes, -1};
    const qc_encoding encoding = {QC_CODING_MASK(QC_BITPACKED), QC_SMALL, QC_EFFORT_USUAL};
    qc_bytes bytes = {chunk, 0};
    uint64_t features = 0;
    for (size_t i = 0; i < CODES; i++)
        codes[i] = (uint8_t)i;
    frame.width = 8;
    frame.zero_points.common = 100;
    frame.scales.dtype = QC_F32;
    frame.scales.inner = frame.scales.count = 1;
    frame.scales.values = step;
    CHECK(qc_frame_plan(&frame, NULL) == QC_OK, "planning");
    CHECK(qc_chunk_encode(&frame, &input, &encoding, chunk, sizeof chunk, &bytes.size, &features,
                          workspace, sizeof workspace, NULL) == QC_OK,
          "encoding");
    size_t size = qc_frame_size(&frame, features, &bytes);
    CHECK(qc_frame_write(&frame, features, &bytes, file, sizeof file, NULL) == QC_OK, "writing");
    return size;
}

/* By the call that takes bytes, or by the one that takes an opened frame. */
static qc_status decode(size_t size, int opened, uint32_t *bits)
{
    qc_frame frame;
    qc_chunk chunks[1];
    if (!opened)
        return qc_decode(file, size, QC_F32, bits, 4 * CODES, NULL, 0, QC_VERIFY, workspace, NULL);
    CHECK(qc_frame_read(file, size, QC_WHOLE, &frame, NULL) == QC_OK, "head");
    CHECK(qc_frame_chunks(&frame, file, chunks, NULL) == QC_OK, "chunks");
    return qc_frame_decode(&frame, chunks, file, 0, 0, CODES, QC_F32, bits, QC_VERIFY, workspace,
                           NULL);
}

static void check_decoding(size_t size, int opened, uint32_t mode)
{
    static const uint32_t sets[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++) {
        uint32_t bits[CODES];
        qc_cpu_select(sets[set]);
        set_mode(mode);
        qc_status status = decode(size, opened, bits);
        CHECK(mode_now() == mode, "mode %x became %x", mode, mode_now());
        set_mode(modes[0]);
        CHECK(status == QC_OK, "decoding");
        for (size_t i = 0; i < CODES; i++) {
            int steps = codes[i] - 100;
            uint32_t expected =
                steps < 0 ? (uint32_t)(-3 * steps) | 1u << 31 : (uint32_t)(3 * steps);
            CHECK(bits[i] == expected, "mode %x: %x, not %x", mode, bits[i], expected);
        }
    }
}

static void check_an_error(size_t size, uint32_t mode)
{
    uint32_t bits[CODES];
    uint8_t broken[sizeof file];
    memcpy(broken, file, size);
    broken[size - 10] ^= 1;
    set_mode(mode);
    qc_status status =
        qc_decode(broken, size, QC_F32, bits, sizeof bits, NULL, 0, QC_VERIFY, workspace, NULL);
    CHECK(mode_now() == mode, "mode %x became %x after an error", mode, mode_now());
    set_mode(modes[0]);
    CHECK(status != QC_OK, "a broken frame was decoded");
}

static void check_converting(uint32_t mode)
{
    const double from[] = {0x1p-149, -0x1.8p-140, 0x1p-1060, 1 + 0x1p-24, 0x1.fp-127};
    const uint32_t expected[] = {1, 3u << 8 | 1u << 31, 0, 0x3F800000, 0x007C0000};
    uint32_t bits[5];
    set_mode(mode);
    qc_status status = qc_convert(from, QC_F64, bits, QC_F32, 5);
    CHECK(mode_now() == mode, "mode %x became %x", mode, mode_now());
    set_mode(modes[0]);
    CHECK(status == QC_OK, "converting");
    for (size_t i = 0; i < 5; i++)
        CHECK(bits[i] == expected[i], "mode %x, number %zu: %x", mode, i, bits[i]);
}

static void check_nesting(uint32_t mode)
{
    set_mode(mode);
    uint32_t outer = qc_float_mode_enter();
    uint32_t inner = qc_float_mode_enter();
    CHECK(mode_now() == modes[0], "mode %x inside", mode_now());
    qc_float_mode_leave(inner);
    CHECK(mode_now() == modes[0], "mode %x inside, after another", mode_now());
    qc_float_mode_leave(outer);
    CHECK(mode_now() == mode, "mode %x became %x", mode, mode_now());
    set_mode(modes[0]);
}

int main(void)
{
    size_t size = encode();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        check_nesting(modes[i]);
        check_converting(modes[i]);
        check_decoding(size, 0, modes[i]);
        check_decoding(size, 1, modes[i]);
        check_an_error(size, modes[i]);
    }
    return 0;
}
