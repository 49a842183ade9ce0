/*
 * Every kernel between codes and values gives on every path what the portable one gives, for counts
 * around the widths of registers, at odd addresses, and without a byte beyond input or output.
 */
#include "body/float_planes.h"
#include "kernels/affine.h"
#include "kernels/join_floats.h"
#include "kernels/look_up.h"
#include "kernels/max_code.h"
#include "kernels/planes.h"
#include "kernels/round.h"
#include "kernels/scale.h"
#include "numeric/kmeans_histogram.h"
#include "qcodec_numeric.h"
#include "support.h"

#include <math.h>

#define MOST  700
#define PATHS 3

static const uint32_t paths[PATHS] = {0, QC_CPU_SSE42 | QC_CPU_AVX2, UINT32_MAX};
static guarded input, output;
static uint8_t expected[MOST * 16];

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(random_bits() >> 13);
}

/* The next count to try: all small ones, then a few. */
static size_t next_count(size_t count) { return count + (count < 140 ? 1 : 93); }

/* The first path, the portable one, says what is right. */
static void compare(const uint8_t *out, size_t size, unsigned path, const char *what, size_t count)
{
    if (path == 0)
        memcpy(expected, out, size);
    CHECK(memcmp(out, expected, size) == 0, "%s, %zu elements, path %u", what, count, path);
}

static void check_look_up(void)
{
    static const size_t sizes[] = {2, 4, 8};
    qc_look_up_table table;
    for (size_t entries = 1; entries <= QC_MAX_ENTRIES; entries += entries < 68 ? 1 : 47)
        for (unsigned s = 0; s < 3; s++) {
            table.entries = entries;
            table.item_size = sizes[s];
            fill(table.items, sizeof table.items);
            qc_look_up_prepare(&table);
            for (size_t count = 0; count <= MOST; count = next_count(count)) {
                uint8_t *codes = last_bytes(input, count);
                for (size_t i = 0; i < count; i++)
                    codes[i] = (uint8_t)(random_bits() % entries);
                for (unsigned run = 0; run < 2 * PATHS; run++) {
                    uint8_t *out = last_bytes(output, count * sizes[s]);
                    qc_cpu_select(paths[run / 2]);
                    qc_look_up(&table, codes, count, out, (int)(run % 2));
                    qc_look_up_fence();
                    compare(out, count * sizes[s], run, "look-up", count);
                }
            }
        }
}

static void check_greatest(void)
{
    for (size_t count = 0; count <= MOST; count = next_count(count))
        for (unsigned round = 0; round < 3; round++) {
            uint8_t *codes = last_bytes(input, count);
            for (size_t i = 0; i < count; i++)
                codes[i] = (uint8_t)(random_bits() % (100 * round + 1));
            if (count > 0 && round == 2)
                codes[random_bits() % count] = 255;
            for (unsigned path = 0; path < PATHS; path++) {
                qc_cpu_select(paths[path]);
                uint8_t greatest = (uint8_t)qc_max_code(codes, count);
                compare(&greatest, 1, path, "greatest", count);
            }
        }
}

static void check_planes(void)
{
    static const qc_dtype dtypes[] = {QC_U8,  QC_I8,  QC_F8E4M3, QC_U16, QC_I16, QC_F16,
                                      QC_U32, QC_I32, QC_F32,    QC_U64, QC_I64, QC_F64};
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            qc_dtype dtype = dtypes[d];
            size_t size = qc_dtype_size(dtype);
            uint8_t *bytes = last_bytes(input, count * size);
            const uint8_t *planes[8];
            fill(bytes, count * size);
            for (size_t plane = 0; plane < size; plane++)
                planes[plane] = bytes + plane * count;
            for (unsigned run = 0; run < 2 * PATHS; run++) {
                uint8_t *out = last_bytes(output, count * size);
                qc_cpu_select(paths[run / 2]);
                qc_merge_planes(planes, count, dtype, out, (int)(run % 2));
                qc_look_up_fence();
                compare(out, count * size, run, "planes", count);
            }
        }
}

