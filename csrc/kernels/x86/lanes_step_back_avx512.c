/*
 * lanes_step_back.c with 32 lanes in a register: what it looks up is in registers too.
 */
#include "kernels/x86/lanes_encode_avx512.h"

#if QC_HAS_AVX512

/* Loops over the groups are unrolled: each step is done for all four before the next begins, so
   that four chains of dependent instructions run side by side. */
#define EACH_GROUP _Pragma("GCC unroll 4") for (unsigned g = 0; g < GROUPS; g++)

typedef struct tables {
    symbol_table class_of, states;
    __m512i max_bits, threshold, first, state_count;
} tables;

QC_AVX512 static __m512i load_classes(const uint8_t bytes[QC_LANES_MAX_CLASSES])
{
    return _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)bytes));
}

QC_AVX512 static tables load_tables(const qc_tans_encoder *encoder)
{
    return (tables){
        load_symbols(encoder->class_of), load_symbols(encoder->states),
        load_classes(encoder->max_bits), load_classes(encoder->threshold),
        load_classes(encoder->first),    _mm512_set1_epi16((short)(1u << encoder->state_bits))};
}

/* What it takes to step back over 64 symbols, two per lane. */
typedef struct steps {
    __m512i max_bits, threshold, first;
} steps;

QC_AVX512 static inline steps steps_of(const tables *tables, __m512i symbols)
{
    __m512i classes = look_up(&tables->class_of, symbols);
    return (steps){_mm512_permutexvar_epi8(classes, tables->max_bits),
                   _mm512_permutexvar_epi8(classes, tables->threshold),
                   _mm512_permutexvar_epi8(classes, tables->first)};
}

/* The steps of the first symbol of each lane, and of the second. */
QC_AVX512 static inline steps first_of(steps both)
{
    const __m512i low = _mm512_set1_epi16(0xFF);
    return (steps){_mm512_and_si512(both.max_bits, low), _mm512_and_si512(both.threshold, low),
                   both.first};
}

QC_AVX512 static inline steps second_of(steps both)
{
    return (steps){_mm512_srli_epi16(both.max_bits, 8), _mm512_srli_epi16(both.threshold, 8),
                   _mm512_srli_epi16(both.first, 8)};
}

typedef struct piece {
    __m512i bits, count;
} piece;

/* The state of a lane is in the low byte; `wide`: it may have 8 bits. */
QC_AVX512 static inline __m512i state_at(const tables *tables, __m512i index, int wide)
{
    const __mmask64 low_bytes = 0x5555555555555555u;
    if (wide)
        return _mm512_maskz_mov_epi8(low_bytes, look_up(&tables->states, index));
    return _mm512_maskz_permutex2var_epi8(low_bytes, tables->states.quarter[0], index,
                                          tables->states.quarter[1]);
}

/* One symbol back in every lane. */
QC_AVX512 static inline piece step_back(const tables *tables, steps steps, __m512i *states,
                                        int wide)
{
    const __m512i one = _mm512_set1_epi16(1);
    __mmask32 less = _mm512_cmplt_epu16_mask(*states, steps.threshold);
    __m512i count = _mm512_mask_sub_epi16(steps.max_bits, less, steps.max_bits, one);
    __m512i mask = _mm512_sub_epi16(_mm512_sllv_epi16(one, count), one);
    piece piece = {_mm512_and_si512(*states, mask), count};
    __m512i x = _mm512_srlv_epi16(_mm512_or_si512(*states, tables->state_count), count);
    *states = state_at(tables, _mm512_add_epi8(x, steps.first), wide);
    return piece;
}

QC_AVX512 static inline void turn_back(const tables *tables, const uint8_t *symbols,
                                       __m512i states[GROUPS], qc_lanes_pieces *pieces, int wide)
{
    steps both[GROUPS];
    piece second[GROUPS], first[GROUPS];
    EACH_GROUP both[g] = steps_of(tables, _mm512_loadu_si512(symbols + 64 * g));
    EACH_GROUP second[g] = step_back(tables, second_of(both[g]), &states[g], wide);
    EACH_GROUP first[g] = step_back(tables, first_of(both[g]), &states[g], wide);
    EACH_GROUP
    {
        __m512i upper = _mm512_sllv_epi16(first[g].bits, second[g].count);
        store_pieces(pieces, g, _mm512_or_si512(upper, second[g].bits),
                     _mm512_add_epi16(first[g].count, second[g].count));
    }
}

QC_AVX512 static inline void go_back(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                     uint8_t states[QC_LANES], qc_lanes_pieces *pieces, int wide)
{
    const tables tables = load_tables(encoder);
    __m512i now[GROUPS];
    EACH_GROUP now[g] =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(states + g * QC_GROUP_LANES)));
    for (size_t turn = qc_lanes_turn_count(symbols); turn-- > 0;)
        turn_back(&tables, qc_lanes_turn(symbols, turn), now, &pieces[turn], wide);
    EACH_GROUP _mm256_storeu_si256((__m256i *)(states + g * QC_GROUP_LANES),
                                   _mm512_cvtepi16_epi8(now[g]));
}

QC_AVX512 void qc_tans_step_back_avx512(const qc_lanes_turns *symbols,
                                        const qc_tans_encoder *encoder, uint8_t states[QC_LANES],
                                        qc_lanes_pieces *pieces)
{
    if (encoder->state_bits == QC_TANS_MAX_LOG)
        go_back(symbols, encoder, states, pieces, 1);
    else
        go_back(symbols, encoder, states, pieces, 0);
}

#endif /* QC_HAS_AVX512 */
