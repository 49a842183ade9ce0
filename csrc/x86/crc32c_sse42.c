#include "../crc32c.h"

#ifdef QC_CRC32C_X86

#include <nmmintrin.h>

#ifdef __GNUC__
__attribute__((target("sse4.2")))
#endif
uint32_t
qc_crc32c_sse42(uint32_t crc, const uint8_t *data, size_t size)
{
#if defined(__x86_64__) || defined(_M_X64)
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, data += 8)
        wide = _mm_crc32_u64(wide, qc_load64(data));
    crc = (uint32_t)wide;
#else
    for (; size >= 4; size -= 4, data += 4)
        crc = _mm_crc32_u32(crc, qc_load32(data));
#endif
    for (; size > 0; size--, data++)
        crc = _mm_crc32_u8(crc, *data);
    return crc;
}

#endif
