/*
 * The registers of 128 lanes in AVX2: a group of 32 lanes is two registers of 16-bit numbers, A for
 * its lanes 0 to 15 and B for 16 to 31, and one of bytes in the order in which packus joins A and
 * B: unpacklo and unpackhi with zeros, or of two such registers, take them apart again.
 */
#ifndef QC_X86_LANES_AVX2_H
#define QC_X86_LANES_AVX2_H

#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#include "kernels/expand_table.h"

#define GROUPS QC_LANE_GROUPS
#define BLOCK  16 /* entries that one byte shuffle looks up */
#define BLOCKS (128 / BLOCK)

typedef struct lane_group {
    __m256i high_a, high_b; /* the next 16 bits */
    __m256i low_a, low_b;   /* the 16 bits behind them */
    __m256i spare;          /* bytes */
    __m256i state;          /* bytes; tANS */
} lane_group;

/* 16-bit powers of two of bytes, in halves: 2^n for n below 16. */
typedef struct powers {
    __m256i low, high;
} powers;

typedef struct wide {
    __m256i a, b;
} wide;

QC_AVX2_INLINE __m256i twice(__m128i half) { return _mm256_broadcastsi128_si256(half); }

QC_AVX2_INLINE powers load_powers(void)
{
    return (powers){twice(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0)),
                    twice(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, -128))};
}

QC_AVX2_INLINE wide power_of_two(powers powers, __m256i exponents)
{
    __m256i low = _mm256_shuffle_epi8(powers.low, exponents);
    __m256i high = _mm256_shuffle_epi8(powers.high, exponents);
    return (wide){_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high)};
}

/* Of bytes below 8. */
QC_AVX2_INLINE wide power_of_two_below_8(powers powers, __m256i exponents)
{
    __m256i low = _mm256_shuffle_epi8(powers.low, exponents);
    return (wide){_mm256_unpacklo_epi8(low, _mm256_setzero_si256()),
                  _mm256_unpackhi_epi8(low, _mm256_setzero_si256())};
}

/* ---- memory to registers and back: once a call ---- */

/* Quarters 1 and 2 of a register change places: what pack and unpack, which keep to halves, and
   lanes in their order need to meet. */
QC_AVX2_INLINE __m256i swap_quarters(__m256i x) { return _mm256_permute4x64_epi64(x, 0xD8); }

QC_AVX2_INLINE __m256i load_bytes(const void *bytes)
{
    return swap_quarters(_mm256_loadu_si256(bytes));
}

QC_AVX2_INLINE void store_bytes(__m256i values, void *bytes)
{
    _mm256_storeu_si256(bytes, swap_quarters(values));
}

/* The upper and lower halves of 16 buffers. */
QC_AVX2_INLINE void load_buffers(const uint32_t buffers[16], __m256i *high, __m256i *low)
{
    __m256i first = _mm256_loadu_si256((const __m256i *)buffers);
    __m256i last = _mm256_loadu_si256((const __m256i *)(buffers + 8));
    const __m256i is_low = _mm256_set1_epi32(0xFFFF);
    *high = swap_quarters(
        _mm256_packus_epi32(_mm256_srli_epi32(first, 16), _mm256_srli_epi32(last, 16)));
    *low = swap_quarters(
        _mm256_packus_epi32(_mm256_and_si256(first, is_low), _mm256_and_si256(last, is_low)));
}

QC_AVX2_INLINE void store_buffers(__m256i high, __m256i low, uint32_t buffers[16])
{
    high = swap_quarters(high);
    low = swap_quarters(low);
    _mm256_storeu_si256((__m256i *)buffers, _mm256_unpacklo_epi16(low, high));
    _mm256_storeu_si256((__m256i *)(buffers + 8), _mm256_unpackhi_epi16(low, high));
}

QC_AVX2_INLINE lane_group load_group(const qc_lanes_state *state, unsigned g)
{
    unsigned lane = g * QC_GROUP_LANES;
    lane_group group;
    load_buffers(state->buffer + lane, &group.high_a, &group.low_a);
    load_buffers(state->buffer + lane + 16, &group.high_b, &group.low_b);
    group.spare = load_bytes(state->spare + lane);
    group.state = load_bytes(state->state + lane);
    return group;
}

QC_AVX2_INLINE void store_group(lane_group group, unsigned g, qc_lanes_state *state)
{
    unsigned lane = g * QC_GROUP_LANES;
    store_buffers(group.high_a, group.low_a, state->buffer + lane);
    store_buffers(group.high_b, group.low_b, state->buffer + lane + 16);
    store_bytes(group.spare, state->spare + lane);
    store_bytes(group.state, state->state + lane);
}

/* Groups are numbered by constants here and wherever they are used: a number that varies would keep
   them all in memory, and cost a fifth of the speed. */
