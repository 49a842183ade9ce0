/*
 * The registers of 128 lanes in NEON: a group of 32 lanes is four registers of 16-bit numbers, and
 * two of bytes. All are in the order of the lanes.
 */
#ifndef QC_ARM_LANES_NEON_H
#define QC_ARM_LANES_NEON_H

#include "kernels/arm/neon.h"

#if QC_HAS_NEON

#include "kernels/expand_table.h"

#define GROUPS     QC_LANE_GROUPS
#define HALVES     2 /* of a group: 16 lanes, a register of bytes */
#define HALF_LANES 16
#define QUARTERS   4 /* of a group: 8 lanes, a register of 16-bit numbers */

typedef struct lane_group {
    uint16x8_t high[QUARTERS]; /* the next 16 bits */
    uint16x8_t low[QUARTERS];  /* the 16 bits behind them */
    int8x16_t spare[HALVES];
    uint8x16_t state[HALVES]; /* tANS */
} lane_group;

/* ---- memory to registers and back: once a call ---- */

QC_NEON_INLINE lane_group load_group(const qc_lanes_state *state, unsigned g)
{
    unsigned lane = g * QC_GROUP_LANES;
    lane_group group;
    for (unsigned i = 0; i < QUARTERS; i++) {
        uint16x8_t first = vreinterpretq_u16_u32(vld1q_u32(state->buffer + lane + 8 * i));
        uint16x8_t last = vreinterpretq_u16_u32(vld1q_u32(state->buffer + lane + 8 * i + 4));
        group.high[i] = vuzp2q_u16(first, last);
        group.low[i] = vuzp1q_u16(first, last);
    }
    for (unsigned i = 0; i < HALVES; i++) {
        group.spare[i] = vld1q_s8(state->spare + lane + HALF_LANES * i);
        group.state[i] = vld1q_u8(state->state + lane + HALF_LANES * i);
    }
    return group;
}

QC_NEON_INLINE void store_group(lane_group group, unsigned g, qc_lanes_state *state)
{
    unsigned lane = g * QC_GROUP_LANES;
    for (unsigned i = 0; i < QUARTERS; i++) {
        uint16x8_t first = vzip1q_u16(group.low[i], group.high[i]);
        uint16x8_t last = vzip2q_u16(group.low[i], group.high[i]);
        vst1q_u32(state->buffer + lane + 8 * i, vreinterpretq_u32_u16(first));
        vst1q_u32(state->buffer + lane + 8 * i + 4, vreinterpretq_u32_u16(last));
    }
    for (unsigned i = 0; i < HALVES; i++) {
        vst1q_s8(state->spare + lane + HALF_LANES * i, group.spare[i]);
        vst1q_u8(state->state + lane + HALF_LANES * i, group.state[i]);
    }
}

/* Groups are numbered by constants here and wherever they are used: a number that varies would keep
   them all in memory. */
QC_NEON_INLINE void load_groups(const qc_lanes_state *state, lane_group groups[GROUPS])
{
    groups[0] = load_group(state, 0);
    groups[1] = load_group(state, 1);
    groups[2] = load_group(state, 2);
    groups[3] = load_group(state, 3);
}

QC_NEON_INLINE void store_groups(const lane_group groups[GROUPS], qc_lanes_state *state)
{
    store_group(groups[0], 0, state);
    store_group(groups[1], 1, state);
    store_group(groups[2], 2, state);
    store_group(groups[3], 3, state);
}

/* ---- refilling and taking bits ---- */

/* One byte a quarter: a bit for each lane that has fewer than 16 bits. */
QC_NEON_INLINE uint8x16_t lanes_in_need(const int8x16_t spare[HALVES])
{
    const uint8x16_t bit_of = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201u));
    uint8x16_t first = vandq_u8(vcltzq_s8(spare[0]), bit_of);
    uint8x16_t last = vandq_u8(vcltzq_s8(spare[1]), bit_of);
    uint8x16_t sums = vpaddq_u8(first, last);
    sums = vpaddq_u8(sums, sums);
    return vpaddq_u8(sums, sums);
}

/* The next words for these lanes of a quarter, 0 for all others. */
QC_NEON_INLINE uint16x8_t next_words(const uint8_t *words, unsigned lanes)
{
    return vreinterpretq_u16_u8(vqtbl1q_u8(vld1q_u8(words), vld1q_u8(qc_expand_table[lanes])));
}

