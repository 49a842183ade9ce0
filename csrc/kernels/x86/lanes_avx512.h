/*
 * The registers of 128 lanes in AVX-512: a group of 32 lanes is one register of 16-bit numbers.
 */
#ifndef QC_X86_LANES_AVX512_H
#define QC_X86_LANES_AVX512_H

#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define GROUPS QC_LANE_GROUPS

/* Loops over the groups are unrolled: each phase is done for all four before the next begins, so
   that four chains of dependent instructions run side by side. */
#define EACH_GROUP _Pragma("GCC unroll 4") for (unsigned g = 0; g < GROUPS; g++)

typedef struct lane_registers {
    __m512i high[GROUPS]; /* the next 16 bits */
    __m512i low[GROUPS];  /* the 16 bits behind them */
    __m512i spare[GROUPS];
} lane_registers;

/* 128 bytes that are looked up by the lowest 7 bits. */
typedef struct byte_table {
    __m512i low, high;
} byte_table;

QC_AVX512 static inline byte_table load_table(const uint8_t bytes[128])
{
    return (byte_table){_mm512_loadu_si512(bytes), _mm512_loadu_si512(bytes + 64)};
}

QC_AVX512 static inline __m512i look_up(byte_table table, __m512i index)
{
    return _mm512_permutex2var_epi8(table.low, index, table.high);
}

/* For the low byte of every 16-bit number; the high byte becomes 0. */
QC_AVX512 static inline __m512i look_up_wide(byte_table table, __m512i index)
{
    return _mm512_maskz_permutex2var_epi8(0x5555555555555555u, table.low, index, table.high);
}

/* The even or (first = 1) the odd 16-bit halves of 32 numbers. */
QC_AVX512 static inline __m512i halves(const uint32_t *numbers, int first)
{
    uint16_t places[QC_GROUP_LANES];
    for (int i = 0; i < QC_GROUP_LANES; i++)
        places[i] = (uint16_t)(2 * i + first);
    __m512i index = _mm512_loadu_si512(places);
    return _mm512_permutex2var_epi16(_mm512_loadu_si512(numbers), index,
                                     _mm512_loadu_si512(numbers + 16));
}

QC_AVX512 static inline lane_registers load_lanes(const qc_lanes_state *state)
{
    lane_registers lanes;
    EACH_GROUP
    {
        const uint32_t *buffer = state->buffer + g * QC_GROUP_LANES;
        lanes.high[g] = halves(buffer, 1);
        lanes.low[g] = halves(buffer, 0);
        lanes.spare[g] = _mm512_cvtepi8_epi16(
            _mm256_loadu_si256((const __m256i *)(state->spare + g * QC_GROUP_LANES)));
    }
    return lanes;
}

QC_AVX512 static inline void store_lanes(const lane_registers *lanes, qc_lanes_state *state)
{
    EACH_GROUP
    {
        uint16_t high[QC_GROUP_LANES], low[QC_GROUP_LANES];
        uint32_t *buffer = state->buffer + g * QC_GROUP_LANES;
        _mm512_storeu_si512(high, lanes->high[g]);
        _mm512_storeu_si512(low, lanes->low[g]);
        for (unsigned i = 0; i < QC_GROUP_LANES; i++)
            buffer[i] = (uint32_t)high[i] << 16 | low[i];
        _mm256_storeu_si256((__m256i *)(state->spare + g * QC_GROUP_LANES),
                            _mm512_cvtepi16_epi8(lanes->spare[g]));
    }
}

/* Which lanes have fewer than 16 bits and need a word, and where the words of each group are, and
   those of the next turn: bytes from state->words. */
typedef struct lane_needs {
    __mmask32 lanes[GROUPS];
    size_t words[GROUPS + 1];
} lane_needs;

QC_AVX512 static inline lane_needs find_needs(const lane_registers *lanes, size_t words)
{
    lane_needs needs;
    EACH_GROUP needs.lanes[g] = _mm512_movepi16_mask(lanes->spare[g]);
    needs.words[0] = words;
    EACH_GROUP needs.words[g + 1] =
        needs.words[g] + 2 * (unsigned)__builtin_popcount(needs.lanes[g]);
    return needs;
}

