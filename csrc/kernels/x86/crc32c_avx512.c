/*
 * CRC32C by folding. The remainder of all data so far is kept as a longer polynomial with the same
 * remainder: QC_CRC32C_FOLD bytes, in vectors of 16 bytes. To read on means to move it past the
 * next QC_CRC32C_FOLD bytes, a multiplication by a power of x, and to add those. Each half of 8
 * bytes is multiplied by the power modulo the polynomial, which has 32 bits, so the product fits
 * into 16 bytes: the length of the remainder stays the same. Two multiplications and two additions
 * per 16 bytes, and all vectors are independent of each other.
 */
#include "kernels/crc32c_powers.h"
#include "kernels/x86/avx512.h"

#if QC_HAS_AVX512

#define VECTORS (QC_CRC32C_FOLD / 64)

QC_AVX512 static inline __m512i load(const uint8_t *data)
{
    return _mm512_loadu_si512((const void *)data);
}

#define AHEAD 4096

/* Memory is what folding waits for, above all if the data is taken in pieces, with stores between
   them. The address may be beyond the data. */
QC_AVX512 static inline void fetch_ahead(const uint8_t *data)
{
    _mm_prefetch((const char *)((uintptr_t)data + AHEAD), _MM_HINT_T0);
}

QC_AVX512 size_t qc_crc32c_fold_avx512(uint8_t *folded, const uint8_t *data, size_t size)
{
    const __m512i powers = _mm512_broadcast_i32x4(
        _mm_set_epi64x((int64_t)QC_CRC32C_FOLD_SECOND, (int64_t)QC_CRC32C_FOLD_FIRST));
    __m512i sums[VECTORS];
    size_t at = 0;
    for (unsigned v = 0; v < VECTORS; v++)
        sums[v] = load(folded + 64 * v);
    for (; size - at >= QC_CRC32C_FOLD; at += QC_CRC32C_FOLD)
        for (unsigned v = 0; v < VECTORS; v++) {
            fetch_ahead(data + at + 64 * v);
            __m512i first = _mm512_clmulepi64_epi128(sums[v], powers, 0x00);
            __m512i second = _mm512_clmulepi64_epi128(sums[v], powers, 0x11);
            __m512i next = _mm512_xor_si512(first, load(data + at + 64 * v));
            sums[v] = _mm512_xor_si512(second, next);
        }
    for (unsigned v = 0; v < VECTORS; v++)
        _mm512_storeu_si512((void *)(folded + 64 * v), sums[v]);
    return at;
}

#endif /* QC_HAS_AVX512 */
