/*
 * lanes_step_back.c with the states of 32 lanes in a register, a byte each, in the order in which
 * packus joins the symbols of lanes 0 to 15 and of lanes 16 to 31.
 */
#include "lanes_encode_avx2.h"

#if QC_HAS_AVX2

typedef struct tables {
    symbol_table class_of, states;
    __m256i least_bits, threshold, first; /* by class; least_bits is one less than the most */
} tables;

QC_AVX2 static tables load_tables(const qc_tans_encoder *encoder)
{
    uint8_t states[256] = {0};
    memcpy(states, encoder->states, sizeof encoder->states);
    return (tables){.class_of = load_symbols(encoder->class_of),
                    .states = load_symbols(states),
                    .least_bits =
                        _mm256_sub_epi8(load_block(encoder->most_bits), _mm256_set1_epi8(1)),
                    .threshold = load_block(encoder->threshold),
                    .first = load_block(encoder->first)};
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

/* One symbol back in every lane. Returns the pieces. */
QC_AVX2_INLINE __m256i step_back(const tables *tables, __m256i classes, __m256i *states)
{
    const __m256i powers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i threshold = _mm256_shuffle_epi8(tables->threshold, classes);
    __m256i reached = _mm256_cmpeq_epi8(_mm256_min_epu8(*states, threshold), threshold);
    __m256i least = _mm256_shuffle_epi8(tables->least_bits, classes);
    __m256i count = _mm256_sub_epi8(least, reached);
    __m256i mark = _mm256_shuffle_epi8(powers, count);
    __m256i below = _mm256_and_si256(*states, _mm256_sub_epi8(mark, _mm256_set1_epi8(1)));
    __m256i first = _mm256_shuffle_epi8(tables->first, classes);
    *states = look_up(&tables->states, _mm256_add_epi8(shift_right(*states, count), first));
    return _mm256_or_si256(mark, below);
}

/* A turn of one group. */
QC_AVX2_INLINE void group_back(const tables *tables, const uint8_t *symbols, __m256i *states,
                               uint8_t *pieces)
{
    const __m256i is_first = _mm256_set1_epi16(0xFF);
    __m256i a = look_up(&tables->class_of, load_register(symbols));
    __m256i b = look_up(&tables->class_of, load_register(symbols + 32));
    __m256i second = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
    __m256i first =
        _mm256_packus_epi16(_mm256_and_si256(a, is_first), _mm256_and_si256(b, is_first));
    second = step_back(tables, second, states);
    first = step_back(tables, first, states);
    _mm256_storeu_si256((__m256i *)pieces, _mm256_unpacklo_epi8(first, second));
    _mm256_storeu_si256((__m256i *)(pieces + 32), _mm256_unpackhi_epi8(first, second));
}

QC_AVX2 static void turn_back(const tables *tables, const uint8_t *symbols, __m256i states[GROUPS],
                              uint8_t *pieces)
{
    for (unsigned g = 0; g < GROUPS; g++)
        group_back(tables, symbols + 64 * g, &states[g], pieces + 64 * g);
}

/* From the order of the lanes to that of packus, and back. */
QC_AVX2_INLINE __m256i swap_quarters(__m256i x) { return _mm256_permute4x64_epi64(x, 0xD8); }

QC_AVX2 void qc_tans_step_back_avx2(const qc_lanes_turns *symbols, const qc_tans_encoder *encoder,
                                    uint8_t states[QC_LANES], uint8_t *pieces, uint8_t *last)
{
    const tables tables = load_tables(encoder);
    __m256i now[GROUPS];
    for (unsigned g = 0; g < GROUPS; g++)
        now[g] = swap_quarters(load_register(states + g * QC_GROUP_LANES));
    if (symbols->last != NULL)
        turn_back(&tables, symbols->last, now, last);
    for (size_t end = symbols->whole * QC_LANES_TURN; end > 0; end -= QC_LANES_TURN)
        turn_back(&tables, symbols->bytes + end - QC_LANES_TURN, now, pieces + end - QC_LANES_TURN);
    for (unsigned g = 0; g < GROUPS; g++)
        _mm256_storeu_si256((__m256i *)(states + g * QC_GROUP_LANES), swap_quarters(now[g]));
}

#endif /* QC_HAS_AVX2 */
