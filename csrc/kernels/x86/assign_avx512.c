/*
 * The tree in registers: a level of up to 16 nodes is one that is permuted by the node's number,
 * and the deeper ones are pairs of registers, two bits of the number choosing between pairs.
 */
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define MAX_LEVELS 8

/* The 2^level nodes of a level, from their first one. */
QC_AVX512 static inline __m512 thresholds_at(const __m512 *tree, unsigned level, __m512i place)
{
    /* Nodes 1 to 15 are in the first register, node n at n; a level is 16, 32, 64, 128 after it. */
    const __m512 *nodes = tree + (level < 4 ? 0 : (size_t)1 << (level - 4));
    if (level < 5)
        return _mm512_permutexvar_ps(place, nodes[0]);
    __m512 found = _mm512_permutex2var_ps(nodes[0], place, nodes[1]);
    for (unsigned pair = 1; pair < 1u << (level - 5); pair++) {
        __m512i number = _mm512_srli_epi32(place, 5);
        __mmask16 here = _mm512_cmpeq_epi32_mask(
            _mm512_and_si512(number, _mm512_set1_epi32((1 << (level - 5)) - 1)),
            _mm512_set1_epi32((int)pair));
        found = _mm512_mask_mov_ps(
            found, here, _mm512_permutex2var_ps(nodes[2 * pair], place, nodes[2 * pair + 1]));
    }
    return found;
}

QC_AVX512 static inline size_t descend(const float *tree, unsigned levels, const float *values,
                                       size_t count, uint8_t *codes)
{
    __m512 nodes[1 << (MAX_LEVELS - 4)];
    size_t i = 0;
    for (unsigned part = 0; part < (levels < 4 ? 1u : 1u << (levels - 4)); part++)
        nodes[part] = _mm512_loadu_ps(tree + 16 * part);
    for (; count - i >= 16; i += 16) {
        __m512 value = _mm512_loadu_ps(values + i);
        __m512i node = _mm512_set1_epi32(1);
        for (unsigned level = 0; level < levels; level++) {
            __m512 threshold = thresholds_at(nodes, level, node);
            __mmask16 greater = _mm512_cmp_ps_mask(value, threshold, _CMP_GT_OQ);
            node = _mm512_add_epi32(node, node);
            node = _mm512_mask_add_epi32(node, greater, node, _mm512_set1_epi32(1));
        }
        /* The leading 1 of the number of a leaf at depth 8 is cut off too. */
        node = _mm512_sub_epi32(node, _mm512_set1_epi32(1 << levels));
        _mm_storeu_si128((__m128i *)(codes + i), _mm512_cvtepi32_epi8(node));
    }
    return i;
}

QC_AVX512 size_t qc_descend_avx512(const float *tree, unsigned levels, const float *values,
                                   size_t count, uint8_t *codes)
{
    switch (levels) { /* constants, so that the tree stays in registers */
    case 1: return descend(tree, 1, values, count, codes);
    case 2: return descend(tree, 2, values, count, codes);
    case 3: return descend(tree, 3, values, count, codes);
    case 4: return descend(tree, 4, values, count, codes);
    case 5: return descend(tree, 5, values, count, codes);
    case 6: return descend(tree, 6, values, count, codes);
    case 7: return descend(tree, 7, values, count, codes);
    case 8: return descend(tree, 8, values, count, codes);
    default: return 0;
    }
}

#endif /* QC_HAS_AVX512 */
