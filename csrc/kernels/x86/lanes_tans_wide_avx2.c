/*
 * lanes_tans_avx2.c for up to 256 states and 32 classes: a symbol takes up to 8 bits.
 */
#include "kernels/x86/lanes_avx2.h"

#if QC_HAS_AVX2

#define BITS_MASK   7
#define CLASS_SHIFT 3
#define CLASS_MASK  31

/* A cascade for each half of the states; only `lower` if there are at most 128. */
typedef struct state_table {
    cascade lower, upper;
} state_table;

/* Bytes by class, as a cascade of two blocks. */
typedef struct class_table {
    __m256i low, difference;
} class_table;

/* By state: class << 3 | bits to take, with the highest bit inverted, and the next state but for
   those bits. 8 bits are stored as 7: only the state of a class that has no other takes that many,
   and such classes are numbered behind all others, so that their entries are the largest. */
typedef struct tans_tables {
    powers powers;
    state_table entries, bases;
    __m256i max_below_8; /* the last entry of the others */
    class_table values;
} tans_tables;

QC_AVX2 static void load_states(const uint8_t bytes[QC_LANES_TABLE], state_table *table)
{
    load_cascade(bytes, 0, BLOCKS - 1, &table->lower);
    load_cascade(bytes + 128, 0, BLOCKS - 1, &table->upper);
}

QC_AVX2 static class_table load_classes(const uint8_t bytes[QC_LANES_MAX_CLASSES])
{
    __m128i low = _mm_loadu_si128((const __m128i *)bytes);
    __m128i high = _mm_loadu_si128((const __m128i *)(bytes + BLOCK));
    return (class_table){twice(low), twice(_mm_xor_si128(low, high))};
}

QC_AVX2_INLINE __m256i of_classes(class_table table, __m256i classes)
{
    __m256i behind = _mm256_sub_epi8(classes, _mm256_set1_epi8(BLOCK));
    return _mm256_xor_si256(_mm256_shuffle_epi8(table.low, classes),
                            _mm256_shuffle_epi8(table.difference, behind));
}

static unsigned takes_8_bits(const qc_lanes_code *code, unsigned class)
{
    return code->state_bits == 8 && code->counts[class] == 1;
}

/* Number the classes: those that take 8 bits last. Returns how many the others are. */
static unsigned number_classes(const qc_lanes_code *code, uint8_t numbers[QC_LANES_MAX_CLASSES])
{
    unsigned next[2] = {0, code->classes};
    for (unsigned i = 0; i < code->classes; i++)
        next[1] -= takes_8_bits(code, i);
    unsigned others = next[1];
    for (unsigned i = 0; i < code->classes; i++)
        numbers[i] = (uint8_t)next[takes_8_bits(code, i)]++;
    return others;
}

QC_AVX2 static void load_entries(const qc_lanes_state *state,
                                 const uint8_t numbers[QC_LANES_MAX_CLASSES], state_table *table)
{
    uint8_t entries[QC_LANES_TABLE], upper_bits[QC_LANES_MAX_CLASSES] = {0};
    for (unsigned i = 0; i < state->code.classes; i++)
        upper_bits[i] = (uint8_t)(numbers[i] << CLASS_SHIFT ^ 0x80);
    const class_table uppers = load_classes(upper_bits);
    for (unsigned i = 0; i < QC_LANES_TABLE; i += 32) {
        __m256i classes = _mm256_loadu_si256((const __m256i *)(state->table.class_of + i));
        __m256i bits = _mm256_loadu_si256((const __m256i *)(state->table.bits_of + i));
        bits = _mm256_min_epu8(bits, _mm256_set1_epi8(BITS_MASK));
        _mm256_storeu_si256((__m256i *)(entries + i),
                            _mm256_or_si256(of_classes(uppers, classes), bits));
    }
    load_states(entries, table);
}

