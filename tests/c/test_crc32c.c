/*
 * CRC32C is the same on every path and at every length and alignment, in one piece or several, one
 * after the other or joined, and reads no byte beyond its input.
 */
#include "kernels/crc32c_run.h"
#include "support.h"

#define BYTES 8192

static const uint32_t paths[] = {QC_CPU_SSE42 | QC_CPU_ARM_CRC, UINT32_MAX};

/* The register after pieces of any lengths, some of which are multiples of what is folded. */
static uint32_t in_pieces(const uint8_t *data, size_t size, uint32_t crc)
{
    qc_crc32c_run run;
    qc_crc32c_begin(&run, crc);
    for (size_t at = 0, piece; at < size; at += piece) {
        piece = (random_bits() >> 9) % 4 * QC_CRC32C_UNIT + (random_bits() >> 9) % 2 * 100;
        piece = piece < size - at ? piece : size - at;
        qc_crc32c_take(&run, data + at, piece);
        if (random_bits() % 8 == 0)
            (void)qc_crc32c_register(&run);
    }
    return qc_crc32c_register(&run);
}

static void check(const uint8_t *data, size_t size, size_t cut, uint32_t start)
{
    qc_cpu_select(0);
    uint32_t expected = qc_crc32c(start, data, size);
    for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++) {
        qc_cpu_select(paths[path]);
        CHECK(qc_crc32c(start, data, size) == expected, "path %x: %zu bytes", paths[path], size);
        CHECK(qc_crc32c(qc_crc32c(start, data, cut), data + cut, size - cut) == expected,
              "path %x: %zu bytes, then %zu", paths[path], cut, size - cut);
        CHECK(~in_pieces(data, size, ~start) == expected, "path %x: %zu bytes in pieces",
              paths[path], size);
        uint32_t first = in_pieces(data, cut, ~start),
                 second = in_pieces(data + cut, size - cut, 0);
        CHECK(~qc_crc32c_join(first, second, size - cut) == expected,
              "path %x: %zu bytes, joined to %zu", paths[path], size - cut, cut);
    }
}

int main(void)
{
    static const size_t sizes[] = {0, 1, 7, 8, 255, 256, 511, 512, 1023, 1024, 1535, 1536, 4096};
    guarded memory = guarded_memory(BYTES);
    uint8_t *bytes = last_bytes(memory, BYTES);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(random_bits() >> 20);
    CHECK(qc_crc32c(0, "123456789", 9) == 0xE3069283u, "the check value");
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check(bytes + BYTES - sizes[i], sizes[i], sizes[i] / 2, 0);
    for (unsigned round = 0; round < 500; round++) {
        size_t size = (random_bits() >> 9) % BYTES, cut = (random_bits() >> 9) % (size + 1);
        check(bytes + BYTES - size, size, cut, (uint32_t)(random_bits() >> 11));
    }
    return 0;
}
