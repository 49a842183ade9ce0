/*
 * The upper levels of the tree in registers of 8 nodes, the lower ones gathered from L1.
 */
#include "kernels/x86/avx2.h"

#if QC_HAS_AVX2

#define REGISTER_LEVELS 5

/* The threshold of each node, all of them on one level. */
QC_AVX2 static inline __m256 thresholds_at(const float *tree, const __m256 nodes[4], unsigned level,
                                           __m256i node)
{
    if (level < 3)
        return _mm256_permutevar8x32_ps(nodes[0], node);
    if (level == 3)
        return _mm256_permutevar8x32_ps(nodes[1], node);
    if (level >= REGISTER_LEVELS)
        return _mm256_i32gather_ps(tree, node, 4);
    /* Bit 3 of the number, moved to the sign, chooses. */
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(nodes[2], node),
                            _mm256_permutevar8x32_ps(nodes[3], node),
                            _mm256_castsi256_ps(_mm256_slli_epi32(node, 28)));
}

QC_AVX2 static inline size_t descend(const float *tree, unsigned levels, const float *values,
                                     size_t count, uint8_t *codes)
{
    const __m256i low_bytes =
        _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                         -1, 0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256 none = _mm256_setzero_ps();
    __m256 nodes[4] = {none, none, none, none};
    size_t i = 0;
    for (unsigned part = 0; part < (levels <= 3 ? 1u : 1u << (levels - 3)) && part < 4; part++)
        nodes[part] = _mm256_loadu_ps(tree + 8 * part);
    for (; count - i >= 8; i += 8) {
        __m256 value = _mm256_loadu_ps(values + i);
        __m256i node = _mm256_set1_epi32(1);
        for (unsigned level = 0; level < levels; level++) {
            __m256 greater =
                _mm256_cmp_ps(value, thresholds_at(tree, nodes, level, node), _CMP_GT_OQ);
            node = _mm256_sub_epi32(_mm256_add_epi32(node, node), _mm256_castps_si256(greater));
        }
        node =
            _mm256_shuffle_epi8(_mm256_sub_epi32(node, _mm256_set1_epi32(1 << levels)), low_bytes);
        _mm_storel_epi64((__m128i *)(codes + i), _mm_or_si128(_mm256_castsi256_si128(node),
                                                              _mm256_extracti128_si256(node, 1)));
    }
    return i;
}

QC_AVX2 size_t qc_descend_avx2(const float *tree, unsigned levels, const float *values,
                               size_t count, uint8_t *codes)
{
    switch (levels) { /* constants, so that the tree stays in registers */
    case 1: return descend(tree, 1, values, count, codes);
    case 2: return descend(tree, 2, values, count, codes);
    case 3: return descend(tree, 3, values, count, codes);
    case 4: return descend(tree, 4, values, count, codes);
    case 5: return descend(tree, 5, values, count, codes);
    default: return descend(tree, levels, values, count, codes);
    }
}

#endif /* QC_HAS_AVX2 */
