/*
 * CRC32C by instruction. An instruction takes 8 bytes, and its result is there three cycles later,
 * so a single chain would leave two thirds of the time unused. Three parts of the data are read
 * side by side instead, the second and third with a register of 0. As remainders are linear, the
 * register of the whole is the sum of the three, each moved past the parts behind it: multiplied by
 * x^(8 * bytes behind), modulo the polynomial. That is one carry-less multiplication by a constant
 * (crc32c_powers.h), and one CRC instruction for the remainder.
 */
#include "kernels/crc32c_powers.h"
#include "kernels/kernels.h"

#if QC_HAS_SSE42

#include <nmmintrin.h>
#include <wmmintrin.h>

/* Since version 14 clang has CRC32 as a feature of its own, which a target may lack that has
   SSE4.2; to other compilers it is part of SSE4.2. */
#if defined(__clang__) && __clang_major__ >= 14
#define SSE42        __attribute__((target("sse4.2,crc32,pclmul")))
#define SSE42_INLINE SSE42 static inline __attribute__((always_inline))
#elif defined(__GNUC__)
#define SSE42        __attribute__((target("sse4.2,pclmul")))
#define SSE42_INLINE SSE42 static inline __attribute__((always_inline))
#else
#define SSE42
#define SSE42_INLINE static inline
#endif

#if defined(__x86_64__) || defined(_M_X64)

#define AHEAD (6 * QC_CRC32C_PART)

/* Processors do not fetch three parts side by side ahead by themselves. The address may be beyond
   the data. */
SSE42_INLINE void fetch_ahead(const uint8_t *data)
{
    _mm_prefetch((const char *)((uintptr_t)data + AHEAD), _MM_HINT_T0);
}

/* The register after as many bytes of 0 as `power` is for. */
SSE42_INLINE uint64_t past(uint64_t crc, uint32_t power)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi32_si128((int)power), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

SSE42_INLINE uint64_t three_parts(uint64_t crc, const uint8_t *data)
{
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < QC_CRC32C_PART; i += 8) {
        fetch_ahead(data + 3 * i);
        crc = _mm_crc32_u64(crc, qc_load64(data + i));
        second = _mm_crc32_u64(second, qc_load64(data + QC_CRC32C_PART + i));
        third = _mm_crc32_u64(third, qc_load64(data + 2 * QC_CRC32C_PART + i));
    }
    return past(crc, QC_CRC32C_PAST_2) ^ past(second, QC_CRC32C_PAST_1) ^ third;
}

SSE42_INLINE uint32_t long_words(uint32_t crc, const uint8_t **data, size_t *size)
{
    uint64_t wide = crc;
    for (; *size >= 3 * QC_CRC32C_PART; *size -= 3 * QC_CRC32C_PART, *data += 3 * QC_CRC32C_PART)
        wide = three_parts(wide, *data);
    for (; *size >= 8; *size -= 8, *data += 8)
        wide = _mm_crc32_u64(wide, qc_load64(*data));
    return (uint32_t)wide;
}

#else

SSE42_INLINE uint32_t long_words(uint32_t crc, const uint8_t **data, size_t *size)
{
    for (; *size >= 4; *size -= 4, *data += 4)
        crc = _mm_crc32_u32(crc, qc_load32(*data));
    return crc;
}

#endif

SSE42 uint32_t qc_crc32c_sse42(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = long_words(crc, &data, &size);
    for (; size > 0; size--, data++)
        crc = _mm_crc32_u8(crc, *data);
    return crc;
}

#endif /* QC_HAS_SSE42 */