QC_AVX2_INLINE void load_groups(const qc_lanes_state *state, lane_group groups[GROUPS])
{
    groups[0] = load_group(state, 0);
    groups[1] = load_group(state, 1);
    groups[2] = load_group(state, 2);
    groups[3] = load_group(state, 3);
}

QC_AVX2_INLINE void store_groups(const lane_group groups[GROUPS], qc_lanes_state *state)
{
    store_group(groups[0], 0, state);
    store_group(groups[1], 1, state);
    store_group(groups[2], 2, state);
    store_group(groups[3], 3, state);
}

/* ---- refilling and taking bits ---- */

QC_AVX2_INLINE __m128i next_words(const uint8_t *words, unsigned lanes)
{
    const __m128i *shuffle = (const __m128i *)qc_expand_table[lanes];
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)words), _mm_loadu_si128(shuffle));
}

/* The bits of the next words that belong into the window: all of them in lanes without a bit. */
QC_AVX2_INLINE __m256i upper_parts(__m256i words, __m256i shift, int may_be_empty)
{
    __m256i parts = _mm256_mulhi_epu16(words, shift);
    if (!may_be_empty)
        return parts;
    __m256i is_empty = _mm256_cmpeq_epi16(shift, _mm256_setzero_si256());
    return _mm256_or_si256(parts, _mm256_and_si256(words, is_empty));
}

/* A word for every lane that has fewer than 16 bits, in the order of the lanes. The addresses
   depend on the mask alone, not on each other's loads. `may_be_empty`, a constant: some may have
   none. */
QC_AVX2_INLINE const uint8_t *refill(lane_group *group, powers powers, const uint8_t *words,
                                     int may_be_empty)
{
    unsigned needs = (unsigned)_mm256_movemask_epi8(group->spare);
    unsigned a0 = needs & 255, b0 = needs >> 8 & 255, a1 = needs >> 16 & 255, b1 = needs >> 24;
    const uint8_t *at_a1 = words + 2 * (unsigned)__builtin_popcount(a0);
    const uint8_t *at_b0 = words + 2 * (unsigned)__builtin_popcount(needs & 0x00FF00FF);
    const uint8_t *at_b1 = words + 2 * (unsigned)__builtin_popcount(needs & 0x00FFFFFF);
    __m256i word_a = _mm256_set_m128i(next_words(at_a1, a1), next_words(words, a0));
    __m256i word_b = _mm256_set_m128i(next_words(at_b1, b1), next_words(at_b0, b0));
    /* Behind the 16 + spare bits that are there; 2^16 becomes 0, as an exponent of 0x80 has no
       power. Other lanes have a word of 0. */
    __m256i missing = _mm256_sub_epi8(_mm256_set1_epi8(0x70), group->spare);
    wide shift = power_of_two(powers, missing);
    group->high_a = _mm256_or_si256(group->high_a, upper_parts(word_a, shift.a, may_be_empty));
    group->high_b = _mm256_or_si256(group->high_b, upper_parts(word_b, shift.b, may_be_empty));
    group->low_a = _mm256_or_si256(group->low_a, _mm256_mullo_epi16(word_a, shift.a));
    group->low_b = _mm256_or_si256(group->low_b, _mm256_mullo_epi16(word_b, shift.b));
    /* As unsigned numbers, negative ones are larger than all others. */
    group->spare =
        _mm256_min_epu8(group->spare, _mm256_add_epi8(group->spare, _mm256_set1_epi8(16)));
    return words + 2 * (unsigned)__builtin_popcount(needs);
}

/* Away with bits, at most 15 in each lane, of which these are the powers of two. */
QC_AVX2_INLINE void shift_bits(lane_group *group, wide shift)
{
    group->high_a = _mm256_or_si256(_mm256_mullo_epi16(group->high_a, shift.a),
                                    _mm256_mulhi_epu16(group->low_a, shift.a));
    group->high_b = _mm256_or_si256(_mm256_mullo_epi16(group->high_b, shift.b),
                                    _mm256_mulhi_epu16(group->low_b, shift.b));
    group->low_a = _mm256_mullo_epi16(group->low_a, shift.a);
    group->low_b = _mm256_mullo_epi16(group->low_b, shift.b);
}

/* Two symbols took `bits` (at most 14) of every lane. */
QC_AVX2_INLINE void take_bits(lane_group *group, powers powers, __m256i bits)
{
    shift_bits(group, power_of_two(powers, bits));
    group->spare = _mm256_sub_epi8(group->spare, bits);
}

/* ---- looking up bytes by 7 bits ---- */

/* Blocks of 16 entries from number `lowest` up to `top`, each as its difference to the next lower
   one: a look-up adds up (by xor) all blocks that do not begin behind its index. */
typedef struct cascade {
    __m256i difference[BLOCKS];
} cascade;