/* Lanes of a half as 16-bit numbers, a quarter each. */
QC_NEON_INLINE int16x8_t quarter_of(int8x16_t half, unsigned quarter)
{
    return quarter % 2 == 0 ? vmovl_s8(vget_low_s8(half)) : vmovl_high_s8(half);
}

/* A word for every lane that has fewer than 16 bits, in the order of the lanes. */
QC_NEON_INLINE const uint8_t *refill(lane_group *group, const uint8_t *words)
{
    uint8x16_t needs = lanes_in_need(group->spare);
    uint32_t lanes = vgetq_lane_u32(vreinterpretq_u32_u8(needs), 0);
    uint32_t counts = vgetq_lane_u32(vreinterpretq_u32_u8(vcntq_u8(needs)), 0);
    uint32_t ends = counts * 0x01010101u; /* of each quarter's words: its byte and those before */
    for (unsigned i = 0; i < QUARTERS; i++) {
        unsigned before = ends << 8 >> 8 * i & 255;
        uint16x8_t word = next_words(words + 2 * before, lanes >> 8 * i & 255);
        /* Behind the 16 + spare bits that are there; shifts to the right are negative. */
        int16x8_t missing = vnegq_s16(quarter_of(group->spare[i / 2], i));
        group->low[i] = vorrq_u16(group->low[i], vshlq_u16(word, missing));
        group->high[i] =
            vorrq_u16(group->high[i], vshlq_u16(word, vsubq_s16(missing, vdupq_n_s16(16))));
    }
    for (unsigned i = 0; i < HALVES; i++) {
        /* As unsigned numbers, negative ones are larger than all others. */
        uint8x16_t spare = vreinterpretq_u8_s8(group->spare[i]);
        group->spare[i] = vreinterpretq_s8_u8(vminq_u8(spare, vaddq_u8(spare, vdupq_n_u8(16))));
    }
    return words + 2 * (ends >> 24);
}

/* Two symbols took `bits` (at most 16) of every lane. */
QC_NEON_INLINE void take_bits(lane_group *group, const uint8x16_t bits[HALVES])
{
    for (unsigned i = 0; i < QUARTERS; i++) {
        int16x8_t left = quarter_of(vreinterpretq_s8_u8(bits[i / 2]), i);
        int16x8_t right = vsubq_s16(left, vdupq_n_s16(16));
        group->high[i] =
            vorrq_u16(vshlq_u16(group->high[i], left), vshlq_u16(group->low[i], right));
        group->low[i] = vshlq_u16(group->low[i], left);
    }
    for (unsigned i = 0; i < HALVES; i++)
        group->spare[i] = vsubq_s8(group->spare[i], vreinterpretq_s8_u8(bits[i]));
}

/* The next bits of 16 lanes as bytes; shifts to the right are negative. */
QC_NEON_INLINE uint8x16_t next_bits(uint16x8_t first, uint16x8_t last, int8x16_t bits)
{
    const int16x8_t width = vdupq_n_s16(16);
    first = vshlq_u16(first, vsubq_s16(quarter_of(bits, 0), width));
    last = vshlq_u16(last, vsubq_s16(quarter_of(bits, 1), width));
    return vuzp1q_u8(vreinterpretq_u8_u16(first), vreinterpretq_u8_u16(last));
}

/* The symbols of half a group, first and second of every lane, in their order. */
QC_NEON_INLINE void store_symbols(uint8_t *out, uint8x16_t first, uint8x16_t second)
{
    uint8x16x2_t pairs = {{first, second}};
    vst2q_u8(out, pairs);
}

/* ---- looking up bytes by 7 bits ---- */

/* All entries, as the instructions take them: 64 at a time. */
typedef struct byte_table {
    uint8x16x4_t lower, upper;
} byte_table;

QC_NEON_INLINE byte_table load_table(const uint8_t bytes[128])
{
    return (byte_table){vld1q_u8_x4(bytes), vld1q_u8_x4(bytes + 64)};
}

/* An index outside of a table leaves what was found before. */
QC_NEON_INLINE uint8x16_t look_up_upper(uint8x16_t found, const byte_table *table, uint8x16_t index)
{
    return vqtbx4q_u8(found, table->upper, vsubq_u8(index, vdupq_n_u8(64)));
}

QC_NEON_INLINE uint8x16_t look_up_any(const byte_table *table, uint8x16_t index)
{
    return look_up_upper(vqtbl4q_u8(table->lower, index), table, index);
}

#endif /* QC_HAS_NEON */
#endif /* QC_ARM_LANES_NEON_H */
