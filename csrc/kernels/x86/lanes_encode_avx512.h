/*
 * What the lanes encoders in AVX-512 share: 256 bytes in registers, looked up by symbol,
 * and how pieces are stored.
 */
#ifndef QC_X86_LANES_ENCODE_AVX512_H
#define QC_X86_LANES_ENCODE_AVX512_H

#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define GROUPS QC_LANE_GROUPS

typedef struct symbol_table {
    __m512i quarter[4];
} symbol_table;

QC_AVX512 static inline symbol_table load_symbols(const uint8_t bytes[256])
{
    symbol_table table;
    for (unsigned i = 0; i < 4; i++)
        table.quarter[i] = _mm512_loadu_si512(bytes + 64 * i);
    return table;
}

QC_AVX512 static inline __m512i look_up(const symbol_table *table, __m512i symbols)
{
    __m512i low = _mm512_permutex2var_epi8(table->quarter[0], symbols, table->quarter[1]);
    __m512i high = _mm512_permutex2var_epi8(table->quarter[2], symbols, table->quarter[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(symbols), low, high);
}

/* Of a group: 16-bit numbers. */
QC_AVX512 static inline void store_pieces(qc_lanes_pieces *pieces, unsigned group, __m512i bits,
                                          __m512i counts)
{
    unsigned lane = group * QC_GROUP_LANES;
    _mm512_storeu_si512(pieces->bits + lane, bits);
    _mm256_storeu_si256((__m256i *)(pieces->counts + lane), _mm512_cvtepi16_epi8(counts));
}

#endif /* QC_HAS_AVX512 */
#endif /* QC_X86_LANES_ENCODE_AVX512_H */