/* A word for every lane that needs one, in the order of groups and lanes. */
QC_AVX512 static inline void refill(lane_registers *lanes, const lane_needs *needs,
                                    const uint8_t *words)
{
    __m512i word[GROUPS];
    EACH_GROUP word[g] =
        _mm512_maskz_expand_epi16(needs->lanes[g], _mm512_loadu_si512(words + needs->words[g]));
    EACH_GROUP
    {
        /* Behind the 16 + spare bits that are there: a part ends the window, the rest follows. */
        __m512i there = _mm512_add_epi16(lanes->spare[g], _mm512_set1_epi16(16));
        __m512i missing = _mm512_sub_epi16(_mm512_setzero_si512(), lanes->spare[g]);
        lanes->high[g] = _mm512_or_si512(lanes->high[g], _mm512_srlv_epi16(word[g], there));
        lanes->low[g] = _mm512_or_si512(lanes->low[g], _mm512_sllv_epi16(word[g], missing));
        lanes->spare[g] = _mm512_mask_mov_epi16(lanes->spare[g], needs->lanes[g], there);
    }
}

/* Two symbols took `bits` (at most 14) of every lane. What the lanes need now comes first: a turn
   takes as long as the way from these counts over masks, addresses and words to the next ones. */
QC_AVX512 static inline void take_bits(lane_registers *lanes, const __m512i bits[GROUPS],
                                       lane_needs *needs)
{
    EACH_GROUP lanes->spare[g] = _mm512_sub_epi16(lanes->spare[g], bits[g]);
    *needs = find_needs(lanes, needs->words[GROUPS]);
    EACH_GROUP
    {
        lanes->high[g] = _mm512_shldv_epi16(lanes->high[g], lanes->low[g], bits[g]);
        lanes->low[g] = _mm512_sllv_epi16(lanes->low[g], bits[g]);
    }
}

/* The same for tANS of 256 states, whose two symbols take up to 16 bits: one after the other, as
   the instructions shift by less. `next` is what follows `first` bits. */
QC_AVX512 static inline void take_bits_twice(lane_registers *lanes, const __m512i next[GROUPS],
                                             const __m512i first[GROUPS],
                                             const __m512i second[GROUPS], lane_needs *needs)
{
    EACH_GROUP lanes->spare[g] =
        _mm512_sub_epi16(lanes->spare[g], _mm512_add_epi16(first[g], second[g]));
    *needs = find_needs(lanes, needs->words[GROUPS]);
    EACH_GROUP
    {
        __m512i low = _mm512_sllv_epi16(lanes->low[g], first[g]);
        lanes->high[g] = _mm512_shldv_epi16(next[g], low, second[g]);
        lanes->low[g] = _mm512_sllv_epi16(low, second[g]);
    }
}

/* ---- values, or the items of a table, to memory ---- */

/* Items are looked up in registers: values that pass through memory would wait there for the stores
   of items before them. Non-temporal stores fill whole lines, but the first of the values need not
   be the first item of a line. So items are written of the 64 values that begin `keep` before
   these, and a permutation of two registers both finds those and puts them into the order of
   put_places. */

typedef struct item_writer {
    uint8_t *out;
    __m512i items;
    __m512i before; /* the 64 values before the next ones */
    __m512i order;
} item_writer;

/* The order of put_places, of the values to write among those before and the next ones. */
QC_AVX512 static inline __m512i order_of_values(size_t size, size_t keep)
{
    uint8_t order[64];
    size_t places = 64 / size;
    for (size_t at = 0; at < 64; at++)
        order[at] = (uint8_t)(64 - keep + at % size * places + at / size);
    return _mm512_loadu_si512(order);
}

QC_AVX512 static inline item_writer write_values_to(uint8_t *out)
{
    const __m512i none = _mm512_setzero_si512();
    return (item_writer){out, none, none, none};
}

QC_AVX512 static inline item_writer write_items_to(const qc_item_run *run)
{
    const qc_look_up_table *table = run->table;
    return (item_writer){run->out, _mm512_loadu_si512(table->items), _mm512_loadu_si512(run->kept),
                         order_of_values(table->item_size, run->keep)};
}

/* The next 64 values; `size` of an item (1: the value) and `past_cache` are constants wherever this
   is called. */
QC_AVX512_INLINE void write_values(item_writer *writer, __m512i values, size_t size, int past_cache)
{
    uint8_t *out = writer->out;
    writer->out += 64 * size;
    if (size == 1) {
        vector_store(out, values);
        return;
    }
    __m512i ordered = _mm512_permutex2var_epi8(writer->before, writer->order, values);
    writer->before = values;
    put_places(ordered, writer->items, size, out, past_cache);
}

/* The values that the next run begins after. */
QC_AVX512 static inline void keep_values(const item_writer *writer, const qc_item_run *run)
{
    _mm512_storeu_si512(run->kept, writer->before);
}

#endif /* QC_HAS_AVX512 */
#endif /* QC_X86_LANES_AVX512_H */