/* Of any symbols: the floats are those of the format's text. */
static void check_join_floats(void)
{
    for (unsigned round = 0; round < 3 * (QC_EXPONENTS_MAX_MANTISSA + 1); round++)
        for (size_t count = 1; count <= MOST; count = next_count(count)) {
            unsigned mantissa = round / 3, rest_bits = 8 - mantissa;
            size_t size = (size_t)2 << round % 3;
            uint8_t *bytes = last_bytes(input, size * count);
            const uint8_t *planes[8];
            fill(bytes, size * count);
            unsigned base = bytes[0];
            for (size_t plane = 0; plane < size; plane++)
                planes[plane] = bytes + plane * count;
            for (size_t i = 0; i < count; i++)
                bytes[count + i] &= (uint8_t)((1u << rest_bits) - 1);
            for (unsigned run = 0; run < 2 * PATHS; run++) {
                uint8_t *out = last_bytes(output, size * count);
                qc_cpu_select(paths[run / 2]);
                qc_join_floats(planes, count, size, rest_bits, (uint16_t)(base << 8), out,
                               (int)(run % 2));
                qc_look_up_fence();
                for (size_t i = 0; i < count; i++) {
                    uint64_t word = (base << mantissa) + planes[0][i], found = 0;
                    word = (word << rest_bits | planes[1][i]) & 0xFFFF;
                    for (size_t plane = 2; plane < size; plane++)
                        word = word << 8 | planes[plane][i];
                    for (size_t byte = size; byte-- > 0;)
                        found = found << 8 | out[i * size + byte];
                    CHECK(found == (word >> 1 | (word & 1) << (8 * size - 1)),
                          "floats of %zu bytes, run %u, %zu of %zu", size, run, i, count);
                }
            }
        }
}

static void check_affine(void)
{
    for (unsigned width = 8; width <= 16; width += 8)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            size_t size = count * width / 8;
            uint8_t *codes = last_bytes(input, size);
            fill(codes, size);
            for (qc_dtype dtype = QC_F32; dtype <= QC_BF16; dtype++)
                for (unsigned run = 0; run < 2 * PATHS; run++) {
                    uint8_t *out = last_bytes(output, 4 * count);
                    qc_cpu_select(paths[run / 2]);
                    qc_affine(codes, width, count, 0.1f, 77.0f, dtype, out, (int)(run % 2));
                    qc_look_up_fence();
                    compare(out, 4 * count, run, "affine", count);
                }
        }
}

static const qc_dtype narrow_dtypes[] = {QC_F16, QC_BF16};

/* NaN, infinities and subnormals among them. */
static uint8_t *floats_of_all_sorts(size_t count)
{
    uint8_t *floats = last_bytes(input, 4 * count);
    fill(floats, 4 * count);
    for (size_t i = 0; i < count; i++)
        floats[4 * i + 3] = i % 3 == 0 ? (uint8_t)(0x38 + i % 16) : floats[4 * i + 3];
    return floats;
}

/* Rounding is a conversion there and back, also in place. */
static void check_round(void)
{
    static uint16_t narrow[MOST];
    static uint32_t right[MOST];
    for (unsigned run = 0; run < 2 * 3 * PATHS; run++)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            qc_dtype dtype = narrow_dtypes[run % 2];
            uint8_t *floats = floats_of_all_sorts(count), *out = last_bytes(output, 4 * count);
            qc_cpu_select(paths[run / 6]);
            CHECK(qc_convert(floats, QC_F32, narrow, dtype, count) == QC_OK, "narrow");
            CHECK(qc_convert(narrow, dtype, right, QC_F32, count) == QC_OK, "wide");
            qc_round((const float *)floats, dtype, count, run % 3 == 0 ? floats : out,
                     run % 3 == 1);
            qc_look_up_fence();
            CHECK(memcmp(run % 3 == 0 ? floats : out, right, 4 * count) == 0,
                  "rounding of %zu floats, run %u", count, run);
        }
}

static void check_convert(void)
{
    for (unsigned t = 0; t < 2; t++)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            uint8_t *floats = floats_of_all_sorts(count);
            for (unsigned path = 0; path < PATHS; path++) {
                uint8_t *out = last_bytes(output, 2 * count);
                qc_cpu_select(paths[path]);
                CHECK(qc_convert(floats, QC_F32, out, narrow_dtypes[t], count) == QC_OK,
                      "conversion");
                compare(out, 2 * count, path, "conversion", count);
            }
        }
}

