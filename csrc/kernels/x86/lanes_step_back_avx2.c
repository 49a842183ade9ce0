/*
 * lanes_step_back.c with the states of 32 lanes in a register, one byte each, in the order in which
 * packus joins the symbols of lanes 0 to 15 and of lanes 16 to 31.
 */
#include "kernels/x86/lanes_encode_avx2.h"

#if QC_HAS_AVX2

/* Bytes by class; those of classes from 16 on as their difference to those before. */
typedef struct class_table {
    __m256i low, high;
} class_table;

typedef struct tables {
    symbol_table class_of, states;
    class_table min_bits, threshold, first; /* min_bits is max_bits - 1 */
    __m256i tops;                           /* S >> count, mod 256, by count */
    int has_high;
} tables;

QC_AVX2_INLINE class_table load_classes(const uint8_t bytes[QC_LANES_MAX_CLASSES])
{
    __m256i low = load_block(bytes);
    return (class_table){low, _mm256_xor_si256(low, load_block(bytes + BLOCK))};
}

QC_AVX2 static tables load_tables(const qc_tans_encoder *encoder)
{
    uint8_t min[QC_LANES_MAX_CLASSES], tops[BLOCK];
    for (unsigned i = 0; i < QC_LANES_MAX_CLASSES; i++)
        min[i] = (uint8_t)(encoder->max_bits[i] - 1);
    for (unsigned count = 0; count < BLOCK; count++)
        tops[count] = (uint8_t)(1u << encoder->state_bits >> count);
    return (tables){
        load_symbols(encoder->class_of),  load_symbols(encoder->states), load_classes(min),
        load_classes(encoder->threshold), load_classes(encoder->first),  load_block(tops),
        encoder->classes > BLOCK};
}

QC_AVX2_INLINE __m256i of_classes(const tables *tables, class_table bytes, __m256i classes)
{
    __m256i found = _mm256_shuffle_epi8(bytes.low, classes);
    if (tables->has_high)
        found = _mm256_xor_si256(
            found,
            _mm256_shuffle_epi8(bytes.high, _mm256_sub_epi8(classes, _mm256_set1_epi8(BLOCK))));
    return found;
}

/* Bytes, each shifted by its own count: multiplied by 2^(7 - count), then shifted by 7. */
QC_AVX2_INLINE __m256i shift_right(__m256i bytes, __m256i counts)
{
    const __m256i powers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i zero = _mm256_setzero_si256();
    __m256i factors = _mm256_shuffle_epi8(powers, counts);
    __m256i low =
        _mm256_mullo_epi16(_mm256_unpacklo_epi8(bytes, zero), _mm256_unpacklo_epi8(factors, zero));
    __m256i high =
        _mm256_mullo_epi16(_mm256_unpackhi_epi8(bytes, zero), _mm256_unpackhi_epi8(factors, zero));
    return _mm256_packus_epi16(_mm256_srli_epi16(low, 7), _mm256_srli_epi16(high, 7));
}

/* 2^count, as two bytes: counts are at most 8. */
typedef struct powers {
    __m256i low, high;
} powers;

QC_AVX2_INLINE powers powers_of(__m256i counts)
{
    const __m256i low = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i high =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0));
    return (powers){_mm256_shuffle_epi8(low, counts), _mm256_shuffle_epi8(high, counts)};
}

typedef struct piece {
    __m256i bits, count;
    powers powers; /* of count */
} piece;

/* One symbol back in every lane. */
QC_AVX2_INLINE piece step_back(const tables *tables, __m256i classes, __m256i *states)
{
    __m256i threshold = of_classes(tables, tables->threshold, classes);
    __m256i reached = _mm256_cmpeq_epi8(_mm256_min_epu8(*states, threshold), threshold);
    __m256i min = of_classes(tables, tables->min_bits, classes);
    __m256i count = _mm256_sub_epi8(min, reached);
    powers powers = powers_of(count);
    __m256i mask = _mm256_sub_epi8(powers.low, _mm256_set1_epi8(1));
    piece piece = {_mm256_and_si256(*states, mask), count, powers};
    __m256i first = _mm256_add_epi8(of_classes(tables, tables->first, classes),
                                    _mm256_shuffle_epi8(tables->tops, count));
    *states = look_up(&tables->states, _mm256_add_epi8(shift_right(*states, count), first));
    return piece;
}

/* A turn of one group. */
QC_AVX2_INLINE void group_back(const tables *tables, const uint8_t *symbols, __m256i *states,
                               qc_lanes_pieces *pieces, unsigned lane)
{
    const __m256i is_first = _mm256_set1_epi16(0xFF), zero = _mm256_setzero_si256();
    __m256i a = look_up(&tables->class_of, load_register(symbols));
    __m256i b = look_up(&tables->class_of, load_register(symbols + 32));
    __m256i classes = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
    piece second = step_back(tables, classes, states);
    classes = _mm256_packus_epi16(_mm256_and_si256(a, is_first), _mm256_and_si256(b, is_first));
    piece first = step_back(tables, classes, states);
    powers powers = second.powers;
    a = _mm256_mullo_epi16(_mm256_unpacklo_epi8(first.bits, zero),
                           _mm256_unpacklo_epi8(powers.low, powers.high));
    b = _mm256_mullo_epi16(_mm256_unpackhi_epi8(first.bits, zero),
                           _mm256_unpackhi_epi8(powers.low, powers.high));
    store_pieces(pieces, lane, _mm256_or_si256(a, _mm256_unpacklo_epi8(second.bits, zero)),
                 _mm256_or_si256(b, _mm256_unpackhi_epi8(second.bits, zero)),
                 _mm256_add_epi8(first.count, second.count));
}

QC_AVX2 void qc_tans_step_back_avx2(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                    uint8_t states[QC_LANES], qc_lanes_pieces *pieces)
{
    const tables tables = load_tables(encoder);
    __m256i now[GROUPS];
    for (unsigned g = 0; g < GROUPS; g++)
        now[g] = swap_quarters(load_register(states + g * QC_GROUP_LANES));
    for (size_t turn = qc_lanes_turn_count(symbols); turn-- > 0;)
        for (unsigned g = 0; g < GROUPS; g++)
            group_back(&tables, qc_lanes_turn(symbols, turn) + 64 * g, &now[g], &pieces[turn],
                       g * QC_GROUP_LANES);
    for (unsigned g = 0; g < GROUPS; g++)
        _mm256_storeu_si256((__m256i *)(states + g * QC_GROUP_LANES), swap_quarters(now[g]));
}

#endif /* QC_HAS_AVX2 */
