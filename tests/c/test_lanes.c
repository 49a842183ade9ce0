/*
 * Codings 4 and 5 with random codes of every kind decode to what a plain encoder wrote, on every
 * path of this machine: every number of classes and states, raw bits, escapes, tails of every
 * length, empty streams, and decoding in parts.
 */
#include "codings/lanes_head.h"
#include "lanes_writer.h"
#include "support.h"

#define MOST    ((size_t)20000)
#define ROUNDS  400
#define CPU_ALL UINT32_MAX

static unsigned random_below(unsigned limit) { return (unsigned)(random_bits() % limit); }

/* Complete lengths, by splitting leaves at random. */
static void random_huffman(qc_lanes_code *code, unsigned classes)
{
    unsigned leaves[QC_LANES_MAX_CLASSES] = {0}, count = 1;
    while (count < classes || count < 2) {
        unsigned leaf = random_below(count);
        if (leaves[leaf] == QC_LANES_MAX_LENGTH)
            continue;
        leaves[leaf]++;
        leaves[count++] = leaves[leaf];
    }
    for (unsigned i = 0; i < count; i++)
        code->counts[leaves[i] - 1]++;
    code->classes = count;
}

static void random_tans(qc_lanes_code *code, unsigned classes)
{
    /* A count is a byte: of 256 states no class has all. */
    code->state_bits = QC_TANS_MIN_LOG + random_below(classes > 1 ? 4 : 3);
    unsigned left = (1u << code->state_bits) - classes;
    for (unsigned i = 0; i < classes; i++)
        code->counts[i] = 1;
    /* Mostly skewed, so that symbols of no bits occur. */
    while (left > 0) {
        unsigned part = random_below(left + 1);
        code->counts[random_below(random_below(classes) + 1)] += (uint8_t)part;
        left -= part;
    }
    code->classes = classes;
}

static unsigned random_code(qc_lanes_code *code, int is_tans)
{
    memset(code, 0, sizeof *code);
    unsigned width = 1 + random_below(QC_LANES_MAX_WIDTH);
    code->raw_bits = random_below(width < 5 ? width : 5);
    code->has_escape = code->raw_bits == 0 && random_below(3) == 0;
    unsigned values = 1u << (width - code->raw_bits);
    unsigned most = values + code->has_escape;
    most = most < QC_LANES_MAX_CLASSES ? most : QC_LANES_MAX_CLASSES;
    unsigned least = 1 + code->has_escape;
    unsigned classes = least + random_below(most - least + 1);
    if (is_tans)
        random_tans(code, classes);
    else
        random_huffman(code, classes < 2 ? 2 : classes);
    unsigned first = random_below(values);
    for (unsigned i = 0; i < code->classes - code->has_escape; i++)
        code->values[i] = (uint8_t)((first + i) % values);
    return width;
}

static void random_symbols(const qc_lanes_code *code, unsigned width, uint8_t *symbols,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned class = random_below(random_below(code->classes) + 1);
        if (code->has_escape && class == code->classes - 1)
            symbols[i] = (uint8_t)random_below(1u << width);
        else
            symbols[i] = (uint8_t)((unsigned)code->values[class] << code->raw_bits |
                                   random_below(1u << code->raw_bits));
    }
}

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
    static const uint32_t paths[] = {0, QC_CPU_AVX2, CPU_ALL};
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
