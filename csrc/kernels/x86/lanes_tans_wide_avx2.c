/*
 * lanes_tans_avx2.c for up to 256 states and 32 classes: a symbol takes up to 8 bits.
 *
 * So many states are too many for shuffles of 16 entries: what a state stands for is loaded, lane
 * by lane, by the integer units, while the vector units take the bits of other lanes.
 */
#include "kernels/x86/lanes_avx2.h"

#if QC_HAS_AVX2

#define BITS_MASK   7
#define CLASS_SHIFT 3
#define CLASS_MASK  31
#define BASE_SHIFT  8

/* Bytes by class, as a cascade of two blocks. */
typedef struct class_table {
    __m256i low, difference;
} class_table;

typedef struct tans_tables {
    powers powers;
    __m256i max_below_8; /* the last entry of states that take fewer bits than 8 */
    class_table values;
} tans_tables;

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

/* By state: the next state but for the bits to take, and below it class << 3 | bits, with the
   highest bit inverted. 8 bits are stored as 7: only the state of a class that has no other takes
   that many, and such classes are numbered behind all others, so that their entries are the
   largest. */
static void build_entries(const qc_lanes_state *state, const uint8_t numbers[QC_LANES_MAX_CLASSES],
                          qc_lanes_entries *entries)
{
    const qc_lanes_table *table = &state->table;
    for (unsigned i = 0; i < QC_LANES_TABLE; i++) {
        unsigned bits = table->bits_of[i] < BITS_MASK ? table->bits_of[i] : BITS_MASK;
        unsigned entry = (numbers[table->class_of[i]] << CLASS_SHIFT ^ 0x80) | bits;
        entries->even[i] = (uint32_t)table->base_of[i] << BASE_SHIFT | entry;
        entries->odd[i] = entries->even[i] << 16;
    }
}

QC_AVX2 static void load_tables(qc_lanes_state *state, tans_tables *tables)
{
    const qc_lanes_code *code = &state->code;
    uint8_t numbers[QC_LANES_MAX_CLASSES], values[QC_LANES_MAX_CLASSES] = {0};
    unsigned others = number_classes(code, numbers);
    for (unsigned i = 0; i < code->classes; i++) {
        int is_escape = i == code->classes - code->has_escape;
        values[numbers[i] ^ BLOCK] = is_escape ? state->escape : code->values[i];
    }
    if (!state->is_built)
        build_entries(state, numbers, &state->tables.entries);
    state->is_built = 1;
    tables->powers = load_powers();
    tables->max_below_8 = _mm256_set1_epi8((char)(((others << CLASS_SHIFT) - 1) ^ 0x80));
    tables->values = load_classes(values);
}

/* ---- looking up ---- */

/* The entries of all lanes, in their order, by states in the order of packus. Not inline: it has
   registers of its own. */
QC_AVX2 static __attribute__((noinline)) void
look_up(const qc_lanes_entries *entries, const uint8_t states[QC_LANES], uint16_t found[QC_LANES])
{
    for (unsigned g = 0; g < GROUPS; g++, states += QC_GROUP_LANES)
        for (unsigned eight = 0; eight < 4; eight++) {
            const uint8_t *from = states + 8 * (eight % 2 * 2 + eight / 2);
            for (unsigned i = 0; i < 8; i += 2, found += 2) {
                uint32_t two = entries->even[from[i]] | entries->odd[from[i + 1]];
                memcpy(found, &two, sizeof two);
            }
        }
}

QC_AVX2_INLINE __m256i value_of(const tans_tables *tables, __m256i entries)
{
    const __m256i mask = _mm256_set1_epi8(CLASS_MASK);
    return of_classes(tables->values,
                      _mm256_and_si256(_mm256_srli_epi16(entries, CLASS_SHIFT), mask));
}

/* One symbol of every lane of a group that was refilled, by what was found for it. Returns the
   lower bytes of that. */
QC_AVX2_INLINE __m256i decode_symbol(const tans_tables *tables, lane_group *group,
                                     const uint16_t found[QC_GROUP_LANES])
{
    const __m256i lower = _mm256_set1_epi16((1 << BASE_SHIFT) - 1);
    __m256i a = _mm256_loadu_si256((const __m256i *)found);
    __m256i b = _mm256_loadu_si256((const __m256i *)(found + 16));
    __m256i entries = _mm256_packus_epi16(_mm256_and_si256(a, lower), _mm256_and_si256(b, lower));
    __m256i base =
        _mm256_packus_epi16(_mm256_srli_epi16(a, BASE_SHIFT), _mm256_srli_epi16(b, BASE_SHIFT));
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

#define EACH_GROUP _Pragma("GCC unroll 4") for (unsigned g = 0; g < GROUPS; g++)

/* Each step is done for all groups before the next one, so that none waits for what it needs.
   `may_be_empty`, a constant where this is inlined: a lane may have used up all of its bits. */
QC_AVX2_INLINE void decode(qc_lanes_state *state, uint8_t *out, size_t turns, int may_be_empty)
{
    const powers powers = load_powers();
    const uint8_t *words = state->words;
    tans_tables tables;
    lane_group groups[GROUPS];
    __m256i first[GROUPS], second;
    _Alignas(32) uint8_t states[QC_LANES];
    _Alignas(32) uint16_t found[QC_LANES];
    load_tables(state, &tables);
    load_groups(state, groups);
    for (; turns > 0; turns--, out += QC_LANES_TURN) {
        EACH_GROUP vector_store(states + QC_GROUP_LANES * g, groups[g].state);
        look_up(&state->tables.entries, states, found);
        EACH_GROUP words = refill(&groups[g], powers, words, may_be_empty);
        EACH_GROUP
        {
            first[g] = decode_symbol(&tables, &groups[g], found + QC_GROUP_LANES * g);
            vector_store(states + QC_GROUP_LANES * g, groups[g].state);
        }
        look_up(&state->tables.entries, states, found);
        EACH_GROUP
        {
            second = decode_symbol(&tables, &groups[g], found + QC_GROUP_LANES * g);
            store_symbols(out + 2 * QC_GROUP_LANES * g, value_of(&tables, first[g]),
                          value_of(&tables, second));
        }
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
