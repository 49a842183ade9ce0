/*
 * Checks of the kernels of quantizers, positions, histograms and checksums.
 */
#ifndef CHECKASM_COUNTS_H
#define CHECKASM_COUNTS_H

#include <math.h>

#include "checkasm.h"
#include "kernels/crc32c_powers.h"

static const char *check_descend(const qc_kernels *kernels)
{
    static float tree[256], values[MAX_COUNT];
    static uint8_t leaves[MAX_COUNT];
    for (unsigned levels = 1; levels <= 8; levels++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint8_t *codes = room(output, count);
            for (unsigned i = 0; i < 256; i++)
                tree[i] = (float)(random_bits() % 64) / 8 - 4;
            for (size_t i = 0; i < count; i++) { /* often equal to a threshold */
                values[i] = (float)(random_bits() % 80) / 8 - 5;
                if (i % 17 == 0)
                    values[i] = i % 2 == 0 ? NAN : INFINITY;
                unsigned node = 1;
                for (unsigned level = 0; level < levels; level++)
                    node = 2 * node + (values[i] > tree[node]);
                leaves[i] = (uint8_t)(node - (1u << levels));
            }
            size_t done = PARTIAL(kernels->descend(tree, levels, values, count, codes));
            if (!is_enough(done, count) || !is_same(codes, leaves, done))
                WRONG("%zu of %zu values, %u levels", done, count, levels);
        }
    return NULL;
}

static const char *check_sum_gaps(const qc_kernels *kernels)
{
    static uint32_t sums[MAX_COUNT];
    for (unsigned round = 0; round < 4; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            uint16_t *gaps = (uint16_t *)last_bytes(input, 2 * count);
            uint32_t *out = (uint32_t *)room(output, 4 * count);
            uint32_t position = (uint32_t)random_bits(), at = position;
            fill((uint8_t *)gaps, 2 * count, round);
            for (size_t i = 0; i < count; i++, at++)
                sums[i] = at += gaps[i];
            size_t done = PARTIAL(kernels->sum_gaps(gaps, count, position, out));
            if (!is_enough(done, count) || !is_same(out, sums, 4 * done))
                WRONG("%zu of %zu gaps", done, count);
        }
    return NULL;
}

static const char *check_mask_positions(const qc_kernels *kernels)
{
    static uint32_t right[4 * MAX_COUNT];
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count += QC_MASK_SYMBOLS) {
            uint8_t *symbols = last_bytes(input, count);
            uint32_t first = (uint32_t)(random_bits() >> 40);
            size_t ones = 0;
            fill(symbols, count, round);
            for (size_t i = 0; i < count; i++) {
                symbols[i] &= round < 4 ? 15 : (uint8_t)(1u << random_bits() % 4);
                for (unsigned bit = 0; bit < 4; bit++)
                    if (symbols[i] >> bit & 1)
                        right[ones++] = first + (uint32_t)(4 * i + bit);
            }
            uint32_t *out = (uint32_t *)room(output, 4 * (ones + QC_MASK_SLACK));
            size_t found = PARTIAL(kernels->mask_positions(symbols, count, first, out));
            if (found != ones || !is_same(out, right, 4 * ones))
                WRONG("%zu positions, not %zu, of %zu symbols", found, ones, count);
        }
    return NULL;
}

/* As numeric/kmeans_histogram.c numbers its bins. */
static int32_t bin_of(const qc_bin_scale *by, float value)
{
    float deviation = value * QC_SHRINK - by->centre;
    int32_t side = (int32_t)(qc_bits_of_f32(fabsf(deviation) + by->offset) >> by->shift) - by->base;
    return deviation < 0 ? -1 - side : side;
}