/* Anywhere in a line: outputs end with their memory, and so begin anywhere. */
static void check_scale(void)
{
    for (unsigned t = 0; t < 2; t++)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            uint8_t *elements = last_bytes(input, 2 * count);
            fill(elements, 2 * count); /* NaN, infinities and subnormals among them */
            for (unsigned run = 0; run < 2 * PATHS; run++) {
                uint8_t *out = last_bytes(output, 4 * count);
                qc_cpu_select(paths[run / 2]);
                qc_scale(elements, t == 0 ? QC_F16 : QC_BF16, count, 0.1f, out, (int)(run % 2));
                qc_look_up_fence();
                compare(out, 4 * count, run, "scale", count);
            }
        }
}

static void check_assign(void)
{
    static float values[MOST], centroids[256];
    for (size_t k = 1; k <= 256; k += k < 40 ? 1 : 31)
        for (size_t count = 0; count <= MOST; count += 233) {
            for (size_t i = 0; i < k; i++)
                centroids[i] = (float)i / 4;
            for (size_t i = 0; i < count; i++) /* many of them half-way between two centroids */
                values[i] = (float)(random_bits() % (16 * k + 32)) / 32 - 1;
            for (unsigned path = 0; path < PATHS; path++) {
                uint8_t *codes = last_bytes(output, count);
                qc_cpu_select(paths[path]);
                qc_assign(values, count, centroids, k, codes);
                compare(codes, count, path, "assignment", count);
            }
        }
}

/* What deviates by up to 2^(8 * round) of the typical value asks for more and more bins; in the
   last round some values are infinite. */
static void check_bins(void)
{
    enum { PRECISION = 9, ROUNDS = 17 };
    static qc_value_bin bins[QC_VALUE_BINS_ROOM];
    void *spare = malloc(qc_value_histogram_workspace());
    for (unsigned round = 0; round < ROUNDS; round++)
        for (size_t count = 1; count <= MOST; count = next_count(count)) {
            float *values = (float *)last_bytes(input, count * sizeof *values);
            for (size_t i = 0; i < count; i++) {
                values[i] = (float)((int)(random_bits() % 2001) - 1000) / 1024;
                if (random_bits() % 50 == 0)
                    values[i] = ldexpf(values[i], 8 * (int)round + (round == ROUNDS - 1 ? 9 : 0));
            }
            for (unsigned path = 0; path < PATHS; path++) {
                qc_value_histogram found = {0};
                qc_ticker ticker = qc_ticker_of(NULL);
                qc_cpu_select(paths[path]);
                qc_status status = qc_value_histogram_fill(values, count, PRECISION, bins, &found,
                                                           spare, &ticker, NULL);
                CHECK((status == QC_OK) == qc_all_finite(values, count), "status %d", status);
                if (status != QC_OK)
                    continue;
                compare((const uint8_t *)found.bins, found.count * sizeof *bins, path, "bins",
                        count);
                double all = 0;
                for (size_t i = 0; i < found.count; i++)
                    all += found.bins[i].count;
                CHECK(all == (double)count, "%g of %zu values", all, count);
            }
        }
    free(spare);
}

static void check_bitpacked(void)
{
    static uint8_t encode_scratch[QC_STREAM_ENCODE_WORKSPACE(MOST)],
        streams[PATHS][4 * MOST + 4096];
    for (unsigned width = 1; width <= 8; width++)
        for (size_t count = 0; count <= MOST; count = next_count(count)) {
            uint8_t *symbols = last_bytes(input, count);
            fill(symbols, count);
            for (size_t i = 0; i < count; i++)
                symbols[i] &= (uint8_t)((1u << width) - 1);
            for (unsigned path = 0; path < PATHS; path++) {
                size_t size;
                qc_cpu_select(paths[path]);
                CHECK(qc_stream_encode(symbols, count, width, QC_CODING_MASK(QC_BITPACKED),
                                       QC_SMALL, streams[path], qc_stream_bound(count, width),
                                       &size, encode_scratch, NULL, NULL) == QC_OK,
                      "packing");
                compare(streams[path], size, path, "packing", count);
                uint8_t *out = last_bytes(output, count);
                CHECK(qc_stream_decode(streams[path], size, count, width, out, encode_scratch, NULL,
                                       NULL) == QC_OK,
                      "unpacking");
                CHECK(memcmp(out, symbols, count) == 0, "unpacking %u bits, %zu", width, count);
            }
        }
}

int main(void)
{
    input = guarded_memory(MOST * 8);
    output = guarded_memory(MOST * 8);
    check_look_up();
    check_greatest();
    check_planes();
    check_join_floats();
    check_affine();
    check_convert();
    check_round();
    check_assign();
    check_bins();
    check_scale();
    check_bitpacked();
    return 0;
}
