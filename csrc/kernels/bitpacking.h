/*
 * What packing and unpacking share (format, section 7.2). Eight symbols of any width fill whole
 * bytes, as many as the width has bits: this group is the unit of both.
 *
 * Fields are spread apart, or moved together, by halving: the upper half of the symbols moves as
 * one, then in each half its upper half, and so on. That is three shifts for eight symbols of any
 * width.
 */
#ifndef QC_PACKED_H
#define QC_PACKED_H

#include "base/bytes.h"

#define QC_PACKED_GROUP 8

/* The bytes of `count` symbols. It cannot overflow for symbols that fit into memory. */
static inline size_t qc_packed_bytes(size_t count, unsigned width)
{
    return count / QC_PACKED_GROUP * width + (count % QC_PACKED_GROUP * width + 7) / 8;
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

#endif /* QC_PACKED_H */
