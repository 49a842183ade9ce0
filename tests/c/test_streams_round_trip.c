/*
 * Every coding at every width and every count from 0 to 600 comes back exactly, taken at once, in
 * blocks, and after skips; and no body is longer than qc_stream_bound says, though adversarial
 * symbols mislead the contexts all the time.
 */
#include "codings/stream.h"
#include "support.h"

#define MAX_COUNT 600
#define LONG      20000

static uint8_t workspace[QC_STREAM_ENCODE_WORKSPACE(LONG)];

static unsigned symbol_at(const void *symbols, size_t i, unsigned width)
{
    return width <= 8 ? ((const uint8_t *)symbols)[i] : ((const uint16_t *)symbols)[i];
}

static void set_symbol(void *symbols, size_t i, unsigned width, unsigned value)
{
    if (width <= 8)
        ((uint8_t *)symbols)[i] = (uint8_t)value;
    else
        ((uint16_t *)symbols)[i] = (uint16_t)value;
}

/* Kinds of data: all equal, even, and skewed towards 0. */
static void fill(void *symbols, size_t count, unsigned width, unsigned kind)
{
    unsigned mask = (1u << width) - 1;
    for (size_t i = 0; i < count; i++) {
        unsigned bits = (unsigned)(random_bits() >> 20);
        unsigned skewed = bits & bits >> 3 & bits >> 7 & bits >> 12;
        set_symbol(symbols, i, width, (kind == 0 ? 5 : kind == 1 ? bits : skewed) & mask);
    }
}

/* Decode in steps: blocks, some of them skipped. Constant and bitpacked may stop anywhere. */
static void check_steps(const uint8_t *data, size_t size, const void *symbols, size_t count,
                        unsigned width)
{
    static qc_stream stream;
    static qc_stream_shared shared; /* none of these has a router */
    uint16_t block[2 * QC_STREAM_BLOCK];
    qc_reader reader = qc_reader_of(data, size, 0);
    size_t at = 0;

    CHECK(qc_stream_open(&stream, &reader, count, width, ~(uint64_t)0, &shared, NULL) == QC_OK,
          "open");
    for (unsigned turn = 0; at < count; turn++) {
        size_t step = data[0] == QC_CONSTANT || data[0] == QC_BITPACKED
                          ? 1 + random_bits() % 40
                          : (1 + turn % 2) * QC_STREAM_BLOCK;
        step = step < count - at ? step : count - at;
        if (turn % 3 == 1) {
            CHECK(qc_stream_skip(&stream, step, NULL) == QC_OK, "skip");
        } else {
            CHECK(qc_stream_next(&stream, block, step, NULL) == QC_OK, "next");
            for (size_t i = 0; i < step; i++)
                CHECK(symbol_at(block, i, width) == symbol_at(symbols, at + i, width),
                      "coding %u, width %u, count %zu, symbol %zu", data[0], width, count, at + i);
        }
        at += step;
    }
    CHECK(qc_stream_finish(&stream, NULL) == QC_OK, "finish");
}

/* A coding that the features leave out. */
static void check_features(const uint8_t *data, size_t size, size_t count, unsigned width)
{
    static qc_stream stream;
    static qc_stream_shared shared; /* none of these has a router */
    qc_reader without = qc_reader_of(data, size, 0), with = without;
    uint64_t feature = QC_CODING_MASK(data[0]);

    CHECK(qc_stream_open(&stream, &without, count, width, ~feature, &shared, NULL) == QC_CORRUPT,
          "coding %u without its feature", data[0]);
    CHECK(qc_stream_open(&stream, &with, count, width, feature, &shared, NULL) == QC_OK, "open");
}

/* Returns whether the coding holds the symbols. */
static int check_round_trip(const void *symbols, size_t count, unsigned width, uint64_t codings,
                            qc_profile profile)
{
    static uint16_t back[LONG];
    size_t capacity = qc_stream_bound(count, width), size;
    uint8_t *data = malloc(capacity); /* exactly, for the sanitizer */
    qc_status status = qc_stream_encode(symbols, count, width, codings, profile, data, capacity,
                                        &size, workspace, NULL, NULL);
    if (status == QC_OK) {
        CHECK(codings >> data[0] & 1, "coding %u is not among %llx", data[0],
              (unsigned long long)codings);
        CHECK(size <= capacity, "%zu bytes of %zu", size, capacity);
        status = qc_stream_decode(data, size, count, width, back, workspace, NULL, NULL);
        CHECK(status == QC_OK, "coding %u, width %u, count %zu: %d", data[0], width, count,
              (int)status);
        CHECK(memcmp(symbols, back, count * qc_symbol_size(width)) == 0,
              "coding %u, width %u, count %zu", data[0], width, count);
        check_steps(data, size, symbols, count, width);
        check_features(data, size, count, width);
    } else {
        CHECK(status == QC_INVALID, "codings %llx, width %u, count %zu: %d",
              (unsigned long long)codings, width, count, (int)status);
    }
    free(data);
    return status == QC_OK;
}

