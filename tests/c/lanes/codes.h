/*
 * Random codes of codings 4 and 5, of every kind that the format allows, and symbols for them.
 */
#ifndef LANES_CODES_H
#define LANES_CODES_H

#include "../support.h"
#include "kernels/lanes.h"

static inline unsigned random_below(unsigned limit) { return (unsigned)(random_bits() % limit); }

/* Complete lengths, by splitting leaves at random. */
static inline void random_huffman(qc_lanes_code *code, unsigned classes)
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

static inline void random_tans(qc_lanes_code *code, unsigned classes)
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

static inline unsigned random_code(qc_lanes_code *code, int is_tans)
{
    memset(code, 0, sizeof *code);
    unsigned width = 1 + random_below(QC_LANES_MAX_WIDTH);
    code->low_bits = random_below(width < 5 ? width : 5);
    code->has_escape = code->low_bits == 0 && random_below(3) == 0;
    unsigned values = 1u << (width - code->low_bits);
    unsigned max = values + code->has_escape;
    max = max < QC_LANES_MAX_CLASSES ? max : QC_LANES_MAX_CLASSES;
    unsigned min = 1 + code->has_escape;
    unsigned classes = min + random_below(max - min + 1);
    if (is_tans)
        random_tans(code, classes);
    else
        random_huffman(code, classes < 2 ? 2 : classes);
    unsigned first = random_below(values);
    for (unsigned i = 0; i < code->classes - code->has_escape; i++)
        code->values[i] = (uint8_t)((first + i) % values);
    return width;
}

static inline void random_symbols(const qc_lanes_code *code, unsigned width, uint8_t *symbols,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned class = random_below(random_below(code->classes) + 1);
        if (code->has_escape && class == code->classes - 1)
            symbols[i] = (uint8_t)random_below(1u << width);
        else
            symbols[i] = (uint8_t)((unsigned)code->values[class] << code->low_bits |
                                   random_below(1u << code->low_bits));
    }
}

#endif /* LANES_CODES_H */
