/*
 * Codings 4 and 5 with random codes of every kind decode to what a plain encoder wrote, on every
 * path of this machine: every number of classes and states, low bits, escapes, tails of every
 * length, empty streams, and decoding in parts.
 */
#include "codings/lanes_head.h"
#include "lanes/codes.h"
#include "lanes/writer.h"
#include "support.h"

#define MOST    ((size_t)20000)
#define ROUNDS  400
#define CPU_ALL UINT32_MAX

static void check_decodes(const uint8_t *data, size_t size, const uint8_t *symbols, size_t count,
                          unsigned width, uint32_t cpu)
{
    static uint8_t workspace[QC_WORKSPACE_BYTES], decoded[MOST + 1];
    qc_error error = {"", 0, 0, 0};
    decoded[count] = 0xA5;
    qc_status status = qc_stream_decode(data, size, count, width, decoded, workspace, NULL, &error);
    CHECK(status == QC_OK, "cpu %x, %zu symbols, width %u: %s", (unsigned)cpu, count, width,
          error.what);
    CHECK(memcmp(decoded, symbols, count) == 0, "cpu %x, %zu symbols, width %u", (unsigned)cpu,
          count, width);
    CHECK(decoded[count] == 0xA5, "written behind the output");
}

/* The encoder writes, with the code that it chose, what the plain one writes with it. */
static void check_encoder(const uint8_t *symbols, size_t count, unsigned width, qc_coding coding)
{
    static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(MOST)];
    static uint8_t data[4 * MOST + 16384], plain[4 * MOST + 16384];
    size_t size, capacity = qc_stream_bound(count, width);
    qc_error error = {"", 0, 0, 0};
    qc_status status = qc_stream_encode(symbols, count, width, QC_CODING_MASK(coding), QC_SMALL,
                                        data, capacity, &size, workspace, NULL, &error);
    if (status == QC_INVALID) /* one symbol, or none */
        return;
    CHECK(status == QC_OK && size <= capacity, "%zu symbols, width %u: %s", count, width,
          error.what);
    qc_reader reader = qc_reader_of(data + 1, size - 1, 1);
    qc_lanes_code code;
    uint64_t body;
    CHECK(qc_read_vu(&reader, &body, "", NULL) == QC_OK, "body length");
    CHECK(qc_lanes_read_head(&reader, width, coding == QC_LANES_TANS, &code, NULL) == QC_OK,
          "head");
    CHECK(write_lanes(symbols, count, &code, plain) == size && memcmp(plain, data, size) == 0,
          "%zu symbols, width %u, coding %d", count, width, (int)coding);
}

int main(void)
{
    static const uint32_t paths[] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, CPU_ALL};
    static uint8_t symbols[MOST], data[4 * MOST + 16384];
    for (unsigned round = 0; round < ROUNDS; round++) {
        qc_lanes_code code;
        unsigned width = random_code(&code, (int)(round % 2));
        size_t count = round < 60 ? round * 13 : random_below(MOST + 1);
        random_symbols(&code, width, symbols, count);
        size_t size = write_lanes(symbols, count, &code, data);
        for (unsigned path = 0; path < sizeof paths / sizeof *paths; path++) {
            qc_cpu_select(paths[path]);
            check_encoder(symbols, count, width, QC_LANES_HUFFMAN);
            check_encoder(symbols, count, width, QC_LANES_TANS);
            check_decodes(data, size, symbols, count, width, paths[path]);
        }
    }
    printf("%d streams on %zu paths\n", ROUNDS, sizeof paths / sizeof *paths);
    return 0;
}