static void check_every_count(unsigned width)
{
    static uint16_t symbols[MAX_COUNT];
    for (size_t count = 0; count <= MAX_COUNT; count++)
        for (unsigned kind = 0; kind < 3; kind++) {
            fill(symbols, count, width, kind);
            int differ = 0;
            for (size_t i = 1; i < count; i++)
                differ |= symbol_at(symbols, i, width) != symbol_at(symbols, 0, width);
            int holds[QC_CODING_COUNT];
            for (unsigned coding = 0; coding < QC_CODING_COUNT; coding++)
                holds[coding] =
                    check_round_trip(symbols, count, width, QC_CODING_MASK(coding), QC_SMALL);
            CHECK(holds[QC_BITPACKED] && holds[QC_CONTEXTS], "width %u, count %zu", width, count);
            CHECK(holds[QC_CONSTANT] == !differ, "width %u, count %zu", width, count);
            CHECK(holds[QC_HUFFMAN] == (differ && width <= 8), "width %u, count %zu", width, count);
            for (unsigned profile = QC_FAST; profile <= QC_FIXED; profile++)
                CHECK(check_round_trip(symbols, count, width, ~(uint64_t)0, (qc_profile)profile),
                      "profile %u", profile);
        }
}

/* Symbols whose bits are always those that a context expects least. */
static void check_bound(unsigned width)
{
    static uint16_t symbols[LONG];
    uint16_t ones[1 << 8] = {0}, seen[1 << 8] = {0};
    for (size_t i = 0; i < LONG; i++) {
        unsigned t = 1, bits = width < 8 ? width : 8;
        for (unsigned b = 0; b < bits; b++) {
            unsigned bit = 2 * ones[t & 255] <= seen[t & 255];
            ones[t & 255] += (uint16_t)bit;
            seen[t & 255]++;
            t = 2 * t + bit;
        }
        unsigned value = (t - (1u << bits)) << (width - bits);
        set_symbol(symbols, i, width,
                   value | (unsigned)(random_bits() & ((1u << (width - bits)) - 1)));
    }
    CHECK(check_round_trip(symbols, LONG, width, QC_CODING_MASK(QC_CONTEXTS), QC_SMALL),
          "contexts, width %u", width);
    for (size_t i = 0; i < LONG; i++) /* exponents that change all the time */
        set_symbol(symbols, i, width, (2u << (i * 7 % width)) - 2);
    CHECK(check_round_trip(symbols, LONG, width, QC_CODING_MASK(QC_CONTEXTS), QC_SMALL),
          "contexts, width %u", width);
}

static void check_arguments(void)
{
    uint8_t symbols[2] = {3, 4}, data[4096];
    size_t size, capacity = qc_stream_bound(2, 2);
    CHECK(capacity <= sizeof data, "%zu bytes for two symbols", capacity);
    CHECK(qc_stream_encode(symbols, 1, 2, ~0u, QC_SMALL, data, capacity, &size, workspace, NULL,
                           NULL) == QC_OK,
          "3 in two bits");
    CHECK(qc_stream_encode(symbols, 2, 2, ~0u, QC_SMALL, data, capacity, &size, workspace, NULL,
                           NULL) == QC_INVALID,
          "4 in two bits");
    CHECK(qc_stream_encode(symbols, 2, 3, ~0u, QC_SMALL, data, 20, &size, workspace, NULL, NULL) ==
              QC_NO_SPACE,
          "a buffer below the bound");
    CHECK(qc_stream_encode(symbols, 2, 17, ~0u, QC_SMALL, data, capacity, &size, workspace, NULL,
                           NULL) == QC_INVALID,
          "width 17");
}

int main(void)
{
    check_arguments();
    for (unsigned width = 1; width <= 16; width++) {
        check_every_count(width);
        check_bound(width);
    }
    return 0;
}