static const char *check_bin_values(const qc_kernels *kernels)
{
    enum { BINS = 2000 };
    static qc_value_bin found[BINS + QC_TURNS], right[BINS + QC_TURNS];
    static float values[MAX_COUNT];
    qc_bin_scale by = {.centre = 0.125f, .offset = 0.01f, .shift = 23 - 6};
    by.base = (int32_t)(qc_bits_of_f32(by.offset) >> by.shift);
    for (unsigned round = 0; round < 8; round++)
        for (size_t count = 0; count <= MAX_COUNT; count = next_count(count)) {
            size_t outside = round < 4 ? count : random_bits() % (count + 1);
            memset(found, 0, sizeof found);
            memset(right, 0, sizeof right);
            for (size_t i = 0; i < count; i++) {
                values[i] = (float)((int)(random_bits() % 2001) - 1000) / 1024;
                if (random_bits() % 3 == 0) /* number 0, which is counted in turn */
                    values[i] = by.centre / QC_SHRINK;
                if (i == outside)
                    values[i] = 1e30f;
            }
            size_t done = PARTIAL(kernels->bin_values(&by, -BINS / 2, BINS / 2 - 1, values, count,
                                                      BINS / 2, found + BINS / 2));
            for (size_t i = 0; i < done && i < count; i++) {
                int32_t number = bin_of(&by, values[i]);
                number = number == 0 ? BINS / 2 + (int32_t)(i % QC_TURNS) : number;
                if (number < -BINS / 2 || number >= BINS / 2 + QC_TURNS)
                    WRONG("value %zu of %zu is outside of the bins", i, count);
                right[BINS / 2 + number].sum += values[i];
                right[BINS / 2 + number].count += 1;
            }
            if (done > outside || (outside == count && !is_enough(done, count)) ||
                !is_same(found, right, sizeof right))
                WRONG("%zu of %zu values", done, count);
        }
    return NULL;
}

/* Widths that a kernel need not do are 5 to 8; symbols beyond their width may be left as well. */
static const char *check_count_blocks(const qc_kernels *kernels)
{
    enum { SYMBOLS = 70000, LEFT = 512 };
    static qc_histogram found, right;
    for (unsigned round = 0; round < 240; round++) {
        unsigned width = 1 + round % 8, too_large = round / 8 % 3 == 2;
        size_t count = round < 200 ? random_bits() % 5000 : random_bits() % SYMBOLS;
        uint8_t *symbols = last_bytes(input, count);
        fill(symbols, count, round / 8);
        for (size_t i = 0; i < count; i++)
            symbols[i] &= (uint8_t)((1u << width) - 1);
        if (too_large && count > 0)
            symbols[random_bits() % count] = 255;
        fill((uint8_t *)found, sizeof found, 2);
        found[3][255] = 7; /* counts are added to those that are there */
        memcpy(right, found, sizeof right);
        size_t done = PARTIAL(kernels->count_blocks(symbols, count, width, found));
        for (size_t i = 0; i < done && i < count; i++)
            right[i % QC_HISTOGRAM_PARTS][symbols[i]]++;
        int must = width <= 4 && !too_large;
        if ((must && done + LEFT <= count) || done > count || done % QC_HISTOGRAM_PARTS != 0 ||
            !is_same(found, right, sizeof right))
            WRONG("%zu of %zu symbols of %u bits", done, count, width);
    }
    return NULL;
}

/* Bit by bit: the polynomial, reflected. */
static uint32_t slow_crc32c(uint32_t crc, const uint8_t *data, size_t size)
{
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint32_t low = (crc ^ (uint32_t)(data[bit / 8] >> bit % 8)) & 1;
        crc = crc >> 1 ^ (low ? 0x82F63B78u : 0);
    }
    return crc;
}

static const char *check_crc32c(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 4; round++)
        for (size_t size = 0; size <= 4200; size += size < 600 ? 1 : 37) {
            uint8_t *data = last_bytes(input, size);
            uint32_t start = (uint32_t)random_bits(), found = 0;
            fill(data, size, round);
            uint32_t right = slow_crc32c(start, data, size);
            COMPLETE(found = kernels->crc32c(start, data, size));
            if (!is_same(&found, &right, 4))
                WRONG("%zu bytes: %08x, not %08x", size, found, right);
        }
    return NULL;
}

static const char *check_crc32c_fold(const qc_kernels *kernels)
{
    for (unsigned round = 0; round < 4; round++)
        for (size_t size = 0; size <= 4200; size += size < 600 ? 1 : 37) {
            uint8_t *data = last_bytes(input, size), *folded = room(output, QC_CRC32C_FOLD);
            fill(data, size, round);
            for (size_t i = 0; i < QC_CRC32C_FOLD; i++)
                folded[i] = (uint8_t)random_bits();
            uint32_t before = slow_crc32c(0, folded, QC_CRC32C_FOLD);
            size_t done = PARTIAL(kernels->crc32c_fold(folded, data, size));
            if (done > size || size - done >= QC_CRC32C_FOLD)
                WRONG("%zu of %zu bytes", done, size);
            uint32_t found = slow_crc32c(0, folded, QC_CRC32C_FOLD);
            uint32_t right = slow_crc32c(before, data, done);
            if (!is_same(&found, &right, 4))
                WRONG("%zu bytes: %08x, not %08x", size, found, right);
        }
    return NULL;
}

#endif /* CHECKASM_COUNTS_H */