QC_AVX2 static void load_tables(const qc_lanes_state *state, tans_tables *tables)
{
    const qc_lanes_code *code = &state->code;
    uint8_t numbers[QC_LANES_MAX_CLASSES], values[QC_LANES_MAX_CLASSES] = {0};
    unsigned others = number_classes(code, numbers);
    for (unsigned i = 0; i < code->classes; i++) {
        int is_escape = i == code->classes - code->has_escape;
        values[numbers[i] ^ BLOCK] = is_escape ? state->escape : code->values[i];
    }
    tables->powers = load_powers();
    load_entries(state, numbers, &tables->entries);
    load_states(state->table.base_of, &tables->bases);
    tables->max_below_8 = _mm256_set1_epi8((char)(((others << CLASS_SHIFT) - 1) ^ 0x80));
    tables->values = load_classes(values);
}

/* `has_upper` is a constant where this is inlined. */
QC_AVX2_INLINE __m256i of_states(const state_table *table, __m256i states, int has_upper)
{
    const __m256i zero = _mm256_setzero_si256();
    if (!has_upper)
        return add_blocks(zero, &table->lower, 0, BLOCKS - 1, states);
    __m256i place = _mm256_and_si256(states, _mm256_set1_epi8(127));
    return _mm256_blendv_epi8(add_blocks(zero, &table->lower, 0, BLOCKS - 1, place),
                              add_blocks(zero, &table->upper, 0, BLOCKS - 1, place), states);
}

QC_AVX2_INLINE __m256i value_of(const tans_tables *tables, __m256i entries)
{
    const __m256i mask = _mm256_set1_epi8(CLASS_MASK);
    return of_classes(tables->values,
                      _mm256_and_si256(_mm256_srli_epi16(entries, CLASS_SHIFT), mask));
}

/* One symbol of every lane. Returns its entries. */
QC_AVX2_INLINE __m256i decode_symbol(const tans_tables *tables, lane_group *group, int has_upper)
{
    __m256i entries = of_states(&tables->entries, group->state, has_upper);
    __m256i base = of_states(&tables->bases, group->state, has_upper);
    __m256i is_8 = _mm256_cmpgt_epi8(entries, tables->max_below_8);
    __m256i bits = _mm256_sub_epi8(_mm256_and_si256(entries, _mm256_set1_epi8(BITS_MASK)), is_8);
    wide shift = power_of_two(tables->powers, bits);
    __m256i next = _mm256_packus_epi16(_mm256_mulhi_epu16(group->high_a, shift.a),
                                       _mm256_mulhi_epu16(group->high_b, shift.b));
    group->state = _mm256_add_epi8(base, next);
    shift_bits(group, shift);
    group->spare = _mm256_sub_epi8(group->spare, bits);
    return entries;
}

/* Two symbols of every lane of a group that was refilled. */
QC_AVX2_INLINE void decode_group(const tans_tables *tables, lane_group *group, uint8_t *out,
                                 int has_upper)
{
    __m256i first = decode_symbol(tables, group, has_upper);
    __m256i second = decode_symbol(tables, group, has_upper);
    store_symbols(out, value_of(tables, first), value_of(tables, second));
}

QC_AVX2_INLINE void decode(qc_lanes_state *state, uint8_t *out, size_t turns, int has_upper)
{
    const powers powers = load_powers();
    const uint8_t *words = state->words;
    tans_tables tables;
    lane_group groups[GROUPS];
    load_tables(state, &tables);
    load_groups(state, groups);
    words = refill(&groups[0], powers, words, has_upper);
    words = refill(&groups[1], powers, words, has_upper);
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        words = refill(&groups[2], powers, words, has_upper);
        decode_group(&tables, &groups[0], out, has_upper);
        words = refill(&groups[3], powers, words, has_upper);
        decode_group(&tables, &groups[1], out + 64, has_upper);
        if (turns > 1)
            words = refill(&groups[0], powers, words, has_upper);
        decode_group(&tables, &groups[2], out + 128, has_upper);
        if (turns > 1)
            words = refill(&groups[1], powers, words, has_upper);
        decode_group(&tables, &groups[3], out + 192, has_upper);
    }
    store_groups(groups, state);
    state->words = words;
}

QC_AVX2 void qc_lanes_tans_wide_avx2(qc_lanes_state *state, uint8_t *out, size_t turns)
{
    if (state->code.state_bits == 8)
        decode(state, out, turns, 1);
    else
        decode(state, out, turns, 0);
}

#endif /* QC_HAS_AVX2 */
