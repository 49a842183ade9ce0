/*
 * Masks of the largest magnitudes, and what finds their threshold. Magnitudes are compared as
 * integers, the bits of the float without its sign, so these loops become vector code.
 */
#include "base/float_bits.h"
#include "qcodec_numeric.h"

#define BLOCK 1024 /* stays in L1 */

int qc_all_finite(const float *values, size_t count)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (qc_bits_of_f32(values[i]) & QC_F32_INFINITY) == QC_F32_INFINITY;
    return bad == 0;
}

static size_t count_above(const float *values, size_t count, uint32_t level)
{
    uint32_t above = 0; /* of a block */
    for (size_t i = 0; i < count; i++)
        above += (int32_t)qc_magnitude_of_f32(values[i]) > (int32_t)level;
    return above;
}

size_t qc_magnitudes_between(const float *values, size_t count, float min, float max, size_t *above,
                             float *between)
{
    uint32_t low = qc_magnitude_of_f32(min), high = qc_magnitude_of_f32(max);
    size_t found = 0;
    *above = 0;
    for (size_t start = 0; start < count; start += BLOCK) {
        size_t block = count - start < BLOCK ? count - start : BLOCK;
        *above += count_above(values + start, block, high);
        for (size_t i = start; i < start + block; i++) {
            uint32_t magnitude = qc_magnitude_of_f32(values[i]);
            between[found] = qc_f32_of_bits(magnitude); /* overwritten if it is not between */
            found += magnitude - low <= high - low;
        }
    }
    return found;
}

static void mask_at_least(const float *values, size_t count, uint32_t level, uint8_t *mask)
{
    for (size_t i = 0; i < count; i++)
        mask[i] = (int32_t)qc_magnitude_of_f32(values[i]) >= (int32_t)level;
}

void qc_mask_above(const float *values, size_t count, float threshold, size_t ties, uint8_t *mask)
{
    uint32_t level = qc_magnitude_of_f32(threshold);
    size_t i = 0;
    for (; ties > 0 && i < count; i += BLOCK) {
        size_t block = count - i < BLOCK ? count - i : BLOCK, equal = 0;
        for (size_t j = i; j < i + block; j++)
            equal += qc_magnitude_of_f32(values[j]) == level;
        mask_at_least(values + i, block, level, mask + i);
        /* The last ones must go. If values have changed since they were counted, they may be fewer:
           then the block ends the search. */
        for (size_t j = i + block; j > i && equal > ties; j--)
            if (qc_magnitude_of_f32(values[j - 1]) == level) {
                mask[j - 1] = 0;
                equal--;
            }
        ties -= equal < ties ? equal : ties;
    }
    if (i < count)
        mask_at_least(values + i, count - i, level + 1, mask + i);
}

/* Of each pair the smaller one, or the later of equal ones, goes down a rank. */
static inline void mask_group(const float *values, size_t n, size_t m, uint8_t *mask)
{
    uint32_t magnitudes[QC_MAX_N_OF_M];
    uint8_t ranks[QC_MAX_N_OF_M];
    for (size_t i = 0; i < m; i++) {
        magnitudes[i] = qc_magnitude_of_f32(values[i]);
        ranks[i] = 0;
        for (size_t j = 0; j < i; j++) {
            uint8_t greater = magnitudes[i] > magnitudes[j];
            ranks[j] = (uint8_t)(ranks[j] + greater);
            ranks[i] = (uint8_t)(ranks[i] + 1 - greater);
        }
    }
    for (size_t i = 0; i < m; i++)
        mask[i] = ranks[i] < n;
}

static inline void mask_groups(const float *values, size_t groups, size_t n, size_t m,
                               uint8_t *mask)
{
    for (size_t group = 0; group < groups; group++)
        mask_group(values + group * m, n, m, mask + group * m);
}

/* All groups of a row, or of rows that follow each other without a shorter group. */
static void mask_row(const float *values, size_t count, size_t n, size_t m, uint8_t *mask)
{
    size_t groups = count / m, rest = count % m;
    switch (m) { /* constants, so that the loops are unrolled */
    case 2: mask_groups(values, groups, n, 2, mask); break;
    case 4: mask_groups(values, groups, n, 4, mask); break;
    case 8: mask_groups(values, groups, n, 8, mask); break;
    default: mask_groups(values, groups, n, m, mask);
    }
    mask_group(values + count - rest, n, rest, mask + count - rest);
}

void qc_mask_n_of_m(const float *values, size_t rows, size_t row, size_t n, size_t m, uint8_t *mask)
{
    if (row % m == 0) {
        mask_row(values, rows * row, n, m, mask);
        return;
    }
    for (size_t i = 0; i < rows; i++)
        mask_row(values + i * row, row, n, m, mask + i * row);
}
