/*
 * What packing and unpacking share (docs/format.md, section 7.2). Eight symbols of any width fill
 * whole bytes, as many as the width has bits: such a group is the unit of both.
 *
 * Symbols are spread, or gathered, by halving: the upper half of them moves as one, then the upper
 * half of each half, and so on. That is three shifts for eight symbols of any width.
 */
#ifndef QC_BITPACKING_H
#define QC_BITPACKING_H

#include "base/bytes.h"

#define QC_BITPACKED_GROUP 8

/* The bytes of `count` symbols. It cannot overflow for symbols that fit into memory. */
static inline size_t qc_bitpacked_bytes(size_t count, unsigned width)
{
    return count / QC_BITPACKED_GROUP * width + (count % QC_BITPACKED_GROUP * width + 7) / 8;
}

/* The lower half of every lane of 2 * half bits, where a lane holds two fields of `bits` bits. */
static inline uint64_t qc_lower_fields(unsigned bits, unsigned half)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (unsigned lane = 2 * half; lane < 64; lane *= 2)
        mask |= mask << lane;
    return mask;
}

/* In every lane of 2 * half bits, move the upper one of two adjacent fields up to `half`. */
static inline uint64_t qc_spread(uint64_t x, unsigned bits, unsigned half)
{
    uint64_t lower = qc_lower_fields(bits, half);
    return (x & lower) | ((x << (half - bits)) & lower << half);
}

/* The inverse of qc_spread. */
static inline uint64_t qc_gather(uint64_t x, unsigned bits, unsigned half)
{
    uint64_t lower = qc_lower_fields(bits, half);
    return (x & lower) | ((x & lower << half) >> (half - bits));
}

#endif /* QC_BITPACKING_H */