QC_AVX2_INLINE void load_cascade(const uint8_t bytes[128], unsigned lowest, unsigned top,
                                 cascade *cascade)
{
    for (unsigned block = lowest; block <= top; block++) {
        __m128i entries = _mm_loadu_si128((const __m128i *)(bytes + BLOCK * block));
        if (block > lowest)
            entries = _mm_xor_si128(
                entries, _mm_loadu_si128((const __m128i *)(bytes + BLOCK * (block - 1))));
        cascade->difference[block] = twice(entries);
    }
}

/* `index` minus the block's first one is negative in front of the block: the shuffle gives 0. */
QC_AVX2_INLINE __m256i add_blocks(__m256i found, const cascade *cascade, unsigned lowest,
                                  unsigned top, __m256i index)
{
#pragma GCC unroll 8
    for (unsigned block = lowest; block <= top; block++) {
        __m256i place = _mm256_sub_epi8(index, _mm256_set1_epi8((char)(BLOCK * block)));
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(cascade->difference[block], place));
    }
    return found;
}

/* The symbols of a group, first and second of every lane, in their order. */
QC_AVX2_INLINE void store_symbols(uint8_t *out, __m256i first, __m256i second)
{
    _mm256_storeu_si256((__m256i *)out, _mm256_unpacklo_epi8(first, second));
    _mm256_storeu_si256((__m256i *)(out + 32), _mm256_unpackhi_epi8(first, second));
}

/* ---- turns as items of a table ---- */

/* After each turn its values are looked up, so that stores of items go on while the next turn is
   decoded; a whole block of either would let the other wait. The values pass through memory, as the
   lanes leave no registers.

   Non-temporal stores are aligned, but the first of the values need not be the first item of a
   register. So items are written of the 32 values that begin `keep` before those of the turn. They
   are put together from two registers: a load of them would wait until both stores of the values
   that it reads are done, and these queue behind the items. */
typedef struct item_writer {
    _Alignas(32) uint8_t values[QC_LANES_TURN];
    __m256i planes[4];
    __m256i before; /* the 32 values before the turn */
    /* Places of bytes in two registers, which hold what is before each half of the next values and
       the half itself; the top bit is set where the other register has the byte. */
    __m256i from_before, from_next;
    int is_far; /* more than half a register is kept */
    int past_cache;
    size_t size;  /* of an item */
    uint8_t *out; /* of the turn's items */
} item_writer;

QC_AVX2 static inline void begin_items(item_writer *writer, const qc_item_run *run)
{
    uint8_t from_before[16], from_next[16];
    size_t keep = run->keep > 16 ? run->keep - 16 : run->keep;
    for (size_t i = 0; i < 16; i++) {
        from_before[i] = (uint8_t)(i < keep ? 16 - keep + i : 0x80);
        from_next[i] = (uint8_t)(i < keep ? 0x80 : i - keep);
    }
    writer->from_before = load_row(from_before);
    writer->from_next = load_row(from_next);
    writer->is_far = run->keep > 16;
    writer->before = vector_load(run->kept + QC_KEPT_CODES - 32);
    writer->past_cache = run->past_cache;
    writer->size = run->table->item_size;
    writer->out = run->out;
    if (writer->size == 4)
        load_planes_4(run->table->items, writer->planes);
    else
        load_planes_2(run->table->items, writer->planes);
}

/* `size` and `past_cache` are constants. */
QC_AVX2_INLINE void write_turn_as(item_writer *writer, size_t size, int past_cache)
{
    __m256i planes[4], before = writer->before;
    const __m256i from_before = writer->from_before, from_next = writer->from_next;
    const int is_far = writer->is_far;
    uint8_t *out = writer->out;
    for (unsigned i = 0; i < size; i++)
        planes[i] = writer->planes[i];
    for (size_t i = 0; i < QC_LANES_TURN; i += 32, out += 32 * size) {
        __m256i values = vector_load(writer->values + i);
        __m256i between = _mm256_permute2x128_si256(before, values, 0x21);
        __m256i first = is_far ? before : between, second = is_far ? between : values;
        before = values;
        put_items(planes,
                  _mm256_or_si256(_mm256_shuffle_epi8(first, from_before),
                                  _mm256_shuffle_epi8(second, from_next)),
                  size, out, past_cache);
    }
    writer->before = before;
    writer->out = out;
}

/* The items of a turn. Not inline: its registers are others than those of the lanes. */
QC_AVX2 static __attribute__((noinline, unused)) void write_turn(item_writer *writer)
{
    if (writer->size == 4 && writer->past_cache)
        write_turn_as(writer, 4, 1);
    else if (writer->size == 4)
        write_turn_as(writer, 4, 0);
    else if (writer->past_cache)
        write_turn_as(writer, 2, 1);
    else
        write_turn_as(writer, 2, 0);
}

/* The values that the next run begins after. */
QC_AVX2 static inline void end_items(const item_writer *writer, const qc_item_run *run)
{
    vector_store(run->kept + QC_KEPT_CODES - 32, writer->before);
}

#endif /* QC_HAS_AVX2 */
#endif /* QC_X86_LANES_AVX2_H */
