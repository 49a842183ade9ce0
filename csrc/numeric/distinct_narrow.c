/*
 * The distinct values of a type of 16 bits: a set of bits has one for each pattern. Patterns are
 * rotated left by one bit, so that they ascend by magnitude and the sign is the lowest bit.
 */
#include "numeric/steps.h"

#define WORD_BITS 64
#define WORDS     (((size_t)1 << 16) / WORD_BITS)

static inline uint32_t rotated(qc_dtype dtype, uint32_t bits)
{
    uint32_t narrow = dtype == QC_F16 ? qc_f16_of_f32(bits) : qc_bf16_of_f32(bits);
    return (narrow << 1 | narrow >> 15) & 0xFFFF;
}

static inline uint32_t turned_back(qc_dtype dtype, uint32_t pattern)
{
    uint32_t narrow = pattern >> 1 | (pattern & 1) << 15;
    return dtype == QC_F16 ? qc_f32_of_f16(narrow) : qc_f32_of_bf16(narrow);
}

/* Append the patterns of a word. Returns the new number of values. */
static size_t append(uint64_t word, size_t index, qc_dtype dtype, float *few, size_t found,
                     size_t limit)
{
    for (uint32_t bit = 0; bit < WORD_BITS && word >> bit != 0 && found <= limit; bit++)
        if (word >> bit & 1) {
            if (found < limit)
                few[found] =
                    qc_f32_of_bits(turned_back(dtype, (uint32_t)(index * WORD_BITS) + bit));
            found++;
        }
    return found;
}

size_t qc_distinct_narrow(const float *values, size_t count, qc_dtype dtype, uint32_t min,
                          uint32_t max, float *few, size_t limit, qc_ticker *ticker)
{
    uint64_t seen[WORDS];
    size_t first = rotated(dtype, min) / WORD_BITS, last = rotated(dtype, max) / WORD_BITS;
    size_t found = 0;
    seen[0] = 0; /* zeros */
    if (first > last)
        return 0;
    memset(seen + first, 0, (last - first + 1) * sizeof *seen);
    for (size_t i = 0; i < count; i++) {
        if (i % QC_STEP_PIECE == 0 && qc_tick(ticker, QC_STEP_PIECE / QC_STEP_VALUES))
            return 0;
        uint32_t bits = qc_bits_of_f32(values[i]), pattern = rotated(dtype, bits);
        size_t index = pattern / WORD_BITS;
        /* Values may have changed since their extremes were found. */
        if (bits != turned_back(dtype, pattern) || index > last || (index < first && index > 0))
            return 0;
        seen[index] |= (uint64_t)1 << pattern % WORD_BITS;
    }
    if (first > 0)
        found = append(seen[0], 0, dtype, few, found, limit);
    for (size_t index = first; index <= last; index++)
        found = append(seen[index], index, dtype, few, found, limit);
    return found <= limit ? found : 0;
}
