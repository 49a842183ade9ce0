/*
 * lanes_step_back.c with 32 lanes in a register: what it looks up is in registers too.
 */
#include "lanes_encode_avx512.h"

#if QC_HAS_AVX512

/* Loops over the groups are unrolled: each step is done for all four before the next begins, so
   that four chains of dependent instructions run side by side. */
#define EACH_GROUP _Pragma("GCC unroll 4") for (unsigned g = 0; g < GROUPS; g++)

typedef struct tables {
    symbol_table class_of;
    __m512i states[2];
    __m512i most_bits, threshold, first; /* 16 classes, in every 16 bytes */
} tables;

QC_AVX512 static __m512i load_classes(const uint8_t bytes[QC_TANS_MAX_CLASSES])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)bytes));
}

QC_AVX512 static tables load_tables(const qc_tans_encoder *encoder)
{
    tables tables;
    tables.class_of = load_symbols(encoder->class_of);
    for (unsigned i = 0; i < 2; i++)
        tables.states[i] = _mm512_loadu_si512(encoder->states + 64 * i);
    tables.most_bits = load_classes(encoder->most_bits);
    tables.threshold = load_classes(encoder->threshold);
    tables.first = load_classes(encoder->first);
    return tables;
}

/* What the classes of 64 symbols, two a lane, need to step back. */
typedef struct steps {
    __m512i most_bits, threshold, first;
} steps;

QC_AVX512 static inline steps steps_of(const tables *tables, __m512i symbols)
{
    __m512i classes = look_up(&tables->class_of, symbols);
    return (steps){_mm512_shuffle_epi8(tables->most_bits, classes),
                   _mm512_shuffle_epi8(tables->threshold, classes),
                   _mm512_shuffle_epi8(tables->first, classes)};
}

/* The steps of the first symbol of each lane, and of the second. */
QC_AVX512 static inline steps first_of(steps both)
{
    const __m512i low = _mm512_set1_epi16(0xFF);
    return (steps){_mm512_and_si512(both.most_bits, low), _mm512_and_si512(both.threshold, low),
                   both.first};
}

QC_AVX512 static inline steps second_of(steps both)
{
    return (steps){_mm512_srli_epi16(both.most_bits, 8), _mm512_srli_epi16(both.threshold, 8),
                   _mm512_srli_epi16(both.first, 8)};
}

/* One symbol back in every lane. Returns the pieces. */
QC_AVX512 static inline __m512i step_back(const tables *tables, steps steps, __m512i *states)
{
    const __m512i one = _mm512_set1_epi16(1);
    __mmask32 less = _mm512_cmplt_epu16_mask(*states, steps.threshold);
    __m512i count = _mm512_mask_sub_epi16(steps.most_bits, less, steps.most_bits, one);
    __m512i mark = _mm512_sllv_epi16(one, count);
    __m512i below = _mm512_and_si512(*states, _mm512_sub_epi16(mark, one));
    __m512i index = _mm512_add_epi8(_mm512_srlv_epi16(*states, count), steps.first);
    *states = _mm512_maskz_permutex2var_epi8(0x5555555555555555u, tables->states[0], index,
                                             tables->states[1]);
    return _mm512_or_si512(mark, below);
}

QC_AVX512 static inline void turn_back(const tables *tables, const uint8_t *symbols,
                                       __m512i states[GROUPS], uint8_t *pieces)
{
    steps both[GROUPS];
    __m512i second[GROUPS], first[GROUPS];
    EACH_GROUP both[g] = steps_of(tables, _mm512_loadu_si512(symbols + 64 * g));
    EACH_GROUP second[g] = step_back(tables, second_of(both[g]), &states[g]);
    EACH_GROUP first[g] = step_back(tables, first_of(both[g]), &states[g]);
    EACH_GROUP _mm512_storeu_si512(pieces + 64 * g,
                                   _mm512_or_si512(first[g], _mm512_slli_epi16(second[g], 8)));
}

QC_AVX512 void qc_tans_step_back_avx512(const qc_lanes_turns *symbols,
                                        const qc_tans_encoder *encoder, uint8_t states[QC_LANES],
                                        uint8_t *pieces, uint8_t *last)
{
    const tables tables = load_tables(encoder);
    __m512i now[GROUPS];
    EACH_GROUP now[g] =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(states + g * QC_GROUP_LANES)));
    if (symbols->last != NULL)
        turn_back(&tables, symbols->last, now, last);
    for (size_t end = symbols->whole * QC_LANES_TURN; end > 0; end -= QC_LANES_TURN)
        turn_back(&tables, symbols->bytes + end - QC_LANES_TURN, now, pieces + end - QC_LANES_TURN);
    EACH_GROUP _mm256_storeu_si256((__m256i *)(states + g * QC_GROUP_LANES),
                                   _mm512_cvtepi16_epi8(now[g]));
}

#endif /* QC_HAS_AVX512 */
